//! Activities, upserted a page at a time, and tied to their parents.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, clean};
use crate::domain::{Activity, IntegrationId, RunId, TenantId};

/// An activity whose people are stored.
pub(super) struct WithMembers {
    pub(super) activity: Activity,
    pub(super) member: Uuid,
    pub(super) object_member: Option<Uuid>,
}

/// Writes a page's activities. Of one mentioned twice the later mention counts. A row that says
/// nothing new is not written; an activity's first timestamp stays.
pub(super) async fn upsert(
    tx: &mut PgConnection,
    tenant: TenantId,
    integration: IntegrationId,
    activities: Vec<WithMembers>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    if activities.is_empty() {
        return Ok(());
    }
    let rows = Rows::of(activities);
    sqlx::query!(
        r#"
        insert into activities (
            id, tenant_id, integration_id, member_id, object_member_id, platform, type, source_id, source_parent_id,
            timestamp, title, body, url, channel, attributes, score, is_contribution, created_at, updated_at
        )
        select
            id, $1, $2, member_id, object_member_id, platform, type, source_id, source_parent_id,
            timestamp, title, body, url, channel, attributes, score, is_contribution,
            coalesce($18::timestamptz, now()), coalesce($18, now())
        from unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::smallint[], $17::bool[]
        ) as activity (
            id, member_id, object_member_id, platform, type, source_id, source_parent_id,
            timestamp, title, body, url, channel, attributes, score, is_contribution
        )
        order by platform, source_id, type
        on conflict (tenant_id, platform, source_id, type) do update
        set integration_id = excluded.integration_id,
            member_id = excluded.member_id,
            object_member_id = coalesce(excluded.object_member_id, activities.object_member_id),
            source_parent_id = coalesce(excluded.source_parent_id, activities.source_parent_id),
            title = coalesce(excluded.title, activities.title),
            body = coalesce(excluded.body, activities.body),
            url = coalesce(excluded.url, activities.url),
            channel = coalesce(excluded.channel, activities.channel),
            attributes = activities.attributes || excluded.attributes,
            score = excluded.score,
            is_contribution = excluded.is_contribution,
            -- Of another parent, which is looked for below.
            parent_id = case
                when coalesce(excluded.source_parent_id, activities.source_parent_id) = activities.source_parent_id
                    then activities.parent_id
            end,
            updated_at = excluded.updated_at
        where (
            activities.member_id, activities.object_member_id, activities.source_parent_id, activities.title,
            activities.body, activities.url, activities.channel, activities.score, activities.is_contribution
        ) is distinct from (
            excluded.member_id, coalesce(excluded.object_member_id, activities.object_member_id),
            coalesce(excluded.source_parent_id, activities.source_parent_id), coalesce(excluded.title, activities.title),
            coalesce(excluded.body, activities.body), coalesce(excluded.url, activities.url),
            coalesce(excluded.channel, activities.channel), excluded.score, excluded.is_contribution
        )
            -- Containing them is not enough: a shorter list is contained in a longer one.
            or activities.attributes || excluded.attributes <> activities.attributes
        "#,
        tenant.0,
        integration.0,
        &rows.ids,
        &rows.members,
        &rows.object_members as _,
        &rows.platforms,
        &rows.kinds,
        &rows.source_ids,
        &rows.source_parent_ids as _,
        &rows.timestamps,
        &rows.titles as _,
        &rows.bodies as _,
        &rows.urls as _,
        &rows.channels as _,
        &rows.attributes,
        &rows.scores,
        &rows.contributions,
        now,
    )
    .execute(&mut *tx)
    .await?;
    rows.attach(tx, tenant, now).await
}

/// The activities as columns, each once, in the order of their keys.
#[derive(Default)]
struct Rows {
    ids: Vec<Uuid>,
    members: Vec<Uuid>,
    object_members: Vec<Option<Uuid>>,
    platforms: Vec<String>,
    kinds: Vec<String>,
    source_ids: Vec<String>,
    source_parent_ids: Vec<Option<String>>,
    timestamps: Vec<DateTime<Utc>>,
    titles: Vec<Option<String>>,
    bodies: Vec<Option<String>>,
    urls: Vec<Option<String>>,
    channels: Vec<Option<String>>,
    attributes: Vec<Value>,
    scores: Vec<i16>,
    contributions: Vec<bool>,
}

