//! Members and their identities, upserted a page at a time.
//!
//! A member is found by the platform's own id of the account, else by its username. A renamed
//! account stays the same member. A name that passed to another account is taken from the one that
//! had it, which stays known by its id. An account known only by name adopts the id it is first
//! seen with.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, StoreError, clean};
use crate::domain::{Identity, Member, TenantId};

/// The accounts mentioned in a page, each once, with everything the page says about it.
#[derive(Default)]
pub(super) struct Mentions {
    accounts: Vec<Member>,
    by_source_id: HashMap<(String, String), usize>,
    by_username: HashMap<(String, String), usize>,
}

impl Mentions {
    /// Where the account stands among the mentioned.
    pub(super) fn mention(&mut self, mut member: Member) -> usize {
        clean_identity(&mut member.identity);
        let Identity { platform, username, source_id } = member.identity.clone();
        let source_key = source_id.map(|source_id| (platform.clone(), source_id));
        let name_key = (platform, username);
        let known = source_key
            .as_ref()
            .and_then(|key| self.by_source_id.get(key))
            .or_else(|| {
                self.by_username.get(&name_key).filter(|&&at| self.may_be_same(at, &member))
            })
            .copied();
        let at = match known {
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
        self.by_username.insert(name_key, at);
        at
    }

    /// Of two accounts with one name, those with different ids are different.
    fn may_be_same(&self, at: usize, member: &Member) -> bool {
        match (&self.accounts[at].identity.source_id, &member.identity.source_id) {
            (Some(known), Some(new)) => known == new,
            _ => true,
        }
    }

    /// Writes them all; the members' ids, by where the account stands.
    pub(super) async fn upsert(
        self,
        tx: &mut PgConnection,
        tenant: TenantId,
        now: Option<DateTime<Utc>>,
    ) -> Result<Vec<Uuid>> {
        if self.accounts.is_empty() {
            return Ok(Vec::new());
        }
        let accounts = Accounts::of(&self.accounts);
        let ids = accounts.resolve(tx, tenant).await?;
        let mut members: BTreeMap<Uuid, Member> = BTreeMap::new();
        for (&id, member) in ids.iter().zip(self.accounts) {
            match members.get_mut(&id) {
                Some(known) => known.merge(member),
                None => drop(members.insert(id, member)),
            }
        }
        write_members(tx, tenant, members, now).await?;
        Ok(ids)
    }
}

fn clean_identity(identity: &mut Identity) {
    identity.username = clean::key(&identity.username).into_owned();
    identity.source_id = identity.source_id.take().map(|id| clean::key(&id).into_owned());
}

/// The accounts' keys, as columns.
struct Accounts<'a> {
    platforms: Vec<&'a str>,
    usernames: Vec<&'a str>,
    source_ids: Vec<Option<&'a str>>,
}

impl<'a> Accounts<'a> {
    fn of(members: &'a [Member]) -> Self {
        let identities = || members.iter().map(|member| &member.identity);
        Self {
            platforms: identities().map(|identity| identity.platform.as_str()).collect(),
            usernames: identities().map(|identity| identity.username.as_str()).collect(),
            source_ids: identities().map(|identity| identity.source_id.as_deref()).collect(),
        }
    }

