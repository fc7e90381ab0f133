//! Discord: a guild with channels, a forum and threads.

use async_trait::async_trait;
use sandbox::discord::{Community, Discord, Kind, TOKEN};
use serde_json::{Value, json};
use shared::clock::Clock;

use super::cast::{Act, Written};

const SEED: u64 = 20_260_513;
const PEOPLE: usize = 150;
const MESSAGES: usize = 1_500;

pub(super) struct DiscordAct(Discord);

impl DiscordAct {
    pub(super) async fn begin() -> anyhow::Result<Self> {
        Ok(Self(Discord::serve(Community::realistic(SEED, PEOPLE, MESSAGES)).await?))
    }
}

#[async_trait]
impl Act for DiscordAct {
    fn kind(&self) -> &'static str {
        "discord"
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn settings(&self) -> Value {
        self.0.look(|community| json!({ "guild_id": community.guild.to_string() }))
    }

    fn credential(&self) -> Option<Value> {
        Some(json!({ "type": "secret", "secret": TOKEN }))
    }

    /// A message and an answer to it, in the first channel that we may read.
    async fn write_upstream(&self, _: usize) -> Written {
        self.0.edit(|community| {
            community.turn_to(Clock::System.now());
            let readable = |it: &&sandbox::discord::Channel| {
                it.kind == Kind::Text && community.bot_may_read(it)
            };
            let channel = community.channels().find(readable).expect("a channel");
            let (channel, name) = (channel.id, channel.name.clone());
            let people = community.members().filter(|(user, _)| !user.bot);
            let people: Vec<_> = people.map(|(user, _)| user.id).take(2).collect();
            let question = community.post(channel, people[0], "Who turns the wheel tonight?");
            community.reply(question, people[1], "I do.");
            Written { said: format!("two people talked in #{name}"), new: 2 }
        })
    }

    fn requests(&self) -> u64 {
        self.0.request_count()
    }
}
