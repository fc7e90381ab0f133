//! What we remember between runs.
//!
//! Of each channel the last message that was read, by which a check tells whether there is a newer
//! one. Threads are without number, so of them only an instant is remembered: until when all have
//! been read; and besides it how far those were read in which something was written since. Streams
//! that failed are remembered as they were, and are the next check's first; but for a look at archived
//! threads, which is made again from where the last whole one began.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::members::{Members, Rounds};
use super::messages::Messages;
use super::payloads::ListedChannel;
use super::places::Part;
use super::{Discord, OVERLAP, Snowflake, Stream};
use crate::sdk::{Connection, EndedStream, RunMode, RunSummary};

/// Between two looks at the archived threads, which cost a request or two per channel.
///
/// A thread in which somebody writes is active for an hour at least, and checks see it there. Only
/// one that is archived by hand at once is found so late.
const ARCHIVES_EVERY: TimeDelta = TimeDelta::hours(3);

/// Stored, so fields are only ever added: one that an older version did not write is empty, one that
/// a newer version wrote is ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    channels: BTreeMap<Snowflake, Known>,
    /// Channels that the last run did not look into: private ones, mostly.
    closed: BTreeSet<Snowflake>,
    members: Rounds,
    /// Streams that failed.
    holes: Vec<Stream>,
}

/// How far a channel has been read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The last message, but for those in threads; `None`: there was none.
    messages: Option<Snowflake>,
    /// When its archived threads were last looked at.
    threads: DateTime<Utc>,
    /// And when the time before. Until then all threads have been read: one that was opened again
    /// during the last look may have been in neither list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<DateTime<Utc>>,
    /// The last message read of each thread that was written in since.
    #[serde(default)]
    recent: BTreeMap<Snowflake, Snowflake>,
    /// There was no look but the first, which read all. It may have taken days, so another is due.
    #[serde(default)]
    fresh: bool,
}

impl State {
    pub(super) fn channel(&self, id: Snowflake) -> Option<&Known> {
        self.channels.get(&id)
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = Snowflake> {
        self.channels.keys().copied()
    }

    pub(super) fn holes(&self) -> impl Iterator<Item = &Stream> {
        self.holes.iter()
    }

    pub(super) fn first_members(&self, connection: &Connection<Discord>) -> Members {
        self.members.first_page(connection)
    }

    /// Cursors move on over what failed, too, since that is remembered by itself.
    pub(super) fn after(&self, run: &RunSummary<Stream>, connection: &Connection<Discord>) -> Self {
        let mut state = self.clone();
        if let Some(closed) = closed(run) {
            state.move_on(closed, &overlooked(run), connection);
        }
        for ended in &run.streams {
            state.note(ended, connection.started_at);
        }
        for known in state.channels.values_mut() {
            known.forget_old_threads();
        }
        state
    }

    /// The guild was looked over: what failed before has been taken up again, but in closed channels.
    fn move_on(
        &mut self,
        closed: BTreeSet<Snowflake>,
        overlooked: &BTreeSet<Snowflake>,
        connection: &Connection<Discord>,
    ) {
        let is_closed = |id: &Snowflake| closed.contains(id);
        self.holes.retain(|hole| hole.channel().is_none_or(|id| is_closed(&id)));
        match connection.mode {
            RunMode::Onboarding => self.channels.retain(|id, _| is_closed(id)),
            RunMode::Check => {
                let is_seen = |id: &Snowflake| !is_closed(id) && !overlooked.contains(id);
                for (_, known) in self.channels.iter_mut().filter(|(id, _)| is_seen(id)) {
                    known.looked_over(connection.started_at);
                }
            }
        }
        self.closed = closed;
    }

    fn note(&mut self, ended: &EndedStream<Stream>, started_at: DateTime<Utc>) {
        let Some(channel) = ended.stream.channel() else {
            if let Stream::Members(page) = &ended.stream {
                self.members.note(page, ended);
            }
            return;
        };
        let known = self.channels.entry(channel).or_insert_with(|| Known::new(started_at));
        if let Stream::Messages(page) = &ended.stream {
            known.note(page);
        }
        if ended.failed {
            self.remember(ended.stream.clone());
        }
    }

    fn remember(&mut self, hole: Stream) {
        let is_known = match &hole {
            // The next look begins at the same instant, since that has not moved on.
            Stream::Threads(page) => page.since.is_some(),
            Stream::Messages(page) => self.missed().any(|missed| missed.take_in(page)),
            Stream::Guild | Stream::Members(_) | Stream::Unreadable(_) => true,
        };
        if !is_known {
            self.holes.push(hole);
        }
    }

    fn missed(&mut self) -> impl Iterator<Item = &mut Messages> {
        self.holes.iter_mut().filter_map(|hole| match hole {
            Stream::Messages(page) => Some(page),
            _ => None,
        })
    }
}

/// Channels of whose archived threads we have not seen all.
fn overlooked(run: &RunSummary<Stream>) -> BTreeSet<Snowflake> {
    let failed = run.failed().filter(|stream| matches!(stream, Stream::Threads(_)));
    failed.filter_map(Stream::channel).collect()
}

/// `None`: the guild was not looked over.
fn closed(run: &RunSummary<Stream>) -> Option<BTreeSet<Snowflake>> {
    let is_survey = |ended: &&EndedStream<Stream>| ended.stream == Stream::Guild && !ended.failed;
    let mark = run.streams.iter().find(is_survey)?.mark.as_deref()?;
    serde_json::from_str(mark).ok()
}

impl Known {
    fn new(started_at: DateTime<Utc>) -> Self {
        let (messages, recent) = (None, BTreeMap::new());
        Self { messages, threads: started_at, before: None, recent, fresh: true }
    }

