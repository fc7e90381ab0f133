//! Where in a list a page is.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use super::answers::Page;
use crate::sdk::{Result, SyncError};

/// Pages of one list that are followed at the most: ten million followers, a million posts. A list
/// that goes on after that is taken for one without end.
const MOST_PAGES: u32 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Counted from one.
    pub(super) page: u32,
    /// X's pagination token, by which it knows the page; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// The first record of the page before, by which a page that repeats is noticed: the tokens of
    /// its next pages may be new ones each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl Place {
    pub(super) fn first() -> Self {
        Self { page: 1, cursor: None, after: None }
    }

    /// Where the list goes on after the page here, if it does. A page in the middle may be empty.
    pub(super) fn next<T>(&self, page: &Page<T>, id: impl Fn(&T) -> &str) -> Result<Option<Self>> {
        let Some(token) = &page.next_token else { return Ok(None) };
        let first = page.records.first().map(id);
        if first.is_some() && self.after.as_deref() == first {
            // Perhaps a cache's mistake; the retries find out.
            return Err(anyhow!("page {} begins as the one before", self.page).into());
        }
        if self.page >= MOST_PAGES {
            let endless = anyhow!("the list goes on after page {MOST_PAGES}");
            return Err(SyncError::Permanent(endless));
        }
        let after = first.map(str::to_owned).or_else(|| self.after.clone());
        Ok(Some(Self { page: self.page + 1, cursor: Some(token.clone()), after }))
    }
}
