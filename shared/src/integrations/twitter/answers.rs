//! What X answers, as far as we read it.
//!
//! A list that is empty has no `data`, but says in `meta` that it is one. An answer without either
//! is a refusal under status 200: its `errors` say whom or what X does not show.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::sdk::http::quoted;
use crate::sdk::{Place, Result, SyncError};

/// Pages of one list that are followed at the most: ten million followers, a million posts.
const MOST_PAGES: u32 = 10_000;

#[derive(Debug, Deserialize)]
pub(super) struct Single<T> {
    pub(super) data: Option<T>,
}

#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Listing<T> {
    data: Option<Vec<T>>,
    #[serde(default)]
    includes: Includes,
    meta: Option<Meta>,
    #[serde(default)]
    errors: Vec<Problem>,
}

/// A page of a list that goes on where there is a token.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) records: Vec<T>,
    pub(super) includes: Includes,
    pub(super) next_token: Option<String>,
}

/// Whom and what the records of a page speak of. Those who are suspended are not among them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Includes {
    #[serde(default)]
    pub(super) users: Vec<User>,
    #[serde(default)]
    pub(super) media: Vec<Media>,
}

#[derive(Debug, Deserialize)]
struct Meta {
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Problem {
    title: Option<String>,
    /// The address of a description, which ends in a code.
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(super) location: Option<String>,
    pub(super) profile_image_url: Option<String>,
    public_metrics: Option<PublicMetrics>,
}

#[derive(Clone, Debug, Deserialize)]
struct PublicMetrics {
    followers_count: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Post {
    pub(super) id: String,
    pub(super) author_id: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) text: String,
    /// Of a long one `text` is but the beginning.
    pub(super) note_tweet: Option<LongText>,
    pub(super) entities: Option<Value>,
    pub(super) attachments: Option<Attachments>,
    /// An edit gives another id; the first here is the one it began with.
    #[serde(default)]
    pub(super) edit_history_tweet_ids: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LongText {
    pub(super) text: String,
    pub(super) entities: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Attachments {
    #[serde(default)]
    pub(super) media_keys: Vec<String>,
}

/// A photo, a video or a GIF, as it is.
#[derive(Debug, Deserialize)]
pub(super) struct Media {
    pub(super) media_key: String,
    #[serde(flatten)]
    pub(super) rest: serde_json::Map<String, Value>,
}

impl User {
    pub(crate) fn followers(&self) -> Option<i64> {
        self.public_metrics.as_ref().map(|metrics| metrics.followers_count)
    }
}

impl<T> Page<T> {
    /// Where the list goes on after this page, if it does. A page in the middle may be empty.
    pub(super) fn place_after(
        &self,
        here: &Place,
        id: impl Fn(&T) -> &str,
    ) -> Result<Option<Place>> {
        let Some(token) = &self.next_token else { return Ok(None) };
        let first = self.records.first().map(|record| id(record).to_owned());
        here.next("the list", MOST_PAGES, Some(token.clone()), first).map(Some)
    }
}

impl<T> Listing<T> {
    pub(super) fn page(self) -> Result<Page<T>> {
        match self.meta {
            Some(Meta { next_token }) => Ok(Page {
                records: self.data.unwrap_or_default(),
                includes: self.includes,
                next_token,
            }),
            None => Err(refusal(&self.errors)),
        }
    }

    /// Of a look-up, which has no `meta`: those who were found. The others are in `errors`.
    pub(super) fn found(self) -> Result<Vec<T>> {
        match self.data {
            None if self.errors.is_empty() => Err(refusal(&[])),
            data => Ok(data.unwrap_or_default()),
        }
    }
}

/// Only X's own title and code are repeated: the rest quotes the request.
fn refusal(errors: &[Problem]) -> SyncError {
    match errors.first() {
        Some(Problem { title, kind }) => {
            let title = title.as_deref().unwrap_or("no reason given");
            let code = kind.iter().filter_map(|kind| kind.rsplit('/').next());
            let code: String = code.map(|code| format!(" ({code})")).collect();
            let said = quoted(&format!("{title}{code}"));
            SyncError::Permanent(anyhow!("X does not show this: {said}"))
        }
        None => SyncError::Other(anyhow!("X answered neither with a list nor with a reason")),
    }
}
