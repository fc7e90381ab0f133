//! What we remember between runs: how far each list of each repository is read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::streams::{List, Newest, Repo, Stream};
use crate::sdk::RunSummary;

/// Companies that are remembered at the most, about a hundred kilobytes. One that is forgotten is
/// looked up again when somebody is met who works there.
const MOST_COMPANIES: usize = 5_000;

/// Stored, so fields are only ever added: one that an older version did not write is empty, one that
/// a newer version wrote is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// By the id of the repository. One that is not followed any more stays: it may come back.
    repositories: BTreeMap<String, BTreeMap<List, Newest>>,
    /// The ids of repositories that are followed by name.
    names: BTreeMap<String, String>,
    /// Companies, as people write them, that were looked up lately.
    companies: BTreeSet<String>,
}

impl State {
    pub(super) fn read(&self, repo: &str, list: List) -> Option<Newest> {
        self.repositories.get(repo)?.get(&list).copied()
    }

    pub(super) fn id(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    pub(super) fn knows_company(&self, company: &str) -> bool {
        self.companies.contains(company)
    }

    /// A list is read as far as its first page began, once every one of its pages and their children
    /// is processed. One that failed anywhere keeps its old cursor, and is read from there again.
    pub(super) fn after(&self, run: &RunSummary<Stream>) -> Self {
        let mut state = self.clone();
        let failed: BTreeSet<_> = run.failed().filter_map(Stream::list).map(key).collect();
        for stream in run.processed() {
            if let (Some(page), Some((repo, list))) = (stream.page(), stream.list())
                && !failed.contains(&key((repo, list)))
            {
                state.repositories.entry(repo.id.clone()).or_default().insert(list, page.newest);
            }
        }
        state.learn_names(run);
        state.learn_companies(run);
        state
    }

    /// Those of this run before all others.
    fn learn_companies(&mut self, run: &RunSummary<Stream>) {
        let looked_up = run.processed().filter_map(|stream| match stream {
            Stream::Organization { company } => Some(company.clone()),
            _ => None,
        });
        let known = std::mem::take(&mut self.companies);
        for company in looked_up.chain(known) {
            if self.companies.len() == MOST_COMPANIES {
                return;
            }
            self.companies.insert(company);
        }
    }

    /// A name that leads nowhere any more is forgotten: it may be another repository's one day.
    fn learn_names(&mut self, run: &RunSummary<Stream>) {
        for ended in &run.streams {
            let Stream::Repository { name } = &ended.stream else { continue };
            match &ended.mark {
                Some(id) if !ended.failed => self.names.insert(name.to_string(), id.clone()),
                _ => self.names.remove(&name.to_string()),
            };
        }
    }
}

fn key((repo, list): (&Repo, List)) -> (String, List) {
    (repo.id.clone(), list)
}
