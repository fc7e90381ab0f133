//! What we remember between runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Stream;
use super::api::Listed;
use crate::sdk::RunSummary;

/// Stored, so fields are only ever added: one that an older version did not write is empty, one that
/// a newer version wrote is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Articles we have read, by number, as they were listed then. One that is not listed any more
    /// stays: it may come back.
    articles: BTreeMap<u64, Listed>,
    /// Authors whose profile could not be read. Their articles are read and will not lead to them
    /// again.
    missed_profiles: BTreeSet<u64>,
}

impl State {
    pub(super) fn listed(&self, article: u64) -> Option<&Listed> {
        self.articles.get(&article)
    }

    pub(super) fn missed_profiles(&self) -> impl Iterator<Item = Stream> {
        self.missed_profiles.iter().map(|&user_id| Stream::Profile { user_id })
    }

    /// What failed is forgotten, so that the next check reads it again.
    pub(super) fn after(&self, run: &RunSummary<Stream>) -> Self {
        let mut state = self.clone();
        for stream in run.processed() {
            match stream {
                Stream::Articles { .. } => {}
                Stream::Comments { article } => {
                    state.articles.insert(article.id, article.listed.clone());
                }
                Stream::Profile { user_id } => {
                    state.missed_profiles.remove(user_id);
                }
            }
        }
        // Afterwards: an article may have been listed twice in one run, and read but once.
        for stream in run.failed() {
            match stream {
                Stream::Articles { .. } => {}
                Stream::Comments { article } => {
                    state.articles.remove(&article.id);
                }
                Stream::Profile { user_id } => {
                    state.missed_profiles.insert(*user_id);
                }
            }
        }
        state
    }
}
