//! Who is who: the members behind accounts.
//!
//! A member is found by the platform's own id of the account, else by its username. A renamed
//! account stays the same member. A name that passed to another account is taken from the one that
//! had it, which stays known by its id. An account known only by name adopts the id it is first
//! seen with.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, StoreError};
use crate::domain::TenantId;

/// An account as a page knows it: by its id, or by its name, or both.
pub(super) struct Account<'a> {
    pub(super) platform: &'a str,
    pub(super) username: Option<&'a str>,
    pub(super) source_id: Option<&'a str>,
}

/// Accounts as columns. No id is there twice, and of the accounts with an id no name.
#[derive(Default)]
pub(super) struct Accounts<'a> {
    platforms: Vec<&'a str>,
    usernames: Vec<Option<&'a str>>,
    source_ids: Vec<Option<&'a str>>,
}

impl<'a> FromIterator<Account<'a>> for Accounts<'a> {
    fn from_iter<T: IntoIterator<Item = Account<'a>>>(accounts: T) -> Self {
        let mut columns = Self::default();
        for Account { platform, username, source_id } in accounts {
            columns.platforms.push(platform);
            columns.usernames.push(username);
            columns.source_ids.push(source_id);
        }
        columns
    }
}

impl Accounts<'_> {
    /// Rounds of settling; a second is needed when another page settled the same accounts otherwise.
    const ROUNDS: usize = 3;

    /// The members behind the accounts. Mostly all are known and one look-up is all there is to it;
    /// else the identities are settled first. The members of new ones must follow in the same
    /// transaction.
    pub(super) async fn resolve(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<Vec<Uuid>> {
        for _ in 0..Self::ROUNDS {
            if let Some(ids) = self.find(tx, tenant).await? {
                return Ok(ids);
            }
            if self.lock_unsettled(tx, tenant).await? {
                self.release_passed_names(tx, tenant).await?;
                self.adopt_and_rename(tx, tenant).await?;
            }
            // Whoever is not there afterwards was written by a transaction that we waited for.
            self.add_new(tx, tenant).await?;
        }
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
                        and (a.username is null or m.username = a.username)
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

    /// Whether any of the accounts is known under another name, or without its id. All that are known
    /// are locked in one order, so that two pages about the same people wait for each other and do
    /// not deadlock.
    async fn lock_unsettled(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<bool> {
        let settled = sqlx::query_scalar!(
            r#"
            select
                (a.source_id is null or m.source_id = a.source_id)
                    and (a.username is null or m.username = a.username) as "settled"
            from (
                select *
                from unnest($2::text[], $3::text[], $4::text[]) as account (platform, username, source_id)
                order by source_id, username, platform
            ) a
            -- Account by account, since a join on either of two columns reads all that the tenant has.
            cross join lateral (
                select *
                from member_identities m
                where m.tenant_id = $1 and m.platform = a.platform
                    and (m.source_id = a.source_id or m.username = a.username)
                for update
            ) m
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
        );
        let settled = settled.fetch_all(tx).await?;
        Ok(settled.into_iter().any(|settled| settled != Some(true)))
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
            with account as (
                select *
                from unnest($2::text[], $3::text[], $4::text[]) as account (platform, username, source_id)
                where username is not null and source_id is not null
            ), renamed as (
                update member_identities m
                set username = a.username
                from account a
                where m.tenant_id = $1 and m.platform = a.platform and m.source_id = a.source_id
                    and m.username is distinct from a.username
            )
            update member_identities m
            set source_id = a.source_id
            from account a
            where m.tenant_id = $1 and m.platform = a.platform and m.username = a.username and m.source_id is null
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
    /// deadlock.
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
