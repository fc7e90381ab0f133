//! Where in a list a page begins, and how we notice a list that has no end.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use crate::sdk::{Result, SyncError};

/// Pages that are followed at the most: twenty million messages, or one and a half by fifteens. A
/// list that goes on after that is taken for one without end.
const MOST_PAGES: u32 = 100_000;

/// All but the first page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub(super) cursor: String,
    /// Counted from one.
    page: u32,
    /// What the page before began with, by which a page that repeats is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// A page as Slack gave it, in its order.
#[derive(Clone, Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next one begins; `None`: this was the last.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// The place after this page, which began at `here` and with `first`.
    pub(super) fn place_after(
        &self,
        here: Option<&Place>,
        first: Option<String>,
    ) -> Result<Option<Place>> {
        let Some(cursor) = self.next.clone() else { return Ok(None) };
        let page = here.map_or(1, |here| here.page) + 1;
        if page > MOST_PAGES {
            return Err(SyncError::Permanent(anyhow!("the list goes on after page {MOST_PAGES}")));
        }
        let before = here.and_then(|here| here.after.clone());
        if first.is_some() && first == before {
            // Perhaps a cache's mistake; the retries find out.
            return Err(anyhow!("page {} of the list begins as the one before", page - 1).into());
        }
        // A page may be empty, and yet not be the last.
        Ok(Some(Place { cursor, page, after: first.or(before) }))
    }
}

/// For requests.
pub(super) fn cursor(place: Option<&Place>) -> Option<&str> {
    place.map(|place| place.cursor.as_str())
}
