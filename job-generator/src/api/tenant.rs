//! Who asks: the tenant that the bearer token belongs to.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shared::domain::{
    CredentialId, Discovery, DiscoveryId, Integration, IntegrationId, KnownCredential, Run, RunId,
    TenantId,
};
use tracing::Span;

use super::Api;
use super::problem::{Problem, Type};

/// The tenant that asks. What it does not own is not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tenant(pub(super) TenantId);

impl FromRequestParts<Arc<Api>> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let token = bearer_token(parts)
            .ok_or_else(|| refused("send the tenant's token as `Authorization: Bearer …`"))?;
        let tenant = api.store.tenant_of_token(token).await?;
        let tenant = tenant.ok_or_else(|| refused("the token is not one of ours"))?;
        Span::current().record("tenant.id", tracing::field::display(tenant));
        Ok(Self(tenant))
    }
}

fn bearer_token(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn refused(why: &str) -> Problem {
    Problem::new(Type::Unauthenticated, why)
}

impl Tenant {
    pub(super) async fn integration(
        self,
        api: &Api,
        id: IntegrationId,
    ) -> Result<Integration, Problem> {
        let known = api.store.integration(id).await?;
        let own = known.filter(|integration| integration.tenant_id == self.0);
        own.ok_or_else(|| Problem::not_found("integration", id))
    }

    pub(super) async fn credential(
        self,
        api: &Api,
        id: CredentialId,
    ) -> Result<KnownCredential, Problem> {
        let known = api.store.credential(id).await?;
        let own = known.filter(|credential| credential.tenant_id == self.0);
        own.ok_or_else(|| Problem::not_found("credential", id))
    }

    pub(super) async fn discovery(self, api: &Api, id: DiscoveryId) -> Result<Discovery, Problem> {
        let own = api.store.discovery(id).await?.filter(|known| known.tenant_id == self.0);
        own.ok_or_else(|| Problem::not_found("discovery", id))
    }

    pub(super) async fn run(self, api: &Api, id: RunId) -> Result<Run, Problem> {
        let own = api.store.run(id).await?.filter(|run| run.tenant_id == self.0);
        own.ok_or_else(|| Problem::not_found("run", id))
    }
}
