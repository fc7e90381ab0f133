//! X: an account with followers, mentions and hashtags; and its members' reach.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use chrono::TimeDelta;
use sandbox::twitter::{App, Community, INDEXING, SCOPES, Twitter, UserId};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::IntegrationId;
use shared::sdk::Directory;
use shared::store::{Store, TenantMembers};

use super::cast::{Act, Written};

const SEED: u64 = 20_260_515;
const FOLLOWERS: usize = 300;
const POSTS: usize = 400;
/// Tokens live for two hours on X; here they are renewed before your eyes.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::seconds(90);

/// Where reach is looked up.
const LOOKUP: &str = "/2/users/by";
/// Known accounts that are looked at together.
const AT_ONCE: usize = 1000;

/// The platform, which two integrations are connected to.
pub(super) struct Stage {
    twitter: Twitter,
    acme: UserId,
    app: App,
}

impl Stage {
    pub(super) async fn set() -> anyhow::Result<Arc<Self>> {
        let now = Clock::System.now();
        let (community, acme) = Community::realistic_until(SEED, FOLLOWERS, POSTS, now);
        let twitter = Twitter::serve(community).await?;
        twitter.keep_real_time();
        twitter.set_token_lifetime(TOKEN_LIFETIME);
        let client_secret = Some("of the demonstration".to_owned());
        let app = App { client_id: "millrace-demo".to_owned(), client_secret };
        Ok(Arc::new(Self { twitter, acme, app }))
    }

    /// What @acme granted.
    fn credential(&self) -> Value {
        let tokens = self.twitter.grant(&self.app, self.acme, SCOPES);
        json!({
            "type": "oauth2",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_at": Clock::System.now() + tokens.expires_in,
        })
    }

    fn requests(&self, are: impl Fn(&str) -> bool) -> u64 {
        self.twitter.requests().iter().filter(|request| are(&request.path)).count() as u64
    }
}

pub(super) struct TwitterAct(pub(super) Arc<Stage>);

#[async_trait]
impl Act for TwitterAct {
    fn kind(&self) -> &'static str {
        "twitter"
    }

    fn url(&self) -> String {
        self.0.twitter.url()
    }

    fn settings(&self) -> Value {
        json!({ "hashtags": ["millrace", "rustlang"] })
    }

    fn credential(&self) -> Option<Value> {
        Some(self.0.credential())
    }

    /// A mention, and a post with both hashtags.
    async fn write_upstream(&self, _: usize) -> Written {
        let Stage { twitter, acme, .. } = &*self.0;
        twitter.edit(|community| {
            community.turn_to(Clock::System.now());
            let fan = community.followers(*acme).first().expect("a follower").id;
            community.post(fan, "@acme it resumed by itself, thank you");
            community.post(fan, "reading about #millrace in #rustlang");
            // X lists them some seconds later, and a check may come sooner: here they have passed.
            community.pass(INDEXING);
            Written { said: "a follower mentioned @acme and used two hashtags".into(), new: 2 }
        })
    }

    fn requests(&self) -> u64 {
        self.0.requests(|path| path != LOOKUP)
    }
}

pub(super) struct ReachAct(pub(super) Arc<Stage>);

#[async_trait]
impl Act for ReachAct {
    fn kind(&self) -> &'static str {
        "twitter_reach"
    }

    fn platform(&self) -> &'static str {
        "twitter"
    }

    fn url(&self) -> String {
        self.0.twitter.url()
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn credential(&self) -> Option<Value> {
        None
    }

    fn is_checked_daily(&self) -> bool {
        true
    }

    async fn write_upstream(&self, _: usize) -> Written {
        let Stage { twitter, acme, .. } = &*self.0;
        twitter.edit(|community| {
            let fan = community.followers(*acme).first().expect("a follower").id;
            community.user_mut(fan).followers_count += 100;
            Written { said: "a hundred more follow a follower".into(), new: 100 }
        })
    }

    fn requests(&self) -> u64 {
        self.0.requests(|path| path == LOOKUP)
    }

    fn counted(&self) -> &'static str {
        "followers of members"
    }

    async fn stored(&self, store: &Store, integration: IntegrationId) -> anyhow::Result<i64> {
        let integration = store.integration(integration).await?;
        let tenant = integration.context("the integration was removed")?.tenant_id;
        let (members, mut reach, mut after) = (TenantMembers::of(store, tenant), 0, None);
        loop {
            let known = members.accounts(self.platform(), after.as_deref(), AT_ONCE).await?;
            let Some(last) = known.last() else { return Ok(reach) };
            reach += known.iter().filter_map(|account| account.reach).sum::<i64>();
            after = Some(last.username.clone());
        }
    }
}
