//! Organizations, and who belongs to them, a page at a time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, clean};
use crate::domain::{Organization, TenantId};

/// Adds organizations that are new, merges what is told of the others, and ties members to them by
/// their names. Nothing is asked of the database if there is none.
pub(super) async fn upsert(
    tx: &mut PgConnection,
    tenant: TenantId,
    told: Vec<Organization>,
    belonging: Vec<(Uuid, String)>,
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let belonging = belonging.into_iter().map(|(member, name)| (member, cleaned_name(&name)));
    let (members, names): (Vec<_>, Vec<_>) = belonging.filter(|(_, it)| !it.is_empty()).unzip();
    let merely_named = names.iter().map(|name| Organization::named(name));
    let mut organizations: BTreeMap<String, Organization> = BTreeMap::new();
    for organization in told.into_iter().map(cleaned).chain(merely_named) {
        match organizations.get_mut(&organization.name) {
            Some(known) => known.merge(organization),
            None => drop(organizations.insert(organization.name.clone(), organization)),
        }
    }
    organizations.remove("");
    if !organizations.is_empty() {
        write(tx, tenant, organizations.into_values().collect(), now).await?;
    }
    if members.is_empty() {
        return Ok(());
    }
    tie(tx, tenant, &members, &names).await
}

/// In the order of their names, so that two pages wait for each other and do not deadlock. One that
/// learns nothing is neither written nor locked: everybody's page names the well-known companies.
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
        select said.id, $1, said.name, url, description, location, email, website, avatar_url, twitter_username,
            coalesce($11::timestamptz, now()), coalesce($11, now())
        from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
            as said (id, name, url, description, location, email, website, avatar_url, twitter_username)
        left join lateral (
            select
                (
                    coalesce(said.url, o.url), coalesce(said.description, o.description),
                    coalesce(said.location, o.location), coalesce(said.email, o.email),
                    coalesce(said.website, o.website), coalesce(said.avatar_url, o.avatar_url),
                    coalesce(said.twitter_username, o.twitter_username)
                ) is distinct from (
                    o.url, o.description, o.location, o.email, o.website, o.avatar_url, o.twitter_username
                ) as learns
            from organizations o
            where o.name = said.name and o.tenant_id = $1
            limit 1
        ) already on true
        where already.learns is distinct from false
        order by said.name
        on conflict (name, tenant_id) do update
        set url = coalesce(excluded.url, known.url),
            description = coalesce(excluded.description, known.description),
            location = coalesce(excluded.location, known.location),
            email = coalesce(excluded.email, known.email),
            website = coalesce(excluded.website, known.website),
            avatar_url = coalesce(excluded.avatar_url, known.avatar_url),
            twitter_username = coalesce(excluded.twitter_username, known.twitter_username),
            updated_at = excluded.updated_at
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
        name: cleaned_name(&said.name),
        url: text(said.url),
        description: text(said.description),
        location: text(said.location),
        email: text(said.email),
        website: text(said.website),
        avatar_url: text(said.avatar_url),
        twitter_username: text(said.twitter_username),
    }
}

fn cleaned_name(said: &str) -> String {
    clean::key(said.trim()).into_owned()
}
