//! Discord: what people write in the channels, threads and forums of a guild, and who joins it.
//!
//! ```text
//! the guild: channels, active threads, and what the bot may do
//!   ├─ messages of each channel, page by page
//!   ├─ messages of each active thread
//!   └─ archived threads of each channel, page by page
//!        └─ messages of each
//! members, page by page
//! ```
//!
//! An onboarding reads backwards from the newest message. A check reads forwards from where the
//! last run stopped, and only where the guild's own lists name a newer message: with nothing new it
//! costs four requests and one to four for members, and every three hours one or two more for each
//! channel, for threads that were archived unseen (`state.rs`).
//!
//! A channel that the bot may not read is known by its permissions. It is not asked, no error unless
//! somebody chose it, and looked at again by every check. A refusal in spite of the permissions is an
//! error of that channel alone.
//!
//! What is not seen: edits of messages older than `OVERLAP`, deletions, and new names of people
//! who write nothing. An onboarding sees the first and the last.

mod api;
mod chosen;
mod members;
mod messages;
mod payloads;
mod permissions;
mod places;
mod records;
mod settings;
mod snowflake;
mod state;
mod survey;
#[cfg(test)]
mod tests;
mod threads;

use std::fmt::Display;

use anyhow::anyhow;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use self::api::Api;
pub use self::chosen::{Obstacle, Unreadable};
pub use self::members::Members;
pub use self::messages::Messages;
pub use self::places::{Archive, Channel, Part, Place, Thread};
pub use self::settings::Settings;
pub use self::snowflake::Snowflake;
pub use self::state::State;
use self::survey::{CATEGORY, Surveyed};
pub use self::threads::Threads;
use crate::sdk::http::Options;
use crate::sdk::{
    Access, Activity, AttributeType, CheckSchedule, Connection, CredentialType, ExternalSyncUnit,
    Integration, MemberAttribute, Operation, Owner, Result, Run, RunSummary, StreamOutput,
    SyncError,
};

/// How far before the last thing we read a check begins. Ids are given by many machines, so one may
/// appear shortly after a higher one; and it catches what was corrected right after it was written.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// Pages of one list that are followed at the most: ten million messages. A list that goes on after
/// that is taken for one without end.
const MOST_PAGES: u32 = 100_000;

/// An application's intents, each granted in full or, to one that is in few guilds, limited.
const MEMBERS_INTENT: u64 = 1 << 14 | 1 << 15;
const CONTENT_INTENT: u64 = 1 << 18 | 1 << 19;

pub struct Discord {
    api: Api,
}

/// What is fetched at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    /// What there is to read.
    Guild,
    Members(Members),
    Messages(Messages),
    Threads(Threads),
    /// A chosen channel, of which there is nothing to read.
    Unreadable(Unreadable),
}

impl Integration for Discord {
    const KIND: &'static str = "discord";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(20);
    const CREDENTIALS: &'static [CredentialType] =
        &[CredentialType::Secret, CredentialType::Fields];

    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        let members = run.connection.state.first_members(&run.connection);
        Ok(vec![Stream::Guild, Stream::Members(members)])
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        match stream {
            Stream::Guild => self.survey(run).await,
            Stream::Members(page) => self.members(page, run).await,
            Stream::Messages(page) => self.messages(page, run).await,
            Stream::Threads(page) => self.threads(page, run).await,
            Stream::Unreadable(channel) => Err(channel.into()),
        }
    }

    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        Ok(Some(run.connection.state.after(summary, &run.connection)))
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        use AttributeType::{String, Url};
        let hidden = |name, kind, label| MemberAttribute { name, kind, label, hidden: true };
        vec![hidden("sourceId", String, "Source ID"), hidden("avatarUrl", Url, "Avatar URL")]
    }

    /// A bot without the intents is let in, and shown nothing: no members, and messages without a
    /// word in them.
    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        let Connection { settings, access, units, .. } = connection;
        if units.is_empty() {
            self.guild(settings.guild(), access).await?;
        } else {
            let channels = self.channels(settings.guild(), access).await?;
            let unreadable = chosen::unreadable(units, &channels).next();
            unreadable.map_or(Ok(()), |channel| Err(SyncError::from(&channel)))?;
        }
        let granted = self.api.application(access).await?.flags;
        let needed =
            [(MEMBERS_INTENT, "Server Members Intent"), (CONTENT_INTENT, "Message Content Intent")];
        let missing: Vec<_> =
            needed.iter().filter(|(bits, _)| granted & bits == 0).map(|(_, name)| *name).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.join(" and the ");
        let sentence = anyhow!("switch on the bot's {missing} in Discord's developer portal");
        Err(SyncError::Permanent(sentence))
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        let me = self.api.me(access).await?;
        Ok(Owner { id: me.id.to_string(), name: me.username })
    }

    /// The channels that the bot may read, each described by its category.
    async fn discover(&self, connection: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        let Connection { settings, access, .. } = connection;
        let channels = self.channels(settings.guild(), access).await?;
        let readable = channels.iter().filter(|it| it.has_messages() && it.is_open());
        Ok(readable.map(|channel| unit(channel, &channels)).collect())
    }
}

impl Discord {
    /// Discord's API at this address, such as `https://discord.com/api/v10`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::with(url, Options::default())
    }

    pub fn with(url: &str, options: Options) -> anyhow::Result<Self> {
        Ok(Self { api: Api::at(url, options)? })
    }
}

impl Stream {
    /// The channel it belongs to.
    fn channel(&self) -> Option<Snowflake> {
        match self {
            Self::Guild | Self::Members(_) | Self::Unreadable(_) => None,
            Self::Messages(page) => Some(page.place.channel.id),
            Self::Threads(page) => Some(page.channel.id),
        }
    }
}

fn unit(channel: &Surveyed, channels: &[Surveyed]) -> ExternalSyncUnit {
    let is_category = |it: &&Surveyed| {
        it.listed.kind == CATEGORY && Some(it.listed.id) == channel.listed.parent_id
    };
    ExternalSyncUnit {
        id: channel.listed.id.to_string(),
        name: channel.listed.name.clone(),
        description: channels.iter().find(is_category).map(|it| it.listed.name.clone()),
        item_count: None,
    }
}

/// Nothing is asked for after the last page that can be meant.
fn ensure_an_end(list: impl Display, page: u32) -> Result<()> {
    if page <= MOST_PAGES {
        return Ok(());
    }
    Err(SyncError::Permanent(anyhow!("{list} go on after page {MOST_PAGES}")))
}

/// None is no operation.
fn activities(activities: Vec<Activity>) -> Vec<Operation> {
    if activities.is_empty() { Vec::new() } else { vec![Operation::UpsertActivities(activities)] }
}