    /// The members behind the accounts. Mostly all are known and one look-up is all there is to it;
    /// else the identities are settled first.
    async fn resolve(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<Vec<Uuid>> {
        if let Some(ids) = self.find(tx, tenant).await? {
            return Ok(ids);
        }
        self.release_passed_names(tx, tenant).await?;
        self.adopt_and_rename(tx, tenant).await?;
        self.add_new(tx, tenant).await?;
        // Each is there now, written by us or by a transaction that we waited for.
        self.find(tx, tenant).await?.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    /// The members' ids, if every account is known under exactly this name and id.
    async fn find(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<Option<Vec<Uuid>>> {
        let found = sqlx::query_scalar!(
            r#"
            select coalesce(
                (
                    select m.member_id
                    from member_identities m
                    where m.tenant_id = $1 and m.platform = a.platform and m.source_id = a.source_id
                        and m.username = a.username
                ),
                (
                    select m.member_id
                    from member_identities m
                    where m.tenant_id = $1 and m.platform = a.platform and m.username = a.username
                        and a.source_id is null
                )
            )
            from unnest($2::text[], $3::text[], $4::text[]) with ordinality as a (platform, username, source_id, at)
            order by a.at
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
        );
        let found = found.fetch_all(tx).await?;
        Ok(found.into_iter().collect())
    }

    /// A name that is now another account's is taken from whoever had it. An account that was known
    /// by this name alone, while the one that bears it now is known by its id, is forgotten.
    async fn release_passed_names(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<()> {
        sqlx::query!(
            r#"
            with account as (
                select *
                from unnest($2::text[], $3::text[], $4::text[]) as account (platform, username, source_id)
                where source_id is not null
            ), released as (
                update member_identities m
                set username = null
                from account a
                where m.tenant_id = $1 and m.platform = a.platform and m.username = a.username
                    and m.source_id <> a.source_id
            )
            delete from member_identities m
            using account a, member_identities same
            where m.tenant_id = $1 and m.platform = a.platform and m.username = a.username and m.source_id is null
                and same.tenant_id = $1 and same.platform = a.platform and same.source_id = a.source_id
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn adopt_and_rename(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<()> {
        sqlx::query!(
            r#"
            update member_identities m
            set username = a.username, source_id = a.source_id
            from unnest($2::text[], $3::text[], $4::text[]) as a (platform, username, source_id)
            where m.tenant_id = $1 and m.platform = a.platform
                and (
                    (m.source_id = a.source_id and m.username is distinct from a.username)
                    or (m.username = a.username and m.source_id is null and a.source_id is not null)
                )
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    /// In one order, so that two workers adding the same people wait for each other and do not
    /// deadlock. The members themselves follow in the same transaction.
    async fn add_new(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<()> {
        let ids: Vec<Uuid> = self.platforms.iter().map(|_| Uuid::now_v7()).collect();
        sqlx::query!(
            r#"
            insert into member_identities (tenant_id, platform, username, source_id, member_id)
            select $1, platform, username, source_id, id
            from unnest($2::text[], $3::text[], $4::text[], $5::uuid[]) as a (platform, username, source_id, id)
            order by platform, username, source_id
            on conflict do nothing
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
            &ids,
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Merges what is said about members into what is known. A row that learns nothing is not written.
async fn write_members(
    tx: &mut PgConnection,
    tenant: TenantId,
    members: BTreeMap<Uuid, Member>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let mut ids = Vec::with_capacity(members.len());
    let mut names = Vec::with_capacity(members.len());
    let mut emails = Vec::with_capacity(members.len());
    let mut joined = Vec::with_capacity(members.len());
    let mut reach = Vec::with_capacity(members.len());
    let mut attributes = Vec::with_capacity(members.len());
    for (id, member) in members {
        ids.push(id);
        names.push(member.display_name.map(|name| clean::text(&name).into_owned()));
        emails.push(one_per_line(member.emails));
        joined.push(member.joined_at.map(clean::timestamp));
        reach.push(json!(member.reach));
        attributes.push(attributes_of(member.attributes));
    }
    sqlx::query!(
        r#"
        insert into members (id, tenant_id, display_name, emails, joined_at, reach, attributes, created_at, updated_at)
        select
            id, $1, display_name, string_to_array(emails, E'\n'), joined_at, merged_reach('{}', reach), attributes,
            coalesce($8::timestamptz, now()), coalesce($8, now())
        from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::jsonb[], $7::jsonb[])
            as member (id, display_name, emails, joined_at, reach, attributes)
        order by id
        on conflict (id) do update
        set display_name = coalesce(members.display_name, excluded.display_name),
            emails = merged_set(members.emails, excluded.emails),
            joined_at = least(members.joined_at, excluded.joined_at),
            reach = merged_reach(members.reach, excluded.reach - 'total'),
            attributes = merged_attributes(members.attributes, excluded.attributes),
            updated_at = excluded.updated_at
        where (members.display_name is null and excluded.display_name is not null)
            or not excluded.emails <@ members.emails
            or excluded.joined_at < members.joined_at
            or (members.joined_at is null and excluded.joined_at is not null)
            or not members.reach @> (excluded.reach - 'total')
            or not members.attributes @> excluded.attributes
        "#,
        tenant.0,
        &ids,
        &names as _,
        &emails,
        &joined as _,
        &reach,
        &attributes,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// As PostgreSQL has no arrays of arrays of different lengths. Empty text is an empty array.
fn one_per_line(emails: impl IntoIterator<Item = String>) -> String {
    let emails: Vec<String> = emails
        .into_iter()
        .map(|email| clean::text(&email).replace('\n', ""))
        .filter(|email| !email.is_empty())
        .collect();
    emails.join("\n")
}

/// Null never overwrites, so it is left out.
fn attributes_of(attributes: BTreeMap<String, Map<String, Value>>) -> Value {
    let said = attributes.into_iter().map(|(name, values)| {
        let values = values.into_iter().filter(|(_, value)| !value.is_null()).collect();
        (name, Value::Object(values))
    });
    clean::json(Value::Object(said.collect()))
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
}
