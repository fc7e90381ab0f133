//! `POST /v1/credentials` and `PATCH /v1/credentials/{id}`: a tenant brings a credential, or another
//! in place of one that there is.
//!
//! What is wrong with one is said without quoting it, and a request that may be sent twice is
//! remembered by a fingerprint that tells nothing without the master key.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use shared::domain::{Credential, CredentialId, KnownCredential, TenantId};
use shared::sdk::{SyncError, UnknownCredential};
use shared::store::KeptAnswer;
use shared::vault::{Brought, Unacceptable, Vault, credential_from_json};
use tracing::info;
use utoipa::ToSchema;

use super::body::Body;
use super::once::{self, Key, Once, made};
use super::parameters::Id;
use super::problem::{Problem, Type};
use super::tenant::Tenant;
use super::{Api, shown};

/// Longer than adding one may take: whoever sends the same again meanwhile waits. Both would spend the
/// same refresh token, and lose the grant.
const HOLD: Duration = Duration::from_secs(180);
const _: () = assert!(HOLD.as_secs() > Vault::ADDING_AT_MOST.as_secs());

/// What lets integrations in at a platform.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCredential {
    /// Where it lets in, as `slack`.
    platform: String,
    /// `{"type": "secret", "secret": …}`, `{"type": "fields", "fields": {…}}`, `{"type": "oauth2",
    /// "client_id": …, "client_secret": …, "access_token": …, "refresh_token": …, "expires_at": …}` or
    /// `{"type": "github_app", "app_id": …, "installation_id": …, "private_key": …}`.
    #[schema(value_type = Object)]
    credential: Value,
}

/// What is brought in place of what there is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OtherCredential {
    /// As when adding one.
    #[schema(value_type = Object)]
    credential: Value,
}

/// Add a credential
///
/// The platform is asked whose it is; then it is sealed and stored. Whatever is refused, nothing was
/// stored. The secret is never shown again.
#[utoipa::path(
    post,
    path = "/credentials",
    operation_id = "add_credential",
    tag = "credentials",
    params(Key),
    request_body = NewCredential,
    responses((
        status = 201,
        description = "Stored; `Location` is the credential",
        body = shown::Credential,
        headers(("Location" = String)),
    )),
)]
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Tenant(tenant): Tenant,
    key: Key,
    Body(wanted): Body<NewCredential>,
) -> Result<Response, Problem> {
    let NewCredential { platform, credential } = wanted;
    let credential = decoded(credential)?;
    let fingerprint = api.vault.fingerprint(&credential).map_err(|why| refused(&platform, why))?;
    let brought = Brought { platform, credential };
    let asked = ("add_credential", brought.platform.clone(), fingerprint);
    let request = once::Request::of(&api, tenant, key).held_for(HOLD);
    request.carry_out(&asked, async |once| add_now(&api, tenant, brought, once).await).await
}

async fn add_now(
    api: &Api,
    tenant: TenantId,
    brought: Brought,
    once: &Once,
) -> Result<KeptAnswer, Problem> {
    let platform = brought.platform.clone();
    let added = api.vault.add(tenant, brought, once.keep(&answer)).await;
    let added = added.map_err(|why| refused(&platform, why))?;
    info!(credential.id = %added.id, platform, "a credential was added");
    Ok(answer(&added))
}

fn answer(added: &KnownCredential) -> KeptAnswer {
    let location = format!("/v1/credentials/{}", added.id);
    made(StatusCode::CREATED, location, &shown::Credential::from(added))
}

/// Replace a credential
///
/// With another of the same organization. It is valid again, and integrations that needed to be
/// reconnected because of it are fetched again.
#[utoipa::path(
    patch,
    path = "/credentials/{id}",
    operation_id = "replace_credential",
    tag = "credentials",
    params(("id" = CredentialId, Path)),
    request_body = OtherCredential,
    responses((status = 200, description = "As it is now", body = shown::Credential)),
)]
pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    tenant: Tenant,
    Id(id): Id<CredentialId>,
    Body(wanted): Body<OtherCredential>,
) -> Result<Json<shown::Credential>, Problem> {
    let known = tenant.credential(&api, id).await?;
    let replaced = api.vault.replace(&known, decoded(wanted.credential)?).await;
    let replaced = replaced.map_err(|why| refused(&known.platform, why))?;
    // Deleted meanwhile.
    let replaced = replaced.ok_or_else(|| Problem::not_found("credential", id))?;
    info!(credential.id = %id, "a credential was replaced");
    Ok(Json(shown::Credential::from(&replaced)))
}

fn decoded(credential: Value) -> Result<Credential, Problem> {
    credential_from_json(credential).map_err(|error| wrong(error.to_string()))
}

fn wrong(why: String) -> Problem {
    Problem::new(Type::WrongCredential, format!("credential: {why}")).of("credential")
}

fn refused(platform: &str, why: Unacceptable) -> Problem {
    match why {
        Unacceptable::Unknown(unknown @ UnknownCredential::Platform { .. }) => {
            Problem::new(Type::WrongCredential, unknown.to_string()).of("platform")
        }
        Unacceptable::Platform(
            SyncError::RateLimited { retry_after } | SyncError::OverQuota { retry_after, .. },
        ) => Problem::rate_limited(platform, retry_after),
        Unacceptable::Platform(SyncError::Other(why)) => {
            Problem::platform_unavailable(platform, &why)
        }
        Unacceptable::Platform(SyncError::Permanent(why) | SyncError::Unauthorized(why)) => {
            Problem::new(Type::RefusedByPlatform, format!("{why:#}")).of("credential")
        }
        Unacceptable::NoMasterKey(missing) => Problem::new(Type::NoMasterKey, missing.to_string()),
        Unacceptable::Store(error) => error.into(),
        Unacceptable::Unknown(_)
        | Unacceptable::TooLong(_)
        | Unacceptable::Expired
        | Unacceptable::Unsuitable { .. }
        | Unacceptable::OfAnotherOrganization { .. } => wrong(why.to_string()),
    }
}
