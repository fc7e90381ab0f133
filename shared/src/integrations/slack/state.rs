//! What we remember between runs: of each channel, how far it was read, and which threads need
//! looking after.
//!
//! A channel counts as looked at when all its pages were read. A thread that could not be read does
//! not undo that; it is remembered by itself and read again by the next check.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::channel::{ChannelPage, Fading};
use super::looks::{Look, Looks, OVERLAP};
use super::settings::App;
use super::threads::ThreadPage;
use super::ts::Ts;
use super::{Channel, Stream};
use crate::sdk::{EndedStream, RunSummary};

/// Threads of one channel that are remembered for having failed; if there are more the channel is
/// read again instead.
const MOST_MISSED: usize = 200;
/// Old threads of one channel that are looked after: those that were last answered.
const MOST_LINGERING: usize = 100;

/// Stored, so fields are only ever added: one that an older version did not write is empty, one that
/// a newer version wrote is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Whether `users.list` was ever read to its end.
    pub(super) members_read: bool,
    /// By id. One that is not listed any more stays: it may come back.
    channels: BTreeMap<String, Memory>,
}

/// Of a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    looks: Looks,
    /// Whether it was archived already when it was looked at last.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
    /// Threads that could not be read, and since when.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    missed: BTreeMap<Ts, Option<Ts>>,
    /// Threads that began before the horizon and are still answered.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    lingering: BTreeMap<Ts, Lingering>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Lingering {
    looked_at: DateTime<Utc>,
    last_reply: Ts,
}

impl State {
    pub(super) fn looks(&self, channel: &str) -> Option<&Looks> {
        self.channels.get(channel).map(|memory| &memory.looks)
    }

    pub(super) fn was_read(&self, channel: &str) -> bool {
        self.looks(channel).is_some_and(|looks| !looks.are_none())
    }

    /// Since it is archived, and to the last of its threads.
    pub(super) fn was_read_archived(&self, channel: &str) -> bool {
        let memory = self.channels.get(channel);
        memory.is_some_and(|memory| memory.archived && memory.missed.is_empty())
    }

    /// Where a check begins in a channel.
    pub(super) fn streams(&self, channel: &Channel, app: App, now: DateTime<Utc>) -> Vec<Stream> {
        let Some(memory) = self.channels.get(&channel.id) else {
            return vec![whole(channel)];
        };
        let from = memory.looks.begin(app.reaches(), now);
        let page = ChannelPage { channel: channel.clone(), from, place: None };
        let threads = memory.threads(app, now).map(|(root, since)| {
            let channel = channel.clone();
            Stream::Thread(ThreadPage { channel, root, since, text: None, place: None })
        });
        [Stream::Channel(page)].into_iter().chain(threads).collect()
    }

    pub(super) fn after(
        &self,
        run: &RunSummary<Stream>,
        app: App,
        started_at: DateTime<Utc>,
    ) -> Self {
        let mut state = self.clone();
        let mut members =
            run.streams.iter().filter(|it| matches!(it.stream, Stream::Members { .. }));
        state.members_read |= members.clone().count() > 0 && members.all(|ended| !ended.failed);
        for (channel, ended) in by_channel(run) {
            let memory = state.channels.entry(channel.to_owned()).or_default();
            *memory = memory.after(&ended, app, started_at);
        }
        state
    }
}

/// From its beginning to its end.
pub(super) fn whole(channel: &Channel) -> Stream {
    Stream::Channel(ChannelPage { channel: channel.clone(), from: None, place: None })
}

fn by_channel(run: &RunSummary<Stream>) -> BTreeMap<&str, Vec<&EndedStream<Stream>>> {
    let mut channels: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ended in &run.streams {
        let (Stream::Channel(ChannelPage { channel, .. })
        | Stream::Thread(ThreadPage { channel, .. })) = &ended.stream
        else {
            continue;
        };
        channels.entry(channel.id.as_str()).or_default().push(ended);
    }
    channels
}

