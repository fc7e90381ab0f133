//! Against a whole simulated Discord, with the truth at hand.

mod access;
mod archives;
mod checks;
mod description;
mod failures;
mod limits;
mod onboarding;
mod overlooked;
mod people;
mod permissions;
mod settings;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use insta::{assert_json_snapshot, assert_snapshot};
use sandbox::discord::{
    ALWAYS, Community, Discord as Simulated, Fault, Id, Kind, MessageKind, StatusCode, TOKEN,
};
use serde_json::{Value, json};

use super::*;
use crate::sdk::testing::{Ending, Examination, Rehearsal, Rehearsed};
use crate::sdk::{Credential, RawConnection, Registry};

/// What is known of a message: whom it answers, who wrote what, where and when.
#[derive(Debug, PartialEq)]
struct Known {
    parent: Option<String>,
    author: Option<String>,
    said: String,
    channel: Option<String>,
    thread: Option<String>,
    at: DateTime<Utc>,
}

/// What runs have found, each message in its last version.
fn found(runs: &[&Rehearsed]) -> BTreeMap<String, Known> {
    let activities = runs.iter().flat_map(|run| run.activities());
    let messages = activities.filter(|activity| activity.kind == "message").map(|activity| {
        let known = Known {
            parent: activity.source_parent_id.clone(),
            author: activity.member.identity.source_id.clone(),
            said: activity.body.clone().unwrap_or_default(),
            channel: activity.channel.clone(),
            thread: activity.title.clone(),
            at: activity.timestamp,
        };
        (activity.source_id.clone(), known)
    });
    messages.collect()
}

fn truth(community: &Community) -> BTreeMap<String, Known> {
    let messages = community.expected_messages().into_iter().map(|message| {
        let known = Known {
            parent: message.parent,
            author: Some(message.author),
            said: message.content,
            channel: Some(message.channel),
            thread: message.thread,
            at: message.at,
        };
        (message.id, known)
    });
    messages.collect()
}

/// Who was seen joining, and when.
fn joins(runs: &[&Rehearsed]) -> BTreeSet<(String, DateTime<Utc>)> {
    let activities = runs.iter().flat_map(|run| run.activities());
    let joins = activities.filter(|activity| activity.kind == "joined_guild");
    let join = |activity: &Activity| {
        let who = activity.member.identity.source_id.clone().expect("an id");
        (who, activity.timestamp)
    };
    joins.map(join).collect()
}

fn true_joins(community: &Community) -> BTreeSet<(String, DateTime<Utc>)> {
    community.expected_joins().into_iter().collect()
}

async fn serve(community: Community) -> Simulated {
    Simulated::serve(community).await.expect("a Discord")
}

fn token() -> Credential {
    Credential::Secret { secret: TOKEN.into() }
}

/// Begins now, by the guild's clock.
fn rehearsal(site: &Simulated) -> Rehearsal {
    let now = site.look(Community::now).to_rfc3339();
    Rehearsal::of(integration(site)).settings(settings(site)).credential(token()).at(&now)
}

/// A check after this run, so many minutes later.
async fn check_after(site: &Simulated, run: &Rehearsed, minutes: i64) -> Rehearsed {
    site.edit(|community| community.pass(TimeDelta::minutes(minutes)));
    site.clear_requests();
    rehearsal(site).check().state(run.state.clone()).run().await
}

/// An onboarding and the check after it, which looks at the archived threads for once.
async fn settled(site: &Simulated) -> Rehearsed {
    let onboarding = rehearsal(site).run().await;
    assert_eq!(onboarding.ending, Ending::Processed, "{onboarding}");
    check_after(site, &onboarding, 20).await
}

fn integration(site: &Simulated) -> Discord {
    Discord::at(&site.url()).expect("an integration")
}

fn settings(site: &Simulated) -> Value {
    json!({"guild_id": site.look(|community| community.guild).to_string()})
}

/// The paths that were asked for since the requests were cleared, without those that every run asks.
fn asked(site: &Simulated) -> Vec<String> {
    let requests = site.requests().into_iter().map(|request| request.path);
    requests.filter(|path| path.starts_with("/channels/")).collect()
}

/// One channel in which two people talk.
struct Small {
    site: Simulated,
    ada: Id,
    ben: Id,
    general: Id,
}

impl Small {
    async fn start() -> Self {
        let mut community = Community::empty();
        let [ada, ben] = ["ada", "ben"].map(|name| community.add_user(name));
        community.join(ada);
        community.join(ben);
        let general = community.add_channel(Kind::Text, "general");
        let hello = community.post(general, ada, "Hello!");
        community.reply(hello, ben, "Hello Ada");
        Self { site: serve(community).await, ada, ben, general }
    }
}

#[tokio::test]
async fn it_passes_the_examination() {
    let mut community = Community::empty();
    let [ada, ben] = ["ada", "ben"].map(|name| community.add_user(name));
    community.join(ada);
    let general = community.add_channel(Kind::Text, "general");
    for number in 0..101 {
        community.post(general, ada, &format!("{number}"));
    }
    let forum = community.add_channel(Kind::Forum, "help");
    let post = community.start_post(forum, ben, "Help!", "It stopped");
    community.archive(post);
    let site = serve(community).await;
    Examination::of(Discord::with, site.url())
        .settings(settings(&site))
        .credential(token())
        .sit()
        .await;
}
