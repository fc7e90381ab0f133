//! What we remember between runs.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Stream, followers};
use crate::sdk::RunSummary;

/// Posts become listed seconds after they were written, at times minutes: each check reads so much
/// again of what was read before.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// Stored, so fields are only ever added: one that an older version did not write is empty, one that
/// a newer version wrote is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The time of the newest post that was read of each list, by [`Stream::list`].
    newest_posts: BTreeMap<String, DateTime<Utc>>,
    /// The newest followers of each profile, by number.
    newest_followers: BTreeMap<String, Vec<String>>,
}

impl State {
    /// `None`: the list was never read, or there was nothing.
    pub(super) fn read_since(&self, list: &str) -> Option<DateTime<Utc>> {
        self.newest_posts.get(list).map(|&newest| newest - OVERLAP)
    }

    /// `None`: they were never read.
    pub(super) fn newest_followers(&self, profile: &str) -> Option<&[String]> {
        self.newest_followers.get(profile).map(Vec::as_slice)
    }

    /// A list of which a page failed is where it was before this run, and read again from there.
    pub(super) fn after(&self, run: &RunSummary<Stream>) -> Self {
        let mut state = self.clone();
        for (list, pages) in Pages::by_list(run) {
            match pages {
                Pages::Failed => {}
                Pages::Posts { newest } => {
                    let known = state.newest_posts.get(&list).copied();
                    let newest = newest.into_iter().chain(known).max();
                    state.newest_posts.extend(newest.map(|newest| (list, newest)));
                }
                Pages::Followers { profile, marks } => {
                    let known = self.newest_followers(&profile);
                    let newest = followers::newest(marks.into_values(), known);
                    state.newest_followers.insert(profile, newest);
                }
            }
        }
        state
    }
}

/// What the pages of a list have left.
enum Pages<'a> {
    Failed,
    Posts { newest: Option<DateTime<Utc>> },
    Followers { profile: String, marks: BTreeMap<u32, &'a str> },
}

impl<'a> Pages<'a> {
    fn by_list(run: &'a RunSummary<Stream>) -> BTreeMap<String, Self> {
        let mut lists = BTreeMap::new();
        for ended in &run.streams {
            let Some(list) = ended.stream.list() else { continue };
            let pages = lists.entry(list).or_insert_with(|| Self::none_of(&ended.stream));
            if ended.failed {
                *pages = Self::Failed;
            } else if let Some(mark) = ended.mark.as_deref() {
                pages.add(&ended.stream, mark);
            }
        }
        lists
    }

    fn none_of(stream: &Stream) -> Self {
        match stream {
            Stream::Followers { profile, .. } => {
                Self::Followers { profile: profile.clone(), marks: BTreeMap::new() }
            }
            _ => Self::Posts { newest: None },
        }
    }

    fn add(&mut self, stream: &Stream, mark: &'a str) {
        match (self, stream) {
            (Self::Followers { marks, .. }, Stream::Followers { place, .. }) => {
                marks.insert(place.page, mark);
            }
            // A mark that does not parse is of another version: its page is read again.
            (Self::Posts { newest }, _) => *newest = (*newest).max(mark.parse().ok()),
            _ => {}
        }
    }
}
