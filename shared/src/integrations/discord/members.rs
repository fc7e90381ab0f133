//! The guild's members, and when they joined.
//!
//! Discord lists them by their ids, a thousand at a time, and tells nobody who came last. So an
//! onboarding reads the whole list, and checks go round it: each reads a few pages from where the
//! one before it stopped, and of those only people who joined since the round before began. A guild
//! of up to four thousand is read round by every check; of one with a hundred thousand, a check costs
//! as little, and a newcomer is noticed within nine hours.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::api::{MEMBERS_PER_PAGE, is_forbidden};
use super::payloads::GuildMember;
use super::{Discord, OVERLAP, Snowflake, Stream, activities, ensure_an_end, records};
use crate::sdk::{Connection, EndedStream, Result, Run, RunMode, StreamOutput, SyncError};

/// In a check.
const PAGES_OF_A_CHECK: u32 = 4;

/// A page of the guild's members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Members {
    /// Those of higher ids than this one.
    pub(super) after: Option<Snowflake>,
    /// Those who joined since; `None`: everybody.
    pub(super) since: Option<DateTime<Utc>>,
    /// When this round of the list began.
    pub(super) began: DateTime<Utc>,
    /// Of this run, counted from one.
    pub(super) page: u32,
}

/// Where the rounds stand. Stored as part of the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Rounds {
    /// The last member we read; `None`: the next run begins a round.
    after: Option<Snowflake>,
    /// When the round under way began.
    began: Option<DateTime<Utc>>,
    /// When the round before it began.
    since: Option<DateTime<Utc>>,
}

impl Rounds {
    /// Where this run begins.
    pub(super) fn first_page(&self, connection: &Connection<Discord>) -> Members {
        let now = connection.started_at;
        match connection.mode {
            RunMode::Onboarding => Members { after: None, since: None, began: now, page: 1 },
            RunMode::Check => Members {
                after: self.after,
                since: self.since,
                began: self.began.filter(|_| self.after.is_some()).unwrap_or(now),
                page: 1,
            },
        }
    }

    /// After the page: a failed one is the next to be read, and one without a mark ended the round.
    pub(super) fn note(&mut self, page: &Members, ended: &EndedStream<Stream>) {
        let read_until = ended.mark.as_deref().and_then(|mark| mark.parse().ok());
        let (after, since) = match (ended.failed, read_until) {
            (true, _) => (page.after, page.since),
            (false, Some(last)) => (Some(last), page.since),
            (false, None) => (None, Some(page.began)),
        };
        *self = Self { after, since, began: after.map(|_| page.began) };
    }
}

impl Discord {
    /// The mark is the last member's id, where the list goes on.
    pub(super) async fn members(
        &self,
        page: &Members,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        ensure_an_end("the members", page.page)?;
        let Connection { settings, access, mode, .. } = &run.connection;
        let members = self.api.members(settings.guild(), page.after, access).await;
        let members = members.map_err(named)?;
        let last = last_of(page, &members)?;
        let is_last_of_run = *mode == RunMode::Check && page.page == PAGES_OF_A_CHECK;
        let next_page = last.filter(|_| !is_last_of_run).map(|last| {
            Stream::Members(Members { after: Some(last), page: page.page + 1, ..page.clone() })
        });
        let new = members.into_iter().filter(|member| page.is_new(member));
        Ok(StreamOutput {
            operations: activities(new.filter_map(records::join).collect()),
            next_page,
            mark: last.map(|last| last.to_string()),
            ..StreamOutput::empty()
        })
    }
}

impl Members {
    fn is_new(&self, member: &GuildMember) -> bool {
        self.since.is_none_or(|since| member.joined_at > Some(since - OVERLAP))
    }
}

/// `None` when the list ends with this page: it has fewer than were asked for.
fn last_of(page: &Members, members: &[GuildMember]) -> Result<Option<Snowflake>> {
    let first = members.iter().map(|member| member.user.id).min();
    if first.is_some_and(|first| Some(first) <= page.after) {
        // Perhaps a cache's mistake; the retries find out.
        return Err(anyhow!("page {} of the members repeats another", page.page).into());
    }
    let last = members.iter().map(|member| member.user.id).max();
    Ok(last.filter(|_| members.len() >= MEMBERS_PER_PAGE))
}

fn named(error: SyncError) -> SyncError {
    if !is_forbidden(&error) {
        return error;
    }
    error.meaning(
        "Discord does not show the bot who is a member: switch on its Server Members Intent",
    )
}
