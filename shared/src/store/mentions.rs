//! The accounts that a page mentions, each once, with everything the page says about it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use super::identities::{Account, Accounts};
use super::{Result, clean, members};
use crate::domain::{Identity, Member, TenantId};

#[derive(Default)]
pub(super) struct Mentions {
    accounts: Vec<Member>,
    by_source_id: HashMap<(String, String), usize>,
    /// Who bore a name last.
    by_username: HashMap<(String, String), usize>,
}

/// The members behind the accounts.
#[derive(Default)]
pub(super) struct Mentioned {
    /// By where the account stands.
    pub(super) ids: Vec<Uuid>,
    /// Who belongs to which organization, by its name.
    pub(super) belonging: Vec<(Uuid, String)>,
}

impl Mentions {
    /// Where the account stands among the mentioned.
    pub(super) fn mention(&mut self, member: Member) -> usize {
        let member = cleaned(member);
        let source_key = source_key(&member.identity);
        let name_key = name_key(&member.identity);
        let at = match self.known(source_key.as_ref(), name_key.as_ref()) {
            Some(at) => {
                self.accounts[at].merge(member);
                at
            }
            None => {
                self.accounts.push(member);
                self.accounts.len() - 1
            }
        };
        self.by_source_id.extend(source_key.map(|key| (key, at)));
        self.by_username.extend(name_key.map(|key| (key, at)));
        at
    }

    fn known(
        &self,
        source_key: Option<&(String, String)>,
        name_key: Option<&(String, String)>,
    ) -> Option<usize> {
        let by_source_id = source_key.and_then(|key| self.by_source_id.get(key)).copied();
        by_source_id.or_else(|| {
            let at = *self.by_username.get(name_key?)?;
            // Of two accounts with one name, those with different ids are different.
            let known_by = self.accounts[at].identity.source_id.as_ref();
            (known_by.is_none() || source_key.is_none()).then_some(at)
        })
    }

    /// Writes them all.
    pub(super) async fn upsert(
        self,
        tx: &mut PgConnection,
        tenant: TenantId,
        now: Option<DateTime<Utc>>,
    ) -> Result<Mentioned> {
        if self.accounts.is_empty() {
            return Ok(Mentioned::default());
        }
        let ids = self.accounts().resolve(tx, tenant).await?;
        let mut members: BTreeMap<Uuid, Member> = BTreeMap::new();
        for (&id, member) in ids.iter().zip(self.accounts) {
            match members.get_mut(&id) {
                Some(known) => known.merge(member),
                None => drop(members.insert(id, member)),
            }
        }
        let belonging = members.iter_mut().flat_map(|(&id, member)| {
            std::mem::take(&mut member.organizations).into_iter().map(move |it| (id, it))
        });
        let belonging = belonging.collect();
        members::upsert(tx, tenant, members, now).await?;
        Ok(Mentioned { ids, belonging })
    }

    fn accounts(&self) -> Accounts<'_> {
        let accounts = self.accounts.iter().enumerate();
        let accounts = accounts.map(|(at, member)| Account {
            platform: &member.identity.platform,
            username: self.name_of(at),
            source_id: member.identity.source_id.as_deref(),
        });
        accounts.collect()
    }

    /// The name an account goes by. One that is known by its id may have none, or lost it to an
    /// account that the page mentions later.
    fn name_of(&self, at: usize) -> Option<&str> {
        let identity = &self.accounts[at].identity;
        let bears_it = match name_key(identity) {
            Some(key) => identity.source_id.is_none() || self.by_username.get(&key) == Some(&at),
            None => false,
        };
        bears_it.then_some(identity.username.as_str())
    }
}

fn source_key(identity: &Identity) -> Option<(String, String)> {
    let source_id = identity.source_id.clone()?;
    Some((identity.platform.clone(), source_id))
}

/// An empty name is a name only for an account that has nothing else.
fn name_key(identity: &Identity) -> Option<(String, String)> {
    let is_name = !identity.username.is_empty() || identity.source_id.is_none();
    is_name.then(|| (identity.platform.clone(), identity.username.clone()))
}

/// What can be stored, without what says nothing: an empty id or display name, a date of the epoch,
/// which stands for "unknown", nulls, and a total that is not ours.
fn cleaned(member: Member) -> Member {
    let Identity { platform, username, source_id } = member.identity;
    let source_id = source_id.filter(|id| !id.is_empty());
    let text = |text: String| clean::text(&text).into_owned();
    Member {
        identity: Identity {
            platform: clean::key(&platform).into_owned(),
            username: clean::key(&username).into_owned(),
            source_id: source_id.map(|id| clean::key(&id).into_owned()),
        },
        display_name: member.display_name.map(text).filter(|name| !name.is_empty()),
        emails: member.emails.into_iter().map(text).filter(|email| !email.is_empty()).collect(),
        joined_at: member.joined_at.filter(|at| *at > DateTime::UNIX_EPOCH),
        reach: member
            .reach
            .into_iter()
            .map(|(platform, followers)| (text(platform), followers))
            .filter(|(platform, _)| platform != "total")
            .collect(),
        attributes: member
            .attributes
            .into_iter()
            .map(|(name, values)| (text(name), values_of(values)))
            .collect(),
        organizations: member.organizations,
    }
}

fn values_of(values: Map<String, Value>) -> Map<String, Value> {
    let said = values.into_iter().filter(|(_, value)| !value.is_null());
    said.map(|(platform, value)| (clean::text(&platform).into_owned(), clean::json(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(username: &str, source_id: Option<&str>) -> Member {
        Member::of(Identity {
            platform: "devto".into(),
            username: username.into(),
            source_id: source_id.map(str::to_owned),
        })
    }

    #[test]
    fn an_account_mentioned_twice_is_one_account() {
        let mut mentions = Mentions::default();
        let ada = mentions.mention(account("ada", Some("1")));
        assert_eq!(mentions.mention(account("ada", None)), ada);
        assert_eq!(mentions.mention(account("ada_renamed", Some("1"))), ada);
        assert_ne!(mentions.mention(account("ada", Some("2"))), ada);
    }

    #[test]
    fn who_bears_a_name_is_who_was_called_so_last() {
        let mut mentions = Mentions::default();
        let first = mentions.mention(account("ada", Some("1")));
        let second = mentions.mention(account("ada", Some("2")));
        assert_eq!((mentions.name_of(first), mentions.name_of(second)), (None, Some("ada")));
        mentions.mention(account("ada", Some("1")));
        assert_eq!((mentions.name_of(first), mentions.name_of(second)), (Some("ada"), None));
    }

    #[test]
    fn whoever_has_nothing_but_an_empty_name_is_nobody_in_particular() {
        let mut mentions = Mentions::default();
        let nobody = mentions.mention(account("", None));
        let somebody = mentions.mention(account("", Some("1")));
        assert_ne!(somebody, nobody);
        assert_eq!(mentions.mention(account("", None)), nobody);
        assert_eq!((mentions.name_of(nobody), mentions.name_of(somebody)), (Some(""), None));
    }
}
