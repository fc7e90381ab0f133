//! X, formerly Twitter: who follows an account, who mentions it, and what is said under hashtags.
//!
//! ```text
//! the connected account, or those chosen as units
//!   ├─ its followers, page by page
//!   └─ the posts that mention it, page by page
//! the posts of each hashtag in the last seven days, page by page
//! ```
//!
//! An onboarding reads what X still lists: every follower, the last 800 mentions, and a week of
//! hashtags. Which account that is was learnt with the credential. A check asks for posts since the newest that was read, less ten minutes, however many
//! pages that makes; and for followers until it meets those it knows (`followers.rs`). So a check of
//! H hashtags with nothing new costs 2 + H requests: its followers, its mentions, and each hashtag.
//!
//! What no check can repair: posts with a hashtag that were written while none came through for
//! seven days. X does not list them any more.

mod answers;
pub(crate) mod api;
mod followers;
mod posts;
mod records;
mod renewal;
mod settings;
mod state;
mod streams;
#[cfg(test)]
mod tests;
mod verify;

use self::api::Api;
pub use self::settings::{Hashtag, Settings};
pub use self::state::State;
pub use self::streams::Stream;
use crate::sdk::http::Options;
use crate::sdk::{
    Access, AttributeType, CheckSchedule, Connection, Credential, CredentialType, ExternalSyncUnit,
    Integration, MemberAttribute, Owner, Result, Run, RunSummary, StreamOutput,
};

pub struct Twitter {
    api: Api,
}

impl Integration for Twitter {
    const KIND: &'static str = "twitter";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(30);
    const CREDENTIALS: &'static [CredentialType] = &[CredentialType::Oauth2];

    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        let Connection { settings, units, .. } = &run.connection;
        let chosen = units.iter().flat_map(|profile| Stream::of_profile(profile, run));
        let own = match units.is_empty() {
            true => self.own(run).await?,
            false => Vec::new(),
        };
        let hashtags = settings.hashtags.iter().map(|tag| Stream::of_hashtag(tag, run));
        Ok(own.into_iter().chain(chosen).chain(hashtags).collect())
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let access = &run.connection.access;
        match stream {
            Stream::Account => self.account(run).await,
            Stream::Followers { profile, place } => {
                let (most, token) = (followers::per_page(profile, run), place.cursor.as_deref());
                let page = self.api.followers(profile, most, token, access).await?;
                followers::output(profile, place, &page, run)
            }
            Stream::Mentions { profile, since, place } => {
                let token = place.cursor.as_deref();
                let page = self.api.mentions(profile, posts::PER_PAGE, *since, token, access).await;
                posts::output(stream, place, page, run)
            }
            Stream::Hashtag { tag, since, place } => {
                let token = place.cursor.as_deref();
                let page =
                    self.api.recent_search(tag, posts::PER_PAGE, *since, token, access).await;
                posts::output(stream, place, page, run)
            }
        }
    }

    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        Ok(Some(run.connection.state.after(summary)))
    }

    fn member_attributes(&self) -> Vec<MemberAttribute> {
        use AttributeType::{String, Url};
        let attribute = |name, kind, label, hidden| MemberAttribute { name, kind, label, hidden };
        vec![
            attribute("sourceId", String, "Source ID", true),
            attribute("avatarUrl", Url, "Avatar URL", true),
            attribute("location", String, "Location", false),
            attribute("bio", String, "Bio", false),
            attribute("url", Url, "URL", false),
        ]
    }

    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        verify::verify(&self.api, connection).await
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        let me = self.api.me(access).await?;
        Ok(Owner { name: format!("@{}", me.username), id: me.id })
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        self.api.renew(credential).await
    }

    /// The account itself: X lists no others that would be the tenant's.
    async fn discover(&self, connection: &Connection<Self>) -> Result<Vec<ExternalSyncUnit>> {
        let me = self.api.me(&connection.access).await?;
        Ok(vec![ExternalSyncUnit {
            item_count: me.followers().and_then(|followers| followers.try_into().ok()),
            name: format!("@{}", me.username),
            description: me.description.filter(|text| !text.is_empty()),
            id: me.id,
        }])
    }
}

impl Twitter {
    /// The API at this address, such as `https://api.x.com`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::with(url, Options::default())
    }

    pub fn with(url: &str, options: Options) -> anyhow::Result<Self> {
        Ok(Self { api: Api::at(Self::KIND, url, options)? })
    }

    /// Of the account whose credential it is; X is asked only where that is not known.
    async fn own(&self, run: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(match run.connection.access.owner().await? {
            Some(owner) => Stream::of_profile(&owner.id, run).into(),
            None => vec![Stream::Account],
        })
    }

    async fn account(&self, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let me = self.api.me(&run.connection.access).await?;
        let new_streams = Stream::of_profile(&me.id, run).into();
        Ok(StreamOutput { new_streams, ..StreamOutput::empty() })
    }
}
