//! The HTTP API under `/v1`: connect integrations, ask for runs, look at what they do.
//!
//! * A bearer token says which tenant asks. Another tenant's rows are not there: 404.
//! * JSON in snake_case, times in RFC 3339, ids as UUIDs. Lists come in pages with a cursor.
//! * Every refusal is a problem (RFC 9457, `problem.rs`), also those of the router itself.
//! * What makes something is made once per `Idempotency-Key` (`once.rs`).
//! * The row is written first; its message is sent at once, and by the sweep if that fails.

mod body;
mod bring;
mod change;
mod connect;
mod credentials;
mod discoveries;
mod integrations;
mod once;
mod openapi;
mod page;
mod parameters;
mod problem;
mod request;
mod runs;
mod shown;
mod start;
mod tenant;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn;
use axum::routing::get;
use shared::domain::{RunId, TenantId};
use shared::outbox::send_now;
use shared::queue::Queue;
use shared::sdk::Registry;
use shared::store::{DueMessage, Store};
use shared::vault::Vault;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use problem::{no_such_method, no_such_route};

/// Bytes a request's body may have.
const BODY_LIMIT: usize = 1024 * 1024;

/// What the API works with.
#[derive(Clone)]
pub struct Api {
    pub store: Store,
    pub queue: Arc<dyn Queue>,
    pub registry: Registry,
    /// The tenants' credentials.
    pub vault: Vault,
    /// How long a tick is: the first check of a new integration is counted in them.
    pub tick: Duration,
}

/// Everything, ready to be served.
pub fn router(api: Api) -> Router {
    let (router, _) = routes().split_for_parts();
    // The document is the same for ever, and plain data always encodes.
    let document = openapi().to_json().expect("an OpenAPI document is JSON");
    let document = get(async move || ([(CONTENT_TYPE, "application/json")], document.clone()));
    router
        .route("/openapi.json", document)
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(request::answered))
        .with_state(Arc::new(api))
}

/// What the API says of itself; `docs/openapi.json` is this.
pub fn openapi() -> OpenApi {
    openapi::described(routes().into_openapi())
}

fn routes() -> OpenApiRouter<Arc<Api>> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(integrations::list, connect::connect))
        .routes(routes!(discoveries::discover))
        .routes(routes!(discoveries::show))
        .routes(routes!(integrations::show, change::change, integrations::delete))
        .routes(routes!(integrations::pause))
        .routes(routes!(integrations::resume))
        .routes(routes!(start::request_run))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(runs::streams))
        .routes(routes!(runs::explain))
        .routes(routes!(start::continue_run));
    let v1 = v1.routes(routes!(credentials::list, bring::add)).routes(routes!(
        credentials::show,
        bring::replace,
        credentials::delete
    ));
    OpenApiRouter::new().nest("/v1", v1)
}

impl Api {
    async fn send(&self, run: RunId, tenant: TenantId) {
        send_now(&self.store, &*self.queue, DueMessage { run, tenant }).await;
    }
}
