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
/// Profiles that are tried: what is wrong with the others is told by the run.
const MOST_PROFILES: usize = 5;

pub(super) async fn verify(api: &Api, connection: &Connection<Twitter>) -> Result<()> {
    let access = &connection.access;
    for profile in profiles(api, connection).await? {
        let followers = api.followers(&profile, FOLLOWERS, None, access).await.map(drop);
        followers.map_err(|error| closed("followers", "follows.read", error))?;
        let mentions = api.mentions(&profile, MENTIONS, None, None, access).await.map(drop);
        mentions.map_err(|error| closed("mentions", "tweet.read", error))?;
    }
    // What one of them is allowed, all are.
    if let Some(tag) = connection.settings.hashtags.first() {
        let posts = api.recent_search(tag, POSTS, None, None, access).await.map(drop);
        posts.map_err(|error| closed("the recent search", "tweet.read", error))?;
    }
    Ok(())
}

/// Whose followers and mentions are read, of many the first.
async fn profiles(api: &Api, connection: &Connection<Twitter>) -> Result<Vec<String>> {
    if !connection.units.is_empty() {
        return Ok(connection.units.iter().take(MOST_PROFILES).cloned().collect());
    }
    Ok(vec![match connection.access.owner().await? {
        Some(owner) => owner.id,
        None => api.me(&connection.access).await?.id,
    }])
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
