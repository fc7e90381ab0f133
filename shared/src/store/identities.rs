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
    const ROUNDS: usize = 4;

    /// The members behind the accounts. Mostly all are known and one look-up is all there is to it;
    /// else those that are known otherwise are settled, and those that are new are added. The members
    /// of new ones must follow in the same transaction.
    pub(super) async fn resolve(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<Vec<Uuid>> {
        for _ in 0..Self::ROUNDS {
            let known = self.look_up(tx, tenant).await?;
            let unsettled = known.iter().any(Known::is_unsettled);
            if unsettled {
                self.lock(tx, tenant).await?;
                self.release_passed_names(tx, tenant).await?;
                self.adopt_and_rename(tx, tenant).await?;
            }
            let ids = known.iter().map(|known| known.member.unwrap_or_else(Uuid::now_v7)).collect();
            // Otherwise an account became somebody's that was somebody else's, or was added by a
            // transaction that we waited for.
            if self.add_missing(tx, tenant, &known, &ids).await? && !unsettled {
                return Ok(ids);
            }
        }
        let known = self.look_up(tx, tenant).await?;
        let ids: Option<_> = known.into_iter().map(|known| known.member).collect();
        ids.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    /// How each account is known.
    async fn look_up(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<Vec<Known>> {
        let known = sqlx::query_as!(
            Known,
            r#"
            select
                case
                    when a.username is null or same.username = a.username then same.member_id
                    when a.source_id is null then named.member_id
                end as member,
                same.member_id is null and named.member_id is null as "is_new!"
            from unnest($2::text[], $3::text[], $4::text[]) with ordinality as a (platform, username, source_id, at)
            left join lateral (
                select m.member_id, m.username
                from member_identities m
                where m.tenant_id = $1 and m.platform = a.platform and m.source_id = a.source_id
                limit 1
            ) same on true
            left join lateral (
                select m.member_id
                from member_identities m
                -- Whoever is known by this id and name need not be looked for by the name alone.
                where same.username is distinct from a.username
                    and m.tenant_id = $1 and m.platform = a.platform and m.username = a.username
                limit 1
            ) named on true
            order by a.at
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
        );
        Ok(known.fetch_all(tx).await?)
    }

    /// Locks all that are known in one order, so that two pages about the same people wait for each
    /// other and do not deadlock.
    async fn lock(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<()> {
        sqlx::query!(
            r#"
            with account as (
                select * from unnest($2::text[], $3::text[], $4::text[]) as account (platform, username, source_id)
            ), known as (
                select m.ctid
                from account a
                cross join lateral (
                    select m.ctid
                    from member_identities m
                    where m.tenant_id = $1 and m.platform = a.platform and m.source_id = a.source_id
                    limit 1
                ) m
                union all
                select m.ctid
                from account a
                cross join lateral (
                    select m.ctid
                    from member_identities m
                    where m.tenant_id = $1 and m.platform = a.platform and m.username = a.username
                    limit 1
                ) m
            )
            select
            from member_identities
            where ctid = any(array(select ctid from known))
            order by source_id, username, platform
            for update
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

    /// Adds those that are not known, with the ids their members will have; whether all could be added.
    /// In one order, so that two workers adding the same people wait for each other and do not
    /// deadlock.
    async fn add_missing(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        known: &[Known],
        ids: &Vec<Uuid>,
    ) -> Result<bool> {
        let missing: Vec<bool> = known.iter().map(|known| known.member.is_none()).collect();
        let wanted = missing.iter().filter(|missing| **missing).count();
        if wanted == 0 {
            return Ok(true);
        }
        let added = sqlx::query!(
            r#"
            insert into member_identities (tenant_id, platform, username, source_id, member_id)
            select $1, platform, username, source_id, id
            from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::bool[])
                as a (platform, username, source_id, id, is_missing)
            where is_missing
            order by platform, username, source_id
            on conflict do nothing
            "#,
            tenant.0,
            &self.platforms as _,
            &self.usernames as _,
            &self.source_ids as _,
            ids,
            &missing,
        )
        .execute(tx)
        .await?;
        Ok(added.rows_affected() == wanted as u64)
    }
}

/// How an account is known.
struct Known {
    /// Whose it is, if it is known by exactly this name and id.
    member: Option<Uuid>,
    /// Known neither by its id nor by its name.
    is_new: bool,
}

impl Known {
    /// Known by another name, or without its id; or its name is another account's.
    fn is_unsettled(&self) -> bool {
        self.member.is_none() && !self.is_new
    }
}
