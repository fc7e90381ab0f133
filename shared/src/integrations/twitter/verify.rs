//! Whether X lets this credential read what is to be read: asked once, when a tenant connects, since
//! that takes the right scopes, and with X the right plan.

use reqwest::StatusCode;

use super::Twitter;
use super::api::{self, Api};
use crate::sdk::{Connection, Result, SyncError};

/// The least that X can be asked for of each.
const FOLLOWERS: u32 = 1;
const MENTIONS: u32 = 5;
const POSTS: u32 = 10;

pub(super) async fn verify(api: &Api, connection: &Connection<Twitter>) -> Result<()> {
    let access = &connection.access;
    let me = match access.owner().await? {
        Some(owner) => owner.id,
        None => api.me(access).await?.id,
    };
    let followers = api.followers(&me, FOLLOWERS, None, access).await.map(drop);
    followers.map_err(|error| closed("followers", "follows.read", error))?;
    let mentions = api.mentions(&me, MENTIONS, None, None, access).await.map(drop);
    mentions.map_err(|error| closed("mentions", "tweet.read", error))?;
    // What one of them is allowed, all are.
    if let Some(tag) = connection.settings.hashtags.first() {
        let posts = api.recent_search(tag, POSTS, None, None, access).await.map(drop);
        posts.map_err(|error| closed("the recent search", "tweet.read", error))?;
    }
    Ok(())
}

fn closed(what: &str, scope: &str, error: SyncError) -> SyncError {
    if !api::was_refused(&error, StatusCode::FORBIDDEN) {
        return error;
    }
    error.meaning(format!(
        "X does not let this credential read {what}: it takes the scopes `users.read` and \
         `{scope}`, and a plan that includes it"
    ))
}
