//! What there is in the guild, and what of it is to be read: where every run begins.
//!
//! Four answers tell it all, whatever the guild's size: what the bot may do, which channels there are
//! and which message is the last of each, and the same of the threads that are active. A channel
//! that the bot may not read is left out, and remembered as such: once somebody lets the bot in, it
//! is read from where we stopped, or wholly.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};

use super::api::is_forbidden;
use super::messages::Messages;
use super::payloads::{Guild, ListedChannel};
use super::permissions::{
    CONNECT, MANAGE_THREADS, Permissions, READ_MESSAGE_HISTORY, VIEW_CHANNEL,
};
use super::places::{Archive, Channel, Part, Place, Thread};
use super::state::Known;
use super::threads::Threads;
use super::{Discord, Snowflake, Stream, chosen};
use crate::sdk::{Access, Connection, Result, Run, RunMode, StreamOutput, SyncError};

/// As Discord numbers the types of channels.
const TEXT: u8 = 0;
const VOICE: u8 = 2;
pub(super) const CATEGORY: u8 = 4;
const ANNOUNCEMENT: u8 = 5;
const STAGE: u8 = 13;
const FORUM: u8 = 15;
const MEDIA: u8 = 16;

/// A channel, and what the bot may do there.
pub(super) struct Surveyed {
    pub(super) listed: ListedChannel,
    pub(super) may: Permissions,
}

impl Discord {
    /// The mark names the channels that we did not look into.
    pub(super) async fn survey(&self, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let connection = &run.connection;
        let guild = connection.settings.guild();
        let channels = self.channels(guild, &connection.access).await?;
        let unreadable: Vec<_> = chosen::unreadable(&connection.units, &channels).collect();
        let (open, closed): (Vec<_>, Vec<_>) = channels
            .into_iter()
            .filter(|channel| channel.has_messages() && is_chosen(channel.listed.id, connection))
            .partition(Surveyed::is_open);
        let threads = self.api.active_threads(guild, &connection.access).await?;
        let open: BTreeMap<_, _> = open.into_iter().map(|it| (it.listed.id, it)).collect();
        let closed = closed_to_us(&open, &closed, connection);
        let of_channels = open.values().flat_map(|channel| channel.streams(run));
        let of_threads = threads.iter().filter_map(|thread| {
            let channel = open.get(&thread.parent_id?)?.as_channel();
            unread(thread, &channel, run).map(Stream::Messages)
        });
        let holes = connection.state.holes().filter(|_| connection.mode == RunMode::Check);
        let holes = holes.filter(|hole| hole.channel().is_some_and(|it| open.contains_key(&it)));
        Ok(StreamOutput {
            new_streams: of_channels
                .chain(of_threads)
                .chain(holes.cloned())
                .chain(unreadable.into_iter().map(Stream::Unreadable))
                .collect(),
            mark: Some(serde_json::to_string(&closed).context("noting what is closed")?),
            ..StreamOutput::empty()
        })
    }

    /// The bot's. Discord is asked only where it was not learnt with the credential.
    async fn own_id(&self, access: &Access) -> Result<Snowflake> {
        let known = access.owner().await?.and_then(|owner| owner.id.parse().ok());
        match known {
            Some(id) => Ok(id),
            None => Ok(self.api.me(access).await?.id),
        }
    }

    pub(super) async fn guild(&self, id: Snowflake, access: &Access) -> Result<Guild> {
        let not_in = format!("there is no guild {id}, or the bot was not invited to it");
        match self.api.guild(id, access).await {
            Err(error) if is_forbidden(&error) => Err(error.meaning(not_in)),
            guild => guild?.ok_or_else(|| SyncError::Permanent(anyhow!(not_in))),
        }
    }

    /// All channels of the guild, categories too.
    pub(super) async fn channels(&self, id: Snowflake, access: &Access) -> Result<Vec<Surveyed>> {
        let me = self.own_id(access).await?;
        let guild = self.guild(id, access).await?;
        let member = self.api.member(id, me, access).await?;
        let in_guild = Permissions::in_guild(id, &guild, &member);
        let channels = self.api.channels(id, access).await?;
        let surveyed = channels.into_iter().map(|listed| {
            let may = in_guild.in_channel(id, &listed, &member);
            Surveyed { listed, may }
        });
        Ok(surveyed.collect())
    }
}

