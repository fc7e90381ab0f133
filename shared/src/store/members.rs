//! Members, merged a page at a time. Whose accounts are whose is settled before, in `identities.rs`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::{Member, TenantId};

/// Merges what is said about members into what is known. A row that learns nothing is neither
/// written nor locked.
pub(super) async fn upsert(
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
        names.push(member.display_name);
        emails.push(one_per_line(member.emails));
        joined.push(member.joined_at);
        reach.push(json!(member.reach));
        attributes.push(json!(member.attributes));
    }
    sqlx::query!(
        r#"
        insert into members (id, tenant_id, display_name, emails, joined_at, reach, attributes, created_at, updated_at)
        select
            said.id, $1, display_name, string_to_array(emails, E'\n'), joined_at, merged_reach('{}', reach), attributes,
            coalesce($8::timestamptz, now()), coalesce($8, now())
        from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::jsonb[], $7::jsonb[])
            as said (id, display_name, emails, joined_at, reach, attributes)
        left join lateral (
            select coalesce(
                (known.display_name is null and said.display_name is not null)
                    or not string_to_array(said.emails, E'\n') <@ known.emails
                    or said.joined_at < known.joined_at
                    or (known.joined_at is null and said.joined_at is not null)
                    or not known.reach @> said.reach
                    -- Containing them is not enough: a shorter list is contained in a longer one.
                    or (
                        known.attributes <> said.attributes
                        and known.attributes <> merged_attributes(known.attributes, said.attributes)
                    ),
                false
            ) as learns
            from members known
            where known.id = said.id
            limit 1
        ) known on true
        -- A conflict locks the row, and each page would wait for every other that mentions the same
        -- well-known people.
        where known.learns is distinct from false
        order by said.id
        on conflict (id) do update
        set display_name = coalesce(members.display_name, excluded.display_name),
            emails = merged_set(members.emails, excluded.emails),
            joined_at = least(members.joined_at, excluded.joined_at),
            reach = merged_reach(members.reach, excluded.reach - 'total'),
            attributes = merged_attributes(members.attributes, excluded.attributes),
            updated_at = excluded.updated_at
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
    let emails = emails.into_iter().map(|email| email.replace('\n', ""));
    emails.collect::<Vec<_>>().join("\n")
}