    /// Of the channel itself, whose last message is this one.
    pub(super) fn unread(&self, newest: Snowflake) -> Option<Part> {
        match self.messages {
            None => Some(Part::Newest),
            Some(read) if newest > read => Some(Part::After(read.earlier_by(OVERLAP))),
            Some(_) => None,
        }
    }

    pub(super) fn unread_of_thread(&self, thread: &ListedChannel) -> Option<Part> {
        let newest = thread.newest();
        let all_read = Snowflake::at(self.since());
        match self.recent.get(&thread.id) {
            Some(&read) if newest > read => Some(Part::After(read.earlier_by(OVERLAP))),
            Some(_) => None,
            None if self.may_have_slipped(thread) => Some(Part::Newest),
            None if newest > all_read => Some(Part::After(all_read)),
            None => None,
        }
    }

    fn may_have_slipped(&self, thread: &ListedChannel) -> bool {
        let turned_at = thread.thread_metadata.as_ref().map(|it| it.archive_timestamp);
        self.fresh && turned_at.is_some_and(|at| at > self.since())
    }

    /// From when on its threads may have been written in unseen.
    pub(super) fn since(&self) -> DateTime<Utc> {
        self.before.unwrap_or(self.threads) - OVERLAP
    }

    pub(super) fn threads_are_due(&self, now: DateTime<Utc>) -> bool {
        self.fresh || now - self.threads >= ARCHIVES_EVERY
    }

    fn looked_over(&mut self, now: DateTime<Utc>) {
        if self.threads_are_due(now) {
            self.before = Some(self.threads);
            self.threads = now;
            self.fresh = false;
        }
    }

    fn note(&mut self, page: &Messages) {
        let read = match &page.place.thread {
            Some(thread) => self.recent.entry(thread.id).or_insert(page.newest),
            None => self.messages.get_or_insert(page.newest),
        };
        *read = page.newest.max(*read);
    }

    /// The instant speaks for them.
    fn forget_old_threads(&mut self) {
        let all_read = Snowflake::at(self.since());
        self.recent.retain(|_, read| *read > all_read);
    }
}
