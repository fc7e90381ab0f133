//! How many follow those members who are on X: looked up daily, a hundred at a time.
//!
//! Who is looked up comes from the tenant's members, whatever platform they were met on first; a page
//! is what follows a name. Only reach that changed is told. Whoever is suspended, gone or was never
//! there is left as he is: X says so beside the others, and that is no failure.

mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::settings::Settings;
use super::twitter::Twitter;
use super::twitter::api::{Api, NAMES_PER_LOOKUP, User};
use crate::sdk::http::Options;
use crate::sdk::{
    Access, CheckSchedule, Connection, Credential, CredentialType, Identity, Integration,
    KnownAccount, Member, Operation, Owner, Result, Run, StreamOutput,
};

pub struct TwitterReach {
    api: Api,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub enum Stream {
    /// The next hundred accounts.
    Accounts {
        /// The last name of the hundred before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
}

impl Integration for TwitterReach {
    const KIND: &'static str = "twitter_reach";
    const PLATFORM: &'static str = Twitter::PLATFORM;
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(24 * 60);
    const CREDENTIALS: &'static [CredentialType] = Twitter::CREDENTIALS;

    type Settings = Settings;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(vec![Stream::Accounts { after: None }])
    }

    async fn process_stream(
        &self,
        Stream::Accounts { after }: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let directory = &run.connection.directory;
        let accounts =
            directory.accounts(Self::PLATFORM, after.as_deref(), NAMES_PER_LOOKUP).await?;
        let users = self.users(&accounts, &run.connection.access).await?;
        let members = accounts.iter().filter_map(|known| changed(known, &users)).collect();
        let is_full = accounts.len() == NAMES_PER_LOOKUP;
        let last = accounts.last().filter(|_| is_full);
        Ok(StreamOutput {
            operations: vec![Operation::UpdateMembers(members)],
            next_page: last.map(|last| Stream::Accounts { after: Some(last.username.clone()) }),
            ..StreamOutput::empty()
        })
    }

    async fn verify(&self, connection: &Connection<Self>) -> Result<()> {
        self.identify(&connection.access).await.map(drop)
    }

    async fn identify(&self, access: &Access) -> Result<Owner> {
        let me = self.api.me(access).await?;
        Ok(Owner { name: format!("@{}", me.username), id: me.id })
    }

    async fn renew(&self, credential: &Credential) -> Result<Credential> {
        self.api.renew(credential).await
    }
}

impl TwitterReach {
    /// The API at this address, such as `https://api.x.com`.
    pub fn at(url: &str) -> anyhow::Result<Self> {
        Self::with(url, Options::default())
    }

    pub fn with(url: &str, options: Options) -> anyhow::Result<Self> {
        Ok(Self { api: Api::at(Self::KIND, url, options)? })
    }

    /// By their names in small letters, which X does not tell from capitals.
    async fn users(
        &self,
        accounts: &[KnownAccount],
        access: &Access,
    ) -> Result<BTreeMap<String, User>> {
        let names = accounts.iter().map(|known| known.username.to_ascii_lowercase());
        let names: BTreeSet<_> = names.filter(|name| is_name(name)).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let users = self.api.users_by(&names, access).await?.into_iter();
        Ok(users.map(|user| (user.username.to_ascii_lowercase(), user)).collect())
    }
}

/// One that cannot be a name on X would have X refuse all that are asked for beside it. Members'
/// names may come from elsewhere, where anything may be entered.
fn is_name(name: &str) -> bool {
    const LONGEST: usize = 15;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=LONGEST).contains(&name.len()) && name.chars().all(fits)
}

/// What is to be told of an account, if that is new. A name that has passed to somebody else says
/// nothing of who had it.
fn changed(known: &KnownAccount, users: &BTreeMap<String, User>) -> Option<Member> {
    let user = users.get(&known.username.to_ascii_lowercase())?;
    let followers = user.followers()?;
    let is_another = known.source_id.as_ref().is_some_and(|id| *id != user.id);
    if is_another || known.reach == Some(followers) {
        return None;
    }
    let identity = Identity {
        platform: TwitterReach::PLATFORM.to_owned(),
        username: known.username.clone(),
        source_id: Some(user.id.clone()),
    };
    let reach = [(TwitterReach::PLATFORM.to_owned(), followers)].into();
    Some(Member { reach, ..Member::of(identity) })
}
