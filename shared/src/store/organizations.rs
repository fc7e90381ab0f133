//! Organizations, and who belongs to them, a page at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, clean};
use crate::domain::{Organization, TenantId};

/// Adds organizations that are new, merges what is said of the others, and ties members to them.
/// Nothing is asked of the database if nobody belongs anywhere.
pub(super) async fn upsert(
    tx: &mut PgConnection,
    tenant: TenantId,
    belonging: Vec<(Uuid, Organization)>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let mut members = Vec::new();
    let mut names = Vec::new();
    let mut organizations: BTreeMap<String, Organization> = BTreeMap::new();
    for (member, organization) in belonging {
        let organization = cleaned(organization);
        if organization.name.is_empty() {
            continue;
        }
        members.push(member);
        names.push(organization.name.clone());
        match organizations.get_mut(&organization.name) {
            Some(known) => known.merge(organization),
            None => drop(organizations.insert(organization.name.clone(), organization)),
        }
    }
    if members.is_empty() {
        return Ok(());
    }
    write(tx, tenant, organizations.into_values().collect(), now).await?;
    tie(tx, tenant, &members, &names).await
}

/// In the order of their names, so that two pages wait for each other and do not deadlock. One that
/// learns nothing is not written.
async fn write(
    tx: &mut PgConnection,
    tenant: TenantId,
    organizations: Vec<Organization>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let ids: Vec<Uuid> = organizations.iter().map(|_| Uuid::now_v7()).collect();
    let column = |of: fn(&Organization) -> Option<String>| -> Vec<Option<String>> {
        organizations.iter().map(of).collect()
    };
    sqlx::query!(
        r#"
        insert into organizations as known
            (id, tenant_id, name, url, description, location, email, website, avatar_url, twitter_username, created_at, updated_at)
        select id, $1, name, url, description, location, email, website, avatar_url, twitter_username,
            coalesce($11::timestamptz, now()), coalesce($11, now())
        from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
            as said (id, name, url, description, location, email, website, avatar_url, twitter_username)
        order by name
        on conflict (name, tenant_id) do update
        set url = coalesce(excluded.url, known.url),
            description = coalesce(excluded.description, known.description),
            location = coalesce(excluded.location, known.location),
            email = coalesce(excluded.email, known.email),
            website = coalesce(excluded.website, known.website),
            avatar_url = coalesce(excluded.avatar_url, known.avatar_url),
            twitter_username = coalesce(excluded.twitter_username, known.twitter_username),
            updated_at = excluded.updated_at
        where (excluded.url, excluded.description, excluded.location, excluded.email, excluded.website,
                excluded.avatar_url, excluded.twitter_username)
            is distinct from (known.url, known.description, known.location, known.email, known.website,
                known.avatar_url, known.twitter_username)
        "#,
        tenant.0,
        &ids,
        &column(|it| Some(it.name.clone())) as _,
        &column(|it| it.url.clone()) as _,
        &column(|it| it.description.clone()) as _,
        &column(|it| it.location.clone()) as _,
        &column(|it| it.email.clone()) as _,
        &column(|it| it.website.clone()) as _,
        &column(|it| it.avatar_url.clone()) as _,
        &column(|it| it.twitter_username.clone()) as _,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn tie(
    tx: &mut PgConnection,
    tenant: TenantId,
    members: &[Uuid],
    names: &[String],
) -> Result<()> {
    sqlx::query!(
        r#"
        insert into member_organizations (member_id, organization_id)
        select said.member_id, known.id
        from unnest($2::uuid[], $3::text[]) as said (member_id, name)
        cross join lateral (
            select id from organizations where name = said.name and tenant_id = $1 limit 1
        ) known
        order by 1, 2
        on conflict do nothing
        "#,
        tenant.0,
        members,
        names,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What can be stored; empty text says nothing.
fn cleaned(said: Organization) -> Organization {
    let text = |text: Option<String>| {
        text.map(|text| clean::text(&text).into_owned()).filter(|text| !text.is_empty())
    };
    Organization {
        name: clean::key(said.name.trim()).into_owned(),
        url: text(said.url),
        description: text(said.description),
        location: text(said.location),
        email: text(said.email),
        website: text(said.website),
        avatar_url: text(said.avatar_url),
        twitter_username: text(said.twitter_username),
    }
}
