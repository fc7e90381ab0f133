//! Most tests are stories on a simulated Slack, which knows the truth.

mod checks;
mod connecting;
mod description;
mod limits;
mod looks;
mod onboarding;
mod records;
mod refusals;
mod settings;
mod stored;
mod text;
mod threads;
mod traps;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use insta::assert_snapshot;
use sandbox::slack::{
    self, ChannelId, Distribution, Fault, MessageId, Pace, StatusCode, TOKEN, UserId, Workspace,
};
use serde_json::{Value, json};

use super::*;
use crate::sdk::testing::{Ending, Examination, Rehearsal, Rehearsed};
use crate::sdk::{DynIntegration, KnownAccount, Registry};

/// A simulated Slack, and the integration that reads it.
struct SimulatedSlack {
    slack: slack::Slack,
    rehearsal: Rehearsal,
}

impl Deref for SimulatedSlack {
    type Target = slack::Slack;

    fn deref(&self) -> &slack::Slack {
        &self.slack
    }
}

async fn serve(workspace: Workspace) -> SimulatedSlack {
    let slack = slack::Slack::serve(workspace).await.expect("a Slack");
    let rehearsal = Rehearsal::of(integration(&slack)).credential(secret(TOKEN));
    SimulatedSlack { slack, rehearsal }
}

/// An onboarding that starts when the workspace's clock stands now, with the simulated token.
fn onboarding(slack: &SimulatedSlack) -> Rehearsal {
    let now = slack.look(Workspace::now);
    slack.rehearsal.clone().at(&now.to_rfc3339())
}

/// A check so long after.
fn check_after(slack: &SimulatedSlack, run: &Rehearsed, pause: TimeDelta) -> Rehearsal {
    slack.edit(|workspace| workspace.turn_to(workspace.now() + pause));
    slack.clear_requests();
    onboarding(slack).check().state(run.state.clone()).members(people(slack))
}

fn check(slack: &SimulatedSlack, run: &Rehearsed) -> Rehearsal {
    check_after(slack, run, TimeDelta::minutes(20))
}

fn integration(slack: &slack::Slack) -> Slack {
    Slack::at(&slack.url()).expect("an integration")
}

/// As the engine sees it.
fn erased(slack: &SimulatedSlack) -> Arc<dyn DynIntegration> {
    let registry = Registry::default().with(integration(slack));
    registry.iter().next().cloned().expect("there is one")
}

fn secret(token: &str) -> Credential {
    Credential::Secret { secret: token.into() }
}

/// Whom the database would know after an onboarding.
fn people(slack: &SimulatedSlack) -> Vec<(&'static str, KnownAccount)> {
    slack.look(|workspace| {
        let known = workspace.expected_people().map(|user| KnownAccount {
            username: user.name.clone(),
            source_id: Some(user.id.to_string()),
            reach: None,
        });
        known.map(|account| ("slack", account)).collect()
    })
}

/// What is known of a message: what it answers, who wrote it, what.
type Known = (Option<String>, String, Option<String>);

/// What runs have found, each message in its last version.
fn found(runs: &[&Rehearsed]) -> BTreeMap<String, Known> {
    let activities = runs.iter().flat_map(|run| run.activities());
    let messages = activities.filter(|activity| activity.kind == "message");
    let known = messages.map(|message| {
        let author = message.member.identity.source_id.clone().expect("an id");
        let known = (message.source_parent_id.clone(), author, message.body.clone());
        (message.source_id.clone(), known)
    });
    known.collect()
}

fn truth(slack: &SimulatedSlack) -> BTreeMap<String, Known> {
    let expected = slack.look(Workspace::expected_messages).into_iter();
    let known = expected.map(|message| {
        let parent = message.parent.map(|id| id.to_string());
        (message.id.to_string(), (parent, message.user.to_string(), Some(message.text)))
    });
    known.collect()
}

/// Two people in `general`, and a question with an answer.
struct Talk {
    slack: SimulatedSlack,
    general: ChannelId,
    ada: UserId,
    ben: UserId,
    question: MessageId,
}

impl Talk {
    async fn begin() -> Self {
        let mut workspace = Workspace::empty();
        let [ada, ben] = ["ada", "ben"].map(|name| workspace.add_user(name, name));
        let general = workspace.add_channel("general");
        let question = workspace.post(&general, &ada, "Why?");
        workspace.reply(&question, &ben, "Because.");
        // Longer ago than what is read twice.
        workspace.turn_to(workspace.now() + TimeDelta::hours(1));
        Self { slack: serve(workspace).await, general, ada, ben, question }
    }

    fn post(&self, text: &str) -> MessageId {
        self.slack.edit(|workspace| workspace.post(&self.general, &self.ada, text))
    }

    fn reply(&self, text: &str) -> MessageId {
        self.slack.edit(|workspace| workspace.reply(&self.question, &self.ben, text))
    }
}

#[tokio::test]
async fn it_passes_the_examination() {
    let talk = Talk::begin().await;
    talk.slack.edit(|workspace| {
        workspace.join(&talk.general, &talk.ben);
        workspace.post(&talk.general, &talk.ada, &format!("Thank you <@{}>", talk.ben));
    });
    Examination::of(Slack::with, talk.slack.url())
        .settings(json!({"app": "marketplace", "private_channels": true}))
        .credential(secret(TOKEN))
        .sit()
        .await;
}
