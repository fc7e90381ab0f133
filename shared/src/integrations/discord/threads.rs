//! A page of a channel's archived threads, and what of them is to be read.

use anyhow::anyhow;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::payloads::{ListedChannel, ThreadList};
use super::places::{Archive, Channel};
use super::{Discord, OVERLAP, Stream, ensure_an_end, survey};
use crate::sdk::{Result, Run, StreamOutput};

/// A page of a channel's archived threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threads {
    pub(super) channel: Channel,
    pub(super) archive: Archive,
    /// What the page before ended with, in Discord's form: an instant or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    /// Those that were archived since; `None`: all.
    pub(super) since: Option<DateTime<Utc>>,
    /// Counted from one.
    pub(super) page: u32,
}

impl Threads {
    pub(super) fn first(channel: Channel, archive: Archive, since: Option<DateTime<Utc>>) -> Self {
        Self { channel, archive, before: None, since, page: 1 }
    }

    fn next(&self, list: &ThreadList) -> Result<Option<Stream>> {
        let Some(last) = list.threads.last().filter(|last| list.has_more && !self.is_past(last))
        else {
            return Ok(None);
        };
        let before = self.cursor(last);
        if before == self.before {
            // Perhaps a cache's mistake; the retries find out.
            return Err(anyhow!(
                "page {} of the archived threads of {} repeats another",
                self.page,
                self.channel.id,
            )
            .into());
        }
        Ok(Some(Stream::Threads(Self { before, page: self.page + 1, ..self.clone() })))
    }

    /// Threads that were archived in one instant may be on two pages; hence the one after it.
    fn cursor(&self, last: &ListedChannel) -> Option<String> {
        match self.archive {
            Archive::JoinedPrivate => Some(last.id.to_string()),
            Archive::Public | Archive::Private => {
                let after = last.thread_metadata.as_ref()?.archive_timestamp;
                let after = after + TimeDelta::microseconds(1);
                Some(after.to_rfc3339_opts(SecondsFormat::Micros, true))
            }
        }
    }

    /// Joined ones are in the order of their beginning, which says nothing of their end.
    fn is_past(&self, last: &ListedChannel) -> bool {
        let archived_at = last.thread_metadata.as_ref().map(|it| it.archive_timestamp);
        let is_past = |since: DateTime<Utc>| archived_at.is_some_and(|at| at < since - OVERLAP);
        self.archive != Archive::JoinedPrivate && self.since.is_some_and(is_past)
    }
}

impl Discord {
    pub(super) async fn threads(
        &self,
        page: &Threads,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let Threads { channel, archive, before, .. } = page;
        ensure_an_end(format_args!("the archived threads of {}", channel.id), page.page)?;
        let access = &run.connection.access;
        let list =
            self.api.archived_threads(channel.id, *archive, before.as_deref(), access).await?;
        // The channel is gone since it was listed.
        let Some(list) = list else { return Ok(StreamOutput::empty()) };
        let next_page = page.next(&list)?;
        let to_read = list.threads.iter().filter_map(|thread| match page.since {
            Some(_) => survey::unread(thread, channel, run),
            None => Some(survey::whole(thread, channel)),
        });
        Ok(StreamOutput {
            new_streams: to_read.map(Stream::Messages).collect(),
            next_page,
            ..StreamOutput::empty()
        })
    }
}
