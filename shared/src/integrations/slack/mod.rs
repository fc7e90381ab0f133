//! Slack: what people write in the channels that an app was invited to.
//!
//! ```text
//! users of the workspace, page by page (an onboarding; later only those who are new)
//!   └─ channels that the app is in
//!        └─ messages of each, back to where we know them
//!             ├─ threads that were answered since
//!             └─ authors we do not know
//! ```
//!
//! Users come first, so that the authors and the mentions in all that follows are known without
//! asking for each. Where that failed, checks read users and channels side by side.
//!
//! How a check finds the new is told in `looks.rs`, what Slack's refusals mean in `refusal.rs`, what
//! is asked when a tenant connects in `chosen.rs`, and what becomes of which message in
//! `messages.rs`. A check of N channels with nothing new costs N requests, and one for every two
//! hundred channels of the workspace.
//!
//! Not seen: replies to a thread that neither began nor was answered within the horizon (a month, or
//! two weeks for an unlisted app), unless they were sent to the channel, too; edits of replies;
//! reactions by themselves; deletions. Slack tells these only to those who listen to its events.

mod answers;
mod api;
mod channel;
mod chosen;
mod lists;
mod looks;
mod messages;
mod paging;
mod people;
mod records;
mod refusal;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod threads;
mod ts;

use std::collections::BTreeSet;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use self::answers::{Conversation, Workspace};
use self::api::Api;
pub use self::channel::ChannelPage;
use self::people::People;
pub use self::settings::{App, Settings};
pub use self::state::State;
pub use self::threads::ThreadPage;
pub use self::ts::Ts;
use crate::clock::Clock;
use crate::sdk::http::Options;
use crate::sdk::{
    Access, AttributeType, CheckSchedule, Connection, Credential, CredentialType, ExternalSyncUnit,
    Integration, MemberAttribute, Owner, Place, Result, Run, RunMode, RunSummary, StreamOutput,
    SyncError,
};

pub struct Slack {
    api: Api,
    clock: Clock,
}

/// What is fetched at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    /// A page of the workspace's users. The last one leads on to the channels.
    Members {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    /// A page of the workspace's channels.
    Channels {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
        /// Chosen channels that no page has shown yet.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        wanted: BTreeSet<String>,
    },
    Channel(ChannelPage),
    Thread(ThreadPage),
    /// Somebody who writes and of whom we have no profile.
    Member {
        user: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    id: String,
    name: String,
    /// Nobody writes there any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
}

/// Asked for when it is first needed: a check with nothing new needs neither.
#[derive(Default)]
pub struct Prepared {
    workspace: OnceCell<Workspace>,
    people: People,
}

impl Integration for Slack {
    const KIND: &'static str = "slack";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(20);
    const CREDENTIALS: &'static [CredentialType] =
        &[CredentialType::Secret, CredentialType::Oauth2];
    /// Enough to spend each method's requests within the minute they are for.
    const CONCURRENCY: usize = 4;

    type Settings = Settings;
    type State = State;
    type Prepared = Prepared;
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<Prepared> {
        Ok(Prepared::default())
    }

    async fn streams(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        let Connection { mode, state, .. } = &run.connection;
        let (members, channels) = (Stream::Members { place: None }, lists::channels(run));
        Ok(match mode {
            RunMode::Onboarding => vec![members],
            RunMode::Check if state.members_read => vec![channels],
            // Users that cannot be listed hide no channel.
            RunMode::Check => vec![members, channels],
        })
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        match stream {
            Stream::Members { place } => self.members(place.as_ref(), run).await,
            Stream::Channels { place, wanted } => self.channels(place.as_ref(), wanted, run).await,
            Stream::Channel(page) => self.channel_page(page, run).await,
            Stream::Thread(page) => self.thread_page(page, run).await,
            Stream::Member { user } => self.member(user, run).await,
        }
    }

    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        let Connection { state, settings, started_at, .. } = &run.connection;
        Ok(Some(state.after(summary, settings.app, *started_at)))
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        use AttributeType::{String, Url};
        let attribute = |name, kind, label, hidden| MemberAttribute { name, kind, label, hidden };
        vec![
            attribute("sourceId", String, "Source ID", true),
            attribute("avatarUrl", Url, "Avatar URL", true),
            attribute("timezone", String, "Timezone", false),
            attribute("jobTitle", String, "Job title", false),
        ]
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        let Workspace { team_id, team, .. } = self.api.workspace(access).await?;
        Ok(Owner { id: team_id, name: team })
    }

    /// Channels and users may be listed, and the chosen channels be read.
    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        self.api.users(&connection.access, None, Some(1)).await?;
        self.verify_chosen(connection).await
    }

    async fn discover(&self, connection: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        let Connection { access, settings, .. } = connection;
        let mut units = Vec::new();
        let mut place = None;
        loop {
            let page = self.api.conversations(access, settings, place.as_ref()).await?;
            let first = page.items.first().map(|channel| channel.id.clone());
            let next = page.place_after(place.as_ref(), first)?;
            units.extend(page.items.into_iter().filter(|it| !it.is_archived).map(unit));
            match next {
                Some(next) => place = Some(next),
                None => return Ok(units),
            }
        }
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        let Credential::Oauth2(granted) = credential else {
            let problem = anyhow!("only a token that rotates can be renewed");
            return Err(SyncError::Unauthorized(problem));
        };
        let asked_at = self.clock.now();
        let renewed = self.api.renewed(granted).await?;
        Ok(Credential::Oauth2(granted.renewed(renewed, asked_at)))
    }
}

impl Slack {
    /// At this address, such as `https://slack.com/api`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::with(url, Options::default())
    }

    pub fn with(url: &str, options: Options) -> anyhow::Result<Self> {
        let clock = options.clock.clone();
        Ok(Self { api: Api::at(url, options)?, clock })
    }

    async fn workspace<'r>(&self, run: &'r Run<Self>) -> Result<&'r Workspace> {
        let Run { connection, prepared } = run;
        prepared.workspace.get_or_try_init(|| self.api.workspace(&connection.access)).await
    }
}

fn unit(channel: Conversation) -> ExternalSyncUnit {
    let description = channel.description();
    ExternalSyncUnit { id: channel.id, name: channel.name, description, item_count: None }
}
