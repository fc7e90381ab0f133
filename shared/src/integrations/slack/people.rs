//! Who is who, asked of Slack only where we do not know.
//!
//! Most we know already: `users.list` was read by the onboarding, and whoever it told us of is a
//! member. They are looked up among the tenant's members, once and only when the first name is
//! needed, so a check with nothing new looks at nobody. Of the rest Slack is asked by `users.info`,
//! once in a run as long as the same worker is at it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::Slack;
use super::answers::SLACKBOT;
use super::api::Api;
use crate::sdk::{Connection, Integration, Result, SyncError};

/// Members that are kept in memory at the most, some megabytes of them. Whoever comes after is
/// treated as unknown, which costs a request when they write.
const MOST_KNOWN: usize = 50_000;
const AT_ONCE: usize = 1000;

/// Users that a page may ask for so that they can be called by name: below the hundred a minute
/// that Slack grants, or a page that mentions more would never be finished.
const MOST_NAMES: usize = 50;

/// Strangers who join that a page may ask for, beside those names. Whoever else joins on it is taken
/// for a person.
const MOST_JOINING: usize = 25;

#[derive(Default)]
pub(super) struct People {
    /// Handles by id.
    known: OnceCell<HashMap<String, String>>,
    asked: Mutex<HashMap<String, Arc<OnceCell<Who>>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Person { name: String },
    Bot { name: String },
    Nobody,
}

impl Who {
    fn name(self) -> Option<String> {
        match self {
            Self::Person { name } | Self::Bot { name } => Some(name),
            Self::Nobody => None,
        }
    }
}

impl People {
    /// Those of whom we have no profile.
    pub(super) async fn unknown(
        &self,
        ids: BTreeSet<String>,
        connection: &Connection<Slack>,
    ) -> Result<Vec<String>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.known(connection).await?;
        Ok(ids.into_iter().filter(|id| !known.contains_key(id)).collect())
    }

    /// What they are called, as far as we know or can ask.
    pub(super) async fn names(
        &self,
        ids: BTreeSet<&str>,
        api: &Api,
        connection: &Connection<Slack>,
    ) -> Result<HashMap<String, String>> {
        let mut names = HashMap::new();
        if ids.is_empty() {
            return Ok(names);
        }
        let (known, strangers): (Vec<_>, Vec<_>) = {
            let known = self.known(connection).await?;
            ids.into_iter().partition(|id| known.contains_key(*id))
        };
        for id in known.into_iter().chain(strangers.into_iter().take(MOST_NAMES)) {
            if let Some(name) = self.who(id, api, connection).await?.name() {
                names.insert(id.to_owned(), name);
            }
        }
        Ok(names)
    }

    pub(super) async fn is_person(
        &self,
        id: &str,
        api: &Api,
        connection: &Connection<Slack>,
    ) -> Result<bool> {
        Ok(matches!(self.who(id, api, connection).await?, Who::Person { .. }))
    }

    /// Which of these strangers are programs, as far as we can ask.
    pub(super) async fn programs(
        &self,
        strangers: Vec<String>,
        api: &Api,
        connection: &Connection<Slack>,
    ) -> Result<BTreeSet<String>> {
        let mut programs = BTreeSet::new();
        for id in strangers.into_iter().take(MOST_JOINING) {
            match self.who(&id, api, connection).await {
                Ok(Who::Bot { .. }) => drop(programs.insert(id)),
                // Not worth the channel: the stream that asks for the profile fails over it as well.
                Ok(_) | Err(SyncError::Permanent(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(programs)
    }

    async fn who(&self, id: &str, api: &Api, connection: &Connection<Slack>) -> Result<Who> {
        if id == SLACKBOT {
            return Ok(Who::Bot { name: "slackbot".to_owned() });
        }
        // Bots do not become members.
        if let Some(name) = self.known(connection).await?.get(id) {
            return Ok(Who::Person { name: name.clone() });
        }
        let asked = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asked.entry(id.to_owned()).or_default())
        };
        let ask = || async {
            let user = api.user(&connection.access, id).await?;
            Ok(user.map_or(Who::Nobody, |user| match user.is_person() {
                true => Who::Person { name: user.name },
                false => Who::Bot { name: user.name },
            }))
        };
        asked.get_or_try_init(ask).await.cloned()
    }

    async fn known(&self, connection: &Connection<Slack>) -> Result<&HashMap<String, String>> {
        self.known.get_or_try_init(|| members(connection)).await
    }
}

async fn members(connection: &Connection<Slack>) -> Result<HashMap<String, String>> {
    let mut known = HashMap::new();
    let mut after: Option<String> = None;
    while known.len() < MOST_KNOWN {
        let accounts =
            connection.directory.accounts(Slack::PLATFORM, after.as_deref(), AT_ONCE).await?;
        let Some(last) = accounts.last() else { break };
        after = Some(last.username.clone());
        let with_id = accounts.into_iter().filter_map(|it| Some((it.source_id?, it.username)));
        known.extend(with_id);
    }
    Ok(known)
}
