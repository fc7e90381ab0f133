//! A page of a list, and where the next one begins.

use crate::sdk::{Place, Result};

/// Pages that are followed at the most: twenty million messages, or one and a half by fifteens.
const MOST_PAGES: u32 = 100_000;

/// A page as Slack gave it, in its order.
#[derive(Clone, Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// Where the next one begins; `None`: this was the last.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// The place after this page, which began at `here` (`None`: it is the first) and with `first`.
    pub(super) fn place_after(
        &self,
        here: Option<&Place>,
        first: Option<String>,
    ) -> Result<Option<Place>> {
        let Some(cursor) = self.next.clone() else { return Ok(None) };
        let here = here.cloned().unwrap_or_else(Place::first);
        here.next("the list", MOST_PAGES, Some(cursor), first).map(Some)
    }
}

/// For requests.
pub(super) fn cursor(place: Option<&Place>) -> Option<&str> {
    place?.cursor.as_deref()
}