impl Memory {
    /// Those that the channel itself will not show.
    fn threads(&self, app: App, now: DateTime<Utc>) -> impl Iterator<Item = (Ts, Option<Ts>)> {
        let missed = self.missed.iter().map(|(&root, &since)| (root, since));
        let furthest = app.reaches().last();
        let due = furthest.is_some_and(|reach| self.looks.is_due(reach, now));
        let lingering = self.lingering.iter().filter(move |_| due);
        let since = |it: &Lingering| Some(Ts::at(it.looked_at - OVERLAP));
        missed.chain(lingering.map(move |(&root, it)| (root, since(it))))
    }

    fn after(&self, ended: &[&EndedStream<Stream>], app: App, started_at: DateTime<Utc>) -> Self {
        let mut after = Self { missed: self.missed_after(ended), ..self.clone() };
        if after.missed.len() > MOST_MISSED {
            return self.clone();
        }
        if let Some(from) = looked_from(ended) {
            after.looks = self.looks.and(Look { at: started_at, from }, app.reaches());
            after.archived = was_archived(ended);
            after.linger(ended, app, started_at);
        }
        after
    }

    fn missed_after(&self, ended: &[&EndedStream<Stream>]) -> BTreeMap<Ts, Option<Ts>> {
        let mut missed = self.missed.clone();
        let threads = || ended.iter().filter_map(|ended| Some((thread(ended)?, ended.failed)));
        for (thread, _) in threads().filter(|(_, failed)| !failed) {
            missed.remove(&thread.root);
        }
        // Afterwards: of a thread's pages one may have been read and another not; and what is
        // missing since long ago may have failed beside what is new. None, the whole, is the least.
        for (thread, _) in threads().filter(|(_, failed)| *failed) {
            let since = missed.entry(thread.root).or_insert(thread.since);
            *since = thread.since.min(*since);
        }
        missed
    }

    fn linger(&mut self, ended: &[&EndedStream<Stream>], app: App, started_at: DateTime<Utc>) {
        let horizon = Ts::at(started_at - app.horizon());
        for (root, reply) in ended.iter().flat_map(|ended| replies_seen(ended)) {
            let before = self.lingering.get(&root).map(|it| it.last_reply);
            let last_reply = reply.into_iter().chain(before).max().unwrap_or(root);
            self.lingering.insert(root, Lingering { looked_at: started_at, last_reply });
        }
        self.lingering.retain(|&root, it| root < horizon && it.last_reply >= horizon);
        while self.lingering.len() > MOST_LINGERING {
            let quietest = self.lingering.iter().min_by_key(|(_, it)| it.last_reply);
            let Some((&root, _)) = quietest else { break };
            self.lingering.remove(&root);
        }
    }
}

fn thread(ended: &EndedStream<Stream>) -> Option<&ThreadPage> {
    match &ended.stream {
        Stream::Thread(page) => Some(page),
        _ => None,
    }
}

/// From where the channel was read; `None`: not all of it was.
fn looked_from(ended: &[&EndedStream<Stream>]) -> Option<DateTime<Utc>> {
    let pages = ended.iter().filter_map(|ended| match &ended.stream {
        Stream::Channel(page) => Some((page, ended.failed)),
        _ => None,
    });
    let from = |(page, failed): (&ChannelPage, bool)| {
        (!failed).then(|| page.from.unwrap_or(DateTime::UNIX_EPOCH))
    };
    let pages: Option<Vec<_>> = pages.map(from).collect();
    pages?.into_iter().min()
}

fn was_archived(ended: &[&EndedStream<Stream>]) -> bool {
    ended.iter().any(|ended| match &ended.stream {
        Stream::Channel(page) => page.channel.archived,
        _ => false,
    })
}

/// Threads that a page has told of, and a reply that it has seen of each.
fn replies_seen(ended: &EndedStream<Stream>) -> Vec<(Ts, Option<Ts>)> {
    let mark = ended.mark.as_deref().filter(|_| !ended.failed);
    match &ended.stream {
        Stream::Channel(_) => {
            let fading = mark.and_then(|mark| serde_json::from_str::<Fading>(mark).ok());
            let fading = fading.unwrap_or_default().0.into_iter();
            fading.map(|(root, reply)| (root, Some(reply))).collect()
        }
        Stream::Thread(page) if !ended.failed => {
            vec![(page.root, mark.and_then(|mark| mark.parse().ok()))]
        }
        _ => Vec::new(),
    }
}
