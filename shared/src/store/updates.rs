//! What is told of members that are known already: whoever is not is left out.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::{Result, clean};
use crate::domain::{Member, TenantId};

/// Merges reach and attributes into members found by their accounts: by id where there is one, else
/// by name. One that learns nothing is not written; rows are locked in one order.
pub(super) async fn update(
    tx: &mut PgConnection,
    tenant: TenantId,
    members: &[Member],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let identities = || members.iter().map(|member| &member.identity);
    let platforms: Vec<_> = identities().map(|it| clean::key(&it.platform)).collect();
    let platforms: Vec<&str> = platforms.iter().map(AsRef::as_ref).collect();
    let usernames: Vec<_> = identities().map(|it| clean::key(&it.username)).collect();
    let usernames: Vec<&str> = usernames.iter().map(AsRef::as_ref).collect();
    let source_ids: Vec<_> =
        identities().map(|it| it.source_id.as_deref().map(clean::key)).collect();
    let source_ids: Vec<Option<&str>> = source_ids.iter().map(Option::as_deref).collect();
    let reach: Vec<_> = members.iter().map(|member| json!(member.reach)).collect();
    let attributes: Vec<_> =
        members.iter().map(|member| clean::json(json!(member.attributes))).collect();
    sqlx::query!(
        r#"
        with said as (
            select distinct on (known.member_id) known.member_id, said.reach, said.attributes
            from unnest($2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[])
                as said (platform, username, source_id, reach, attributes)
            cross join lateral (
                select coalesce(
                    (
                        select i.member_id from member_identities i
                        where i.tenant_id = $1 and i.platform = said.platform and i.source_id = said.source_id
                    ),
                    (
                        select i.member_id from member_identities i
                        where i.tenant_id = $1 and i.platform = said.platform and i.username = said.username
                            and (i.source_id is null or said.source_id is null)
                    )
                ) as member_id
            ) known
            where known.member_id is not null
        ), learning as (
            select m.id
            from members m join said on said.member_id = m.id
            where not m.reach @> (said.reach - 'total')
                or m.attributes <> merged_attributes(m.attributes, said.attributes)
            order by m.id
            for no key update of m
        )
        update members m
        set reach = merged_reach(m.reach, said.reach - 'total'),
            attributes = merged_attributes(m.attributes, said.attributes),
            updated_at = coalesce($7::timestamptz, now())
        from said join learning on learning.id = said.member_id
        where m.id = said.member_id
        "#,
        tenant.0,
        &platforms as _,
        &usernames as _,
        &source_ids as _,
        &reach,
        &attributes,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}
