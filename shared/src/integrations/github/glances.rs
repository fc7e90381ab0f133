//! What is new in repositories, seen without reading it: the newest of each of their lists.
//!
//! A list that is closed to us takes its whole repository out of the answer. So it is left out, and
//! asked for by itself: what GitHub says of it then is the list's, and hides no other.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Github;
use super::answers::Glance;
use super::graphql::Reply;
use super::queries::{PEEK, REPOSITORY};
use super::settings::Name;
use super::streams::{List, Newest, Page, Repo, Stream};
use crate::sdk::{Access, Result, Run, RunMode};

/// How far before its cursor a list is read again. What is written in one moment need not be listed
/// in one moment: GitHub answers from replicas, and clocks of its servers differ. Minutes are far
/// more than was ever seen of it, and cost nothing as long as nothing is new.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// Instants are seconds: whatever else happens in the one of the newest item looks as if it was
/// listed before. A list whose newest is younger than this when a run begins, or comes while it
/// goes on, is read once more by the next check.
const STILL_WARM: TimeDelta = TimeDelta::minutes(2);

impl Github {
    /// One that was renamed is found by its old name, too.
    pub(super) async fn glance(&self, name: &Name, access: &Access) -> Result<Glance> {
        let mut lists = List::ALL.to_vec();
        loop {
            let reply = self.find(name, &lists, access).await?;
            if reply.subject.is_some() || !leave_out_closed(&mut lists, &reply) {
                return reply.whole(format_args!("repository `{name}`"));
            }
        }
    }

    /// Without any list, whether it is there.
    pub(super) async fn find(
        &self,
        name: &Name,
        lists: &[List],
        access: &Access,
    ) -> Result<Reply<Glance>> {
        let mut variables = json!({ "owner": name.owner(), "name": name.name() });
        ask_for(&mut variables, lists);
        self.api.query(REPOSITORY, variables, access).await
    }

    /// At many. `None`: deleted, or closed to us, or another one by now.
    pub(super) async fn glances<'a>(
        &self,
        repos: &'a [Repo],
        access: &Access,
    ) -> Result<Vec<(&'a Repo, Option<Glance>)>> {
        let mut lists = List::ALL.to_vec();
        let mut hidden: Vec<_> = repos.iter().collect();
        let mut seen = Vec::new();
        loop {
            let reply = self.peek_at(&hidden, &lists, access).await?;
            let is_more_open = leave_out_closed(&mut lists, &reply);
            let glances = reply.whole("repositories")?;
            let looked_at = std::mem::take(&mut hidden).into_iter().zip(glances);
            for (repo, glance) in looked_at {
                match glance {
                    None if is_more_open => hidden.push(repo),
                    glance => seen.push((repo, glance)),
                }
            }
            if hidden.is_empty() {
                return Ok(seen);
            }
        }
    }

    async fn peek_at(
        &self,
        repos: &[&Repo],
        lists: &[List],
        access: &Access,
    ) -> Result<Reply<Vec<Option<Glance>>>> {
        let ids: Vec<_> = repos.iter().map(|repo| &repo.id).collect();
        let mut variables = json!({ "ids": ids });
        ask_for(&mut variables, lists);
        self.api.query(PEEK, variables, access).await
    }
}

fn ask_for(variables: &mut Value, lists: &[List]) {
    for list in List::ALL {
        variables[list.field()] = json!(lists.contains(&list));
    }
}

/// Whether that leaves any out.
fn leave_out_closed<T>(lists: &mut Vec<List>, reply: &Reply<T>) -> bool {
    let asked = lists.len();
    lists.retain(|list| reply.forbidden().all(|field| field != list.field()));
    lists.len() < asked
}

impl Glance {
    /// The lists of the repository that have anything new, or do not show it.
    pub(super) fn to_read(&self, run: &Run<Github>) -> Vec<Stream> {
        let repo = Repo { id: self.id.clone(), name: self.name_with_owner.to_lowercase() };
        let still = run.connection.started_at - STILL_WARM;
        let lists = List::ALL.into_iter().filter_map(|list| {
            let known = known(&repo, list, run);
            let (newest, since) = match self.newest(list, still) {
                Some(newest) => (newest, since(newest, known)?),
                None => (known.unwrap_or_default(), known.and_then(Newest::overlapped)),
            };
            let page =
                Page { repo: repo.clone(), newest, since, cursor: None, read: 0, size: None };
            Some(list.stream(page))
        });
        lists.collect()
    }

    fn newest(&self, list: List, still: DateTime<Utc>) -> Option<Newest> {
        let top = match list {
            List::Stargazers => &self.stargazers,
            List::Forks => &self.forks,
            List::Pulls => &self.pull_requests,
            List::Issues => &self.issues,
            List::Discussions => &self.discussions,
        };
        top.as_ref().map(|top| top.newest(still))
    }
}

/// How far a list was read; an onboarding reads everything.
fn known(repo: &Repo, list: List, run: &Run<Github>) -> Option<Newest> {
    match run.connection.mode {
        RunMode::Onboarding => None,
        RunMode::Check => run.connection.state.read(&repo.id, list),
    }
}

/// From when on a list is to be read; `None`: not at all.
///
/// An item that is new, or was updated, is the first. One that is listed late is counted at once,
/// and read with the next that is new at the latest. What is taken away (a star, a fork, an issue)
/// shows in neither.
fn since(newest: Newest, known: Option<Newest>) -> Option<Beginning> {
    let Some(known) = known else {
        return (newest.total > 0).then_some(None);
    };
    let is_new = newest.at > known.at || newest.total > known.total || known.warm;
    is_new.then(|| known.overlapped())
}

/// When what is to be read begins; `None`: with the first there ever was.
type Beginning = Option<DateTime<Utc>>;

impl Newest {
    fn overlapped(self) -> Beginning {
        self.at.map(|at| at - OVERLAP)
    }
}
