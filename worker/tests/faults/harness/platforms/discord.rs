//! Discord: a guild with channels, a forum and threads.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use sandbox::discord::{Channel, Discord, Kind, TOKEN};
use serde_json::{Value, json};

use super::{Platform, Record, below_their_parents};

impl Platform for Discord {
    fn kind(&self) -> &'static str {
        "discord"
    }

    fn flag(&self) -> (&'static str, String) {
        ("--discord-url", self.url())
    }

    fn settings(&self) -> Value {
        self.look(|community| json!({ "guild_id": community.guild.to_string() }))
    }

    fn credential(&self) -> Option<Value> {
        Some(json!({ "type": "secret", "secret": TOKEN }))
    }

    fn set_latency(&self, latency: Duration) {
        Self::set_latency(self, latency);
    }

    fn write(&self) {
        self.edit(|community| {
            community.turn_to(Utc::now());
            let readable = |it: &&Channel| it.kind == Kind::Text && community.bot_may_read(it);
            let channel = community.channels().find(readable).expect("a channel").id;
            let person = community.members().map(|(user, _)| user).find(|user| !user.bot);
            let person = person.expect("people").id;
            let question = community.post(channel, person, "Who turns the wheel tonight?");
            let answer = community.reply(question, person, "I do.");
            community.edit(answer, "I do, and tomorrow, too.");
        });
    }

    fn refused(&self) -> u64 {
        self.refused_count()
    }

    fn truth(&self) -> BTreeSet<Record> {
        let (messages, joins) =
            self.look(|community| (community.expected_messages(), community.expected_joins()));
        let messages = messages.into_iter().map(|message| Record {
            kind: "message".to_owned(),
            source_id: message.id,
            source_parent_id: message.parent,
            parent: None,
            who: Some(message.author),
            body: Some(message.content).filter(|said| !said.is_empty()),
            timestamp: Some(message.at),
        });
        let joins = joins.into_iter().map(|(who, at)| Record {
            kind: "joined_guild".to_owned(),
            source_id: format!("gen-{who}-{}", at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            source_parent_id: None,
            parent: None,
            who: Some(who),
            body: None,
            timestamp: Some(at),
        });
        below_their_parents(messages.chain(joins))
    }
}
