//! Activities, upserted a page at a time. Those that answer others are tied to them in `parents.rs`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::parents::Families;
use super::{Result, clean};
use crate::domain::{Activity, IntegrationId, TenantId};

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
            id, tenant_id, integration_id, member_id, object_member_id, platform, type, source_id,
            source_parent_platform, source_parent_id, parent_id, timestamp, title, body, url, channel, attributes, score, is_contribution, created_at, updated_at
        )
        select
            id, $1, $2, member_id, object_member_id, platform, type, source_id,
            source_parent_platform, source_parent_id,
            -- Already here, since to tie a child later is to write it twice.
            coalesce(
                (
                    select parent.id
                    from activities parent
                    where parent.tenant_id = $1 and parent.platform = activity.source_parent_platform
                        and parent.source_id = activity.source_parent_id
                    limit 1
                ),
                parent_in_page
            ),
            timestamp, title, body, url, channel, attributes, score, is_contribution,
            coalesce($18::timestamptz, now()), coalesce($18, now())
        from unnest(
            $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::smallint[], $17::bool[],
            $19::uuid[], $20::text[]
        ) as activity (
            id, member_id, object_member_id, platform, type, source_id, source_parent_id,
            timestamp, title, body, url, channel, attributes, score, is_contribution, parent_in_page,
            source_parent_platform
        )
        order by platform, source_id, type
        on conflict (tenant_id, platform, source_id, type) do update
        set integration_id = excluded.integration_id,
            member_id = excluded.member_id,
            object_member_id = coalesce(excluded.object_member_id, activities.object_member_id),
            source_parent_platform = coalesce(excluded.source_parent_platform, activities.source_parent_platform),
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
                    and coalesce(excluded.source_parent_platform, activities.source_parent_platform)
                        = activities.source_parent_platform
                    then activities.parent_id
            end,
            updated_at = excluded.updated_at
        where (
            activities.member_id, activities.object_member_id, activities.source_parent_platform,
            activities.source_parent_id, activities.title, activities.body, activities.url, activities.channel, activities.score, activities.is_contribution
        ) is distinct from (
            excluded.member_id, coalesce(excluded.object_member_id, activities.object_member_id),
            coalesce(excluded.source_parent_platform, activities.source_parent_platform),
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
        &rows.parents_in_page as _,
        &rows.source_parent_platforms as _,
    )
    .execute(&mut *tx)
    .await?;
    let families = Families {
        platforms: &rows.platforms,
        source_ids: &rows.source_ids,
        kinds: &rows.kinds,
        source_parent_platforms: &rows.source_parent_platforms,
        source_parent_ids: &rows.source_parent_ids,
    };
    families.unite(tx, tenant, now).await
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
    source_parent_platforms: Vec<Option<String>>,
    source_parent_ids: Vec<Option<String>>,
    timestamps: Vec<DateTime<Utc>>,
    titles: Vec<Option<String>>,
    bodies: Vec<Option<String>>,
    urls: Vec<Option<String>>,
    channels: Vec<Option<String>>,
    attributes: Vec<Value>,
    scores: Vec<i16>,
    contributions: Vec<bool>,
    /// The ids that parents will have, unless they are known already.
    parents_in_page: Vec<Option<Uuid>>,
}

/// Platform, id there, and type.
type Key = [String; 3];

impl Rows {
    fn of(activities: Vec<WithMembers>) -> Self {
        let mut by_key = BTreeMap::new();
        for with_members in activities {
            let Activity { platform, source_id, kind, .. } = &with_members.activity;
            let key = [platform, source_id, kind].map(|part| clean::key(part).into_owned());
            by_key.insert(key, with_members);
        }
        let ids: BTreeMap<Key, Uuid> =
            by_key.keys().map(|key| (key.clone(), Uuid::now_v7())).collect();
        let mut rows = Self::default();
        for (key, with_members) in by_key {
            let WithMembers { activity, member, object_member } = with_members;
            let text = |text: Option<String>| text.map(|text| clean::text(&text).into_owned());
            let source_parent_id = activity.source_parent_id.filter(|id| !id.is_empty());
            let source_parent_id = source_parent_id.map(|id| clean::key(&id).into_owned());
            let parent_platform = activity.source_parent_platform;
            let parent_platform = parent_platform.map(|on| clean::key(&on).into_owned());
            let named = source_parent_id.as_deref();
            let parent_platform = named.map(|_| parent_platform.unwrap_or_else(|| key[0].clone()));
            let parent = parent_platform.as_deref().zip(named);
            let parent = parent.and_then(|(on, id)| parent_of(&key, on, id, &ids));
            rows.ids.push(ids[&key]);
            rows.parents_in_page.push(parent);
            rows.source_parent_platforms.push(parent_platform);
            rows.source_parent_ids.push(source_parent_id);
            let [platform, source_id, kind] = key;
            rows.members.push(member);
            rows.object_members.push(object_member);
            rows.platforms.push(platform);
            rows.kinds.push(kind);
            rows.source_ids.push(source_id);
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
}

/// Another activity of the page that goes by the parent's id.
fn parent_of(child: &Key, platform: &str, id: &str, ids: &BTreeMap<Key, Uuid>) -> Option<Uuid> {
    let first = [platform.to_owned(), id.to_owned(), String::new()];
    let mut called_so =
        ids.range(first..).take_while(|([on, called, _], _)| on == platform && called == id);
    called_so.find(|(key, _)| *key != child).map(|(_, id)| *id)
}
