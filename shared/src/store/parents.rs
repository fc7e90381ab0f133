//! Children and their parents, whichever of the two comes first.
//!
//! Most are tied when they are stored (`activities.rs`): to a parent that is known, or one of the same
//! page. Here are the others: a child that was there before its parent, one that moved to another
//! parent, and two that were committed at the same moment.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, Store};
use crate::domain::{RunId, TenantId};

/// A page's activities by their keys, and whom each answers.
pub(super) struct Families<'a> {
    pub(super) platforms: &'a [String],
    pub(super) source_ids: &'a [String],
    pub(super) kinds: &'a [String],
    pub(super) source_parent_platforms: &'a [Option<String>],
    pub(super) source_parent_ids: &'a [Option<String>],
}

impl Families<'_> {
    /// Ties children that were there before to parents that came with this page, and this page's
    /// children to parents that are there by now. Each is looked up by itself: a join may begin with all that
    /// the tenant has.
    pub(super) async fn unite(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        now: Option<DateTime<Utc>>,
    ) -> Result<()> {
        sqlx::query!(
            r#"
            with page as (
                select * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $7::text[])
                    as page (platform, source_id, type, source_parent_id, source_parent_platform)
            ), pairs as (
                select child.id as child, parent.id as parent
                from page
                cross join lateral (
                    select id, parent_id
                    from activities
                    where tenant_id = $1 and platform = page.platform and source_id = page.source_id and type = page.type
                    limit 1
                ) child
                cross join lateral (
                    select id
                    from activities
                    where tenant_id = $1 and platform = page.source_parent_platform
                        and source_id = page.source_parent_id and id <> child.id
                    limit 1
                ) parent
                where page.source_parent_id is not null and child.parent_id is null
                union
                select child.id, parent.id
                from page
                cross join lateral (
                    select id
                    from activities
                    where tenant_id = $1 and platform = page.platform and source_id = page.source_id and type = page.type
                    limit 1
                ) parent
                cross join lateral (
                    select id
                    from activities
                    where tenant_id = $1 and source_parent_platform = page.platform
                        and source_parent_id = page.source_id and parent_id is null and id <> parent.id
                    offset 0
                ) child
            ), free as (
                select pairs.child, pairs.parent
                from pairs
                cross join lateral (
                    -- One that is locked is in another page that is being committed: it is tied there, or
                    -- at the end of that page's run.
                    select id from activities where id = pairs.child for no key update skip locked
                ) child
            )
            update activities
            set parent_id = free.parent, updated_at = coalesce($6::timestamptz, now())
            from free
            where activities.id = free.child
            "#,
            tenant.0,
            self.platforms,
            self.source_ids,
            self.kinds,
            self.source_parent_ids as _,
            now,
            self.source_parent_platforms as _,
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Ties children that wait to parents that have come. Two pages that are committed at the same
    /// moment do not see each other; the later of the two ends sees both.
    ///
    /// Only those are looked at that came since the run began, or just before: the other page may
    /// have begun earlier. A tenant's orphans, whose parents are gone for good, are many. No fence:
    /// what is tied here is so whoever says it.
    pub(super) async fn attach_waiting_children(&self, run: RunId) -> Result<()> {
        let mut tx = self.begin_by_index().await?;
        attach_waiting_children(&mut tx, run, self.clock.in_database()).await?;
        Ok(tx.commit().await?)
    }
}

async fn attach_waiting_children(
    tx: &mut PgConnection,
    run: RunId,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query!(
        r#"
        with ended as materialized (
            -- Earlier by longer than any transaction may last.
            select i.tenant_id, r.started_at - interval '10 minutes' as since
            from integration_runs r join integrations i on i.id = r.integration_id
            where r.id = $1
        ), pairs as (
            select child.id as child, parent.id as parent
            from ended
            cross join lateral (
                select id, source_parent_platform, source_parent_id
                from activities
                where tenant_id = ended.tenant_id and updated_at >= ended.since
                    and parent_id is null and source_parent_id is not null
                offset 0
            ) child
            cross join lateral (
                select id
                from activities
                where tenant_id = ended.tenant_id and platform = child.source_parent_platform
                    and source_id = child.source_parent_id and id <> child.id
                limit 1
            ) parent
        ), free as (
            select pairs.child, pairs.parent
            from pairs
            cross join lateral (
                -- One that is locked is in a page of a run that ends later, and does this again.
                select id from activities where id = pairs.child for no key update skip locked
            ) child
        )
        update activities
        set parent_id = free.parent, updated_at = coalesce($2::timestamptz, now())
        from free
        where activities.id = free.child
        "#,
        run.0,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