/// What is to be read of a thread of this channel.
pub(super) fn unread(
    thread: &ListedChannel,
    channel: &Channel,
    run: &Run<Discord>,
) -> Option<Messages> {
    let part = match known(channel.id, run) {
        Some(known) => known.unread_of_thread(thread)?,
        None => Part::Newest,
    };
    Some(Messages { part, ..whole(thread, channel) })
}

pub(super) fn whole(thread: &ListedChannel, channel: &Channel) -> Messages {
    let newest = thread.newest();
    let thread = Some(Thread { id: thread.id, name: thread.name.clone() });
    Messages::first(Place { channel: channel.clone(), thread }, Part::Newest, newest)
}

impl Surveyed {
    pub(super) fn is_open(&self) -> bool {
        let is_voice = matches!(self.listed.kind, VOICE | STAGE);
        self.may.include(VIEW_CHANNEL)
            && self.may.include(READ_MESSAGE_HISTORY)
            && (!is_voice || self.may.include(CONNECT))
    }

    /// In itself or in its threads.
    pub(super) fn has_messages(&self) -> bool {
        matches!(self.listed.kind, TEXT | VOICE | ANNOUNCEMENT | STAGE) || self.is_forum()
    }

    fn is_forum(&self) -> bool {
        matches!(self.listed.kind, FORUM | MEDIA)
    }

    fn as_channel(&self) -> Channel {
        let ListedChannel { id, name, .. } = &self.listed;
        Channel { id: *id, name: name.clone(), forum: self.is_forum() }
    }

    fn streams(&self, run: &Run<Discord>) -> Vec<Stream> {
        let known = known(self.listed.id, run);
        let messages = self.messages(known).map(Stream::Messages);
        let since = match known {
            Some(known) if known.threads_are_due(run.connection.started_at) => Some(known.since()),
            Some(_) => return messages.into_iter().collect(),
            None => None,
        };
        let threads = self
            .archives()
            .iter()
            .map(|&archive| Stream::Threads(Threads::first(self.as_channel(), archive, since)));
        messages.into_iter().chain(threads).collect()
    }

    /// Of the channel itself.
    fn messages(&self, known: Option<&Known>) -> Option<Messages> {
        let newest = self.listed.last_message_id.filter(|_| !self.is_forum())?;
        let part = match known {
            Some(known) => known.unread(newest)?,
            None => Part::Newest,
        };
        Some(Messages::first(Place { channel: self.as_channel(), thread: None }, part, newest))
    }

    /// Only text channels have private threads.
    fn archives(&self) -> &'static [Archive] {
        match self.listed.kind {
            TEXT if self.may.include(MANAGE_THREADS) => &[Archive::Public, Archive::Private],
            TEXT => &[Archive::Public, Archive::JoinedPrivate],
            ANNOUNCEMENT | FORUM | MEDIA => &[Archive::Public],
            _ => &[],
        }
    }
}

/// What an earlier run read of the channel; an onboarding reads everything.
fn known(channel: Snowflake, run: &Run<Discord>) -> Option<&Known> {
    match run.connection.mode {
        RunMode::Onboarding => None,
        RunMode::Check => run.connection.state.channel(channel),
    }
}

/// Channels are chosen by their ids; none: all.
fn is_chosen(channel: Snowflake, connection: &Connection<Discord>) -> bool {
    connection.units.is_empty() || connection.units.contains(&channel.to_string())
}

/// Those that we may not read, and of those we once read what is chosen or listed no more: they stay
/// as far read as they are.
fn closed_to_us(
    open: &BTreeMap<Snowflake, Surveyed>,
    closed: &[Surveyed],
    connection: &Connection<Discord>,
) -> BTreeSet<Snowflake> {
    let known = connection.state.channels().filter(|id| !open.contains_key(id));
    closed.iter().map(|channel| channel.listed.id).chain(known).collect()
}
