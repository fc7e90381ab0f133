//! A page of messages, and which one follows it.

use anyhow::anyhow;

use super::api::MESSAGES_PER_PAGE;
use super::payloads::Message;
use super::places::{Part, Place};
use super::{Discord, Snowflake, Stream, activities, ensure_an_end, records};
use crate::sdk::{LastRecord, Result, Run, StreamOutput};

/// A page of a channel or a thread.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Messages {
    pub(super) place: Place,
    pub(super) part: Part,
    /// The last message when we began: what a check must reach, and how far the place will have been
    /// read once this is done.
    pub(super) newest: Snowflake,
    /// Counted from one.
    pub(super) page: u32,
}

impl Messages {
    pub(super) fn first(place: Place, part: Part, newest: Snowflake) -> Self {
        Self { place, part, newest, page: 1 }
    }

    /// Whether these messages are among those of this page and the ones behind it, which for that may
    /// become more: whoever goes on from where it was comes upon them as well.
    pub(super) fn take_in(&mut self, later: &Self) -> bool {
        if self.place.id() != later.place.id() {
            return false;
        }
        let part = match (self.part, later.part) {
            (Part::Before(_), _) | (_, Part::Before(_)) => return false,
            (Part::Newest, _) | (_, Part::Newest) => Part::Newest,
            (Part::After(one), Part::After(another)) => Part::After(one.min(another)),
        };
        *self = Self::first(later.place.clone(), part, self.newest.max(later.newest));
        true
    }

    /// A page with fewer messages than asked for is the last, and forwards the one that reaches the
    /// newest.
    fn next(&self, messages: &[Message]) -> Result<Option<Stream>> {
        let ids = || messages.iter().map(|message| message.id);
        let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(None) };
        self.check_progress(first, last)?;
        let part = match self.part {
            Part::Newest | Part::Before(_) => Part::Before(first),
            Part::After(_) if last >= self.newest => return Ok(None),
            Part::After(_) => Part::After(last),
        };
        if messages.len() < MESSAGES_PER_PAGE {
            return Ok(None);
        }
        let page = self.page + 1;
        Ok(Some(Stream::Messages(Self { part, page, ..self.clone() })))
    }

    /// A platform that serves one page for ever would otherwise keep a run busy for ever.
    fn check_progress(&self, first: Snowflake, last: Snowflake) -> Result<()> {
        let progress = match self.part {
            Part::Newest => true,
            Part::Before(id) => last < id,
            Part::After(id) => first > id,
        };
        if progress {
            return Ok(());
        }
        // Perhaps a cache's mistake; the retries find out.
        Err(anyhow!("page {} of the messages of {} repeats another", self.page, self.place.id())
            .into())
    }
}

impl Discord {
    pub(super) async fn messages(
        &self,
        page: &Messages,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        ensure_an_end(format_args!("the messages of {}", page.place.id()), page.page)?;
        let connection = &run.connection;
        let answer = self.api.messages(page.place.id(), page.part, &connection.access).await?;
        // What is gone since it was listed has no messages.
        let mut messages = answer.unwrap_or_default();
        let next_page = page.next(&messages)?;
        messages.sort_by_key(|message| message.id);
        let last_record =
            messages.last().map(|last| LastRecord { id: last.id.to_string(), at: last.timestamp });
        let guild = connection.settings.guild();
        let written =
            messages.into_iter().filter_map(|it| records::message(guild, &page.place, it));
        Ok(StreamOutput {
            operations: activities(written.collect()),
            last_record,
            next_page,
            ..StreamOutput::empty()
        })
    }
}