impl Rows {
    fn of(activities: Vec<WithMembers>) -> Self {
        let mut by_key = BTreeMap::new();
        for with_members in activities {
            let Activity { platform, source_id, kind, .. } = &with_members.activity;
            let key = [platform, source_id, kind].map(|part| clean::key(part).into_owned());
            by_key.insert(key, with_members);
        }
        let mut rows = Self::default();
        for ([platform, source_id, kind], with_members) in by_key {
            let WithMembers { activity, member, object_member } = with_members;
            let text = |text: Option<String>| text.map(|text| clean::text(&text).into_owned());
            rows.ids.push(Uuid::now_v7());
            rows.members.push(member);
            rows.object_members.push(object_member);
            rows.platforms.push(platform);
            rows.kinds.push(kind);
            rows.source_ids.push(source_id);
            let source_parent_id = activity.source_parent_id.filter(|id| !id.is_empty());
            rows.source_parent_ids.push(source_parent_id.map(|id| clean::key(&id).into_owned()));
            rows.timestamps.push(clean::timestamp(activity.timestamp));
            rows.titles.push(text(activity.title));
            rows.bodies.push(text(activity.body));
            rows.urls.push(text(activity.url));
            rows.channels.push(text(activity.channel));
            rows.attributes.push(clean::json(Value::Object(activity.attributes)));
            rows.scores.push(activity.score);
            rows.contributions.push(activity.is_contribution);
        }
        rows
    }

    /// Ties this page's children to parents that are there, and children that were there before to
    /// parents that came with this page.
    async fn attach(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        now: Option<DateTime<Utc>>,
    ) -> Result<()> {
        sqlx::query!(
            r#"
            with page as (
                select * from unnest($2::text[], $3::text[], $4::text[], $5::text[])
                    as page (platform, source_id, type, source_parent_id)
            ), pairs as (
                select child.id as child, parent.id as parent
                from page
                join activities child on child.tenant_id = $1 and child.platform = page.platform
                    and child.source_id = page.source_id and child.type = page.type and child.parent_id is null
                join activities parent on parent.tenant_id = $1 and parent.platform = page.platform
                    and parent.source_id = page.source_parent_id and parent.id <> child.id
                where page.source_parent_id is not null
                union
                select child.id, parent.id
                from page
                join activities child on child.tenant_id = $1 and child.platform = page.platform
                    and child.source_parent_id = page.source_id and child.parent_id is null
                join activities parent on parent.tenant_id = $1 and parent.platform = page.platform
                    and parent.source_id = page.source_id and parent.type = page.type and parent.id <> child.id
            ), free as (
                -- One that is locked is in another page that is being committed: it is tied there, or
                -- at the end of that page's run.
                select id from activities where id in (select child from pairs) for no key update skip locked
            )
            update activities
            set parent_id = pairs.parent, updated_at = coalesce($6::timestamptz, now())
            from pairs join free on free.id = pairs.child
            where activities.id = pairs.child
            "#,
            tenant.0,
            &self.platforms,
            &self.source_ids,
            &self.kinds,
            &self.source_parent_ids as _,
            now,
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Ties the tenant's waiting children to parents that have come. Two pages that are committed at the
/// same moment do not see each other; the later of the two ends sees both.
pub(super) async fn attach_waiting_children(
    tx: &mut PgConnection,
    run: RunId,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    sqlx::query!(
        r#"
        with pairs as (
            select child.id as child, parent.id as parent
            from integration_runs r, integrations i, activities child, activities parent
            where r.id = $1 and i.id = r.integration_id
                and child.tenant_id = i.tenant_id and child.parent_id is null and child.source_parent_id is not null
                and parent.tenant_id = child.tenant_id and parent.platform = child.platform
                and parent.source_id = child.source_parent_id and parent.id <> child.id
        ), free as (
            -- One that is locked is in a page of a run that ends later, and does this again.
            select id from activities where id in (select child from pairs) for no key update skip locked
        )
        update activities
        set parent_id = pairs.parent, updated_at = coalesce($2::timestamptz, now())
        from pairs join free on free.id = pairs.child
        where activities.id = pairs.child
        "#,
        run.0,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
