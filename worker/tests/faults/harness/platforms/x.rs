//! X: an account with followers, mentions and hashtags, and how many follow those people. Its tokens
//! live for seconds, so that they are renewed all the time, and every renewal spends the one before.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use chrono::{SubsecRound, TimeDelta, Utc};
use sandbox::twitter::{App, Community, ExpectedPost, SCOPES, Twitter, User, UserId};
use serde_json::{Value, json};

use super::{Platform, Record, stored_activities};

const TAGS: [&str; 2] = ["millrace", "rustlang"];
const FOLLOWERS: usize = 30;
/// A page and a half of mentions, and of each hashtag.
const POSTS: usize = 150;
const TOKEN_LIFETIME: TimeDelta = TimeDelta::seconds(5);

pub(crate) struct X {
    pub(crate) twitter: Twitter,
    pub(crate) acme: UserId,
    pub(crate) app: App,
}

impl X {
    pub(super) async fn serve() -> Self {
        let (community, acme) = yesterday();
        let twitter = Twitter::serve(community).await.expect("a simulated X");
        twitter.keep_real_time();
        twitter.set_token_lifetime(TOKEN_LIFETIME);
        let client_secret = Some("secret-of-the-app-on-x".to_owned());
        let app = App { client_id: "millrace-faults".to_owned(), client_secret };
        Self { twitter, acme, app }
    }

    /// What the account grants to a tenant, or once more. Good for an hour, so that it is
    /// stored before it is renewed, however busy the machine; those that come after it for seconds.
    pub(crate) fn grant(&self) -> Value {
        // The platform's time passes with requests, and there was none for a while.
        self.twitter.edit(|community| community.turn_to(Utc::now()));
        self.twitter.set_token_lifetime(TimeDelta::hours(1));
        let tokens = self.twitter.grant(&self.app, self.acme, SCOPES);
        self.twitter.set_token_lifetime(TOKEN_LIFETIME);
        json!({
            "type": "oauth2",
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_at": Utc::now() + tokens.expires_in,
        })
    }
}

/// What people did by now, so that no post grows too old while a test lasts.
fn yesterday() -> (Community, UserId) {
    let mut community = Community::founded_at(Utc::now() - TimeDelta::days(1));
    let acme = community.add_user("acme", "Acme, Inc.");
    let fans = (0..FOLLOWERS).map(|n| join(&mut community, &format!("fan{n}"), acme));
    let fans: Vec<_> = fans.collect();
    for number in 0..POSTS {
        let fan = fans[number % fans.len()];
        community.post(fan, &format!("@acme it resumed by itself, for the {number}th time"));
        community.post(fan, &format!("#{} and #{} ({number})", TAGS[0], TAGS[1]));
    }
    (community, acme)
}

fn join(community: &mut Community, username: &str, acme: UserId) -> UserId {
    let fan = community.add_user(username, &username.to_uppercase());
    community.follow(fan, acme);
    fan
}

/// Posts, and has it listed at once.
fn post(community: &mut Community, author: UserId, text: &str) {
    let id = community.post(author, text);
    let now = community.now();
    community.post_mut(id).listed_at = now;
}

pub(super) struct Followed(pub(super) Rc<X>);

impl Platform for Followed {
    fn kind(&self) -> &'static str {
        "twitter"
    }

    fn flag(&self) -> (&'static str, String) {
        ("--twitter-url", self.0.twitter.url())
    }

    fn settings(&self) -> Value {
        json!({ "hashtags": TAGS })
    }

    fn credential(&self) -> Option<Value> {
        Some(self.0.grant())
    }

    fn set_latency(&self, latency: Duration) {
        self.0.twitter.set_latency(latency);
    }

    fn write(&self) {
        self.0.twitter.edit(|community| {
            community.turn_to(Utc::now());
            let name = format!("newcomer{}", community.users().count());
            let fan = join(community, &name, self.0.acme);
            post(community, fan, "@acme thank you");
            post(community, fan, "reading about #millrace in #rustlang");
        });
    }

    fn refused(&self) -> u64 {
        self.0.twitter.refused_count()
    }

    fn truth(&self) -> BTreeSet<Record> {
        let acme = self.0.acme;
        self.0.twitter.look(|community| {
            let tagged = TAGS.iter().flat_map(|tag| community.expected_hashtag(tag));
            let tagged = tagged.map(|post| record("hashtag", post));
            let mentions = community.expected_mentions(acme).into_iter();
            let mentions = mentions.map(|post| record("mention", post));
            tagged.chain(mentions).collect()
        })
    }

    fn stored(&self) -> String {
        let activities = stored_activities(&["twitter"], "concat_ws(' ', i.username, i.source_id)");
        format!("{activities} and a.type <> 'follow'")
    }
}

fn record(kind: &str, post: ExpectedPost) -> Record {
    Record {
        kind: kind.to_owned(),
        source_id: post.id,
        source_parent_id: None,
        parent: None,
        who: Some(format!("{} {}", post.username, post.author_id)),
        body: Some(post.text),
        // X says it to the millisecond.
        timestamp: Some(post.created_at.trunc_subsecs(3)),
    }
}

/// Who follows whom has no id on X, so followers are told by their numbers; and beside each how
/// many follow them.
pub(super) struct Reach(pub(super) Rc<X>);

impl Platform for Reach {
    fn kind(&self) -> &'static str {
        "twitter_reach"
    }

    fn platform(&self) -> &'static str {
        "twitter"
    }

    fn flag(&self) -> (&'static str, String) {
        ("--twitter-url", self.0.twitter.url())
    }

    fn settings(&self) -> Value {
        json!({})
    }

    /// Of the platform that both are on.
    fn set_latency(&self, _: Duration) {}

    fn write(&self) {
        let X { twitter, acme, .. } = &*self.0;
        twitter.edit(|community| {
            let fan = community.followers(*acme).last().expect("a follower").id;
            community.user_mut(fan).followers_count += 100;
        });
    }

    fn refused(&self) -> u64 {
        0
    }

    fn truth(&self) -> BTreeSet<Record> {
        let follower = |user: &User| Record {
            kind: "follow".to_owned(),
            source_id: user.id.to_string(),
            source_parent_id: None,
            parent: None,
            who: Some(user.username.clone()),
            body: Some(user.followers_count.to_string()),
            timestamp: None,
        };
        let look = |community: &Community| {
            community.followers(self.0.acme).into_iter().map(follower).collect()
        };
        self.0.twitter.look(look)
    }

    fn stored(&self) -> String {
        "select a.type as kind, i.source_id, null::text as source_parent_id, null::text as parent,
            i.username as who, m.reach ->> 'twitter' as body, null::timestamptz as timestamp
         from activities a
         join members m on m.id = a.member_id
         join member_identities i on i.member_id = m.id and i.platform = 'twitter'
         where a.tenant_id = $1 and a.platform = 'twitter' and a.type = 'follow'"
            .to_owned()
    }
}
