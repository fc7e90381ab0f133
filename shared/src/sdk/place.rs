//! Where in a list a page is, and how a list without an end is noticed.
//!
//! A cursor that comes round again ends by itself, since its stream is known. A number does not, nor
//! does a platform that gives one page for ever under ever new cursors. So a place knows what the page
//! before began with, and how many pages there were.

use std::fmt::Display;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use super::{Result, SyncError};

/// A page of a list, in a stored stream. `Id` tells one record of the list from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place<Id = String> {
    /// Counted from one.
    pub page: u32,
    /// What the platform knows the page by, if not by its number; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The first record of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Id>,
}

impl<Id: Clone + PartialEq> Place<Id> {
    pub fn first() -> Self {
        Self { page: 1, cursor: None, after: None }
    }

    /// Where the list goes on after the page here, which begins with this record; a page in the
    /// middle may be empty. `list` is for people, as "the articles of user `ben`". After so many
    /// pages, a list is taken for one without end.
    pub fn next(
        &self,
        list: impl Display,
        most: u32,
        cursor: Option<String>,
        first: Option<Id>,
    ) -> Result<Self> {
        if first.is_some() && first == self.after {
            // Perhaps a cache's mistake; the retries find out.
            return Err(anyhow!("page {} of {list} begins as the one before", self.page).into());
        }
        if self.page >= most {
            let endless = anyhow!("there is no end to {list} after {most} pages");
            return Err(SyncError::Permanent(endless));
        }
        let after = first.or_else(|| self.after.clone());
        Ok(Self { page: self.page + 1, cursor, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(here: &Place, first: Option<&str>) -> Result<Place> {
        here.next("the list", 3, Some("c".to_owned()), first.map(str::to_owned))
    }

    #[test]
    fn a_page_that_begins_as_the_one_before_is_tried_again() {
        let second = next(&Place::first(), Some("a")).expect("a place");
        assert_eq!(second.page, 2);
        let repeated = next(&second, Some("a")).expect_err("it repeats");
        assert!(matches!(repeated, SyncError::Other(_)), "{repeated:?}");
        assert_eq!(repeated.to_string(), "page 2 of the list begins as the one before");
    }

    #[test]
    fn an_empty_page_in_the_middle_hides_no_repetition() {
        let second = next(&Place::first(), Some("a")).expect("a place");
        let third = next(&second, None).expect("a place");
        assert_eq!((third.page, third.after.as_deref()), (3, Some("a")));
    }

    #[test]
    fn a_list_that_goes_on_and_on_is_given_up() {
        let mut place = Place::first();
        for first in ["a", "b"] {
            place = next(&place, Some(first)).expect("a place");
        }
        let endless = next(&place, Some("c")).expect_err("no end");
        assert!(matches!(endless, SyncError::Permanent(_)), "{endless:?}");
        assert_eq!(endless.to_string(), "there is no end to the list after 3 pages");
    }

    #[test]
    fn it_is_stored_like_this() {
        let first: Place<u64> = Place::first();
        assert_eq!(serde_json::to_string(&first).expect("JSON"), r#"{"page":1}"#);
        let second = first.next("the list", 9, None, Some(42)).expect("a place");
        assert_eq!(serde_json::to_string(&second).expect("JSON"), r#"{"page":2,"after":42}"#);
        let stored = r#"{"page":2,"cursor":"x","after":"a"}"#;
        let place: Place = serde_json::from_str(stored).expect("a place");
        assert_eq!(serde_json::to_string(&place).expect("JSON"), stored);
    }
}
