//! Slack: a workspace with channels and threads.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sandbox::slack::{ExpectedMessage, Slack, TOKEN};
use serde_json::{Value, json};

use super::{Platform, Record, below_their_parents};

impl Platform for Slack {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn flag(&self) -> (&'static str, String) {
        ("--slack-url", self.url())
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn credential(&self) -> Option<Value> {
        Some(json!({ "type": "secret", "secret": TOKEN }))
    }

    fn set_latency(&self, latency: Duration) {
        Self::set_latency(self, latency);
    }

    fn write(&self) {
        self.edit(|workspace| {
            workspace.turn_to(Utc::now());
            let channel = workspace.channels().find(|it| it.has_app && !it.is_archived);
            let person = workspace.users().rev().find(|it| workspace.is_person(&it.id));
            let (channel, person) = channel.zip(person).expect("people talk in channels");
            let (channel, person) = (channel.id.clone(), person.id.clone());
            let question = workspace.post(&channel, &person, "Does it resume?");
            workspace.edit(&question, "Does it resume after a crash?");
        });
    }

    fn refused(&self) -> u64 {
        self.refused_count()
    }

    fn truth(&self) -> BTreeSet<Record> {
        let (messages, joins) =
            self.look(|workspace| (workspace.expected_messages(), workspace.expected_joins()));
        let joins = joins.into_iter().map(|(channel, who)| Record {
            kind: "channel_joined".to_owned(),
            source_id: format!("{channel}:{who}"),
            source_parent_id: None,
            parent: None,
            who: Some(who.to_string()),
            body: None,
            timestamp: None,
        });
        below_their_parents(messages.into_iter().map(message).chain(joins))
    }
}

fn message(message: ExpectedMessage) -> Record {
    Record {
        kind: "message".to_owned(),
        timestamp: DateTime::from_timestamp(message.id.ts.seconds, 0),
        source_id: message.id.to_string(),
        source_parent_id: message.parent.map(|parent| parent.to_string()),
        parent: None,
        who: Some(message.user.to_string()),
        body: Some(message.text),
    }
}
