//! What is said to a tenant whose integration cannot work as it is to be connected.

use shared::sdk::InvalidSettings;
use shared::store::NewIntegration;
use shared::verify::{self, Unworkable, Wish, check};

use super::Api;
use super::problem::{Problem, Type};

/// Nothing is stored before this passes.
pub(super) async fn can_work(api: &Api, wish: Wish<'_>) -> Result<(), Problem> {
    let kind = wish.integration.kind();
    verify::verify(&api.store, &api.vault, wish).await.map_err(|why| problem(kind, why))
}

/// The same; what is to be stored then.
pub(super) async fn to_be_connected(api: &Api, wish: Wish<'_>) -> Result<NewIntegration, Problem> {
    let kind = wish.integration.kind();
    let new = verify::to_be_connected(&api.store, &api.vault, wish, api.tick).await;
    new.map_err(|why| problem(kind, why))
}

/// The same, without asking the platform.
pub(super) async fn fits(api: &Api, wish: Wish<'_>) -> Result<(), Problem> {
    let kind = wish.integration.kind();
    check(&api.store, wish).await.map(drop).map_err(|why| problem(kind, why))
}

fn problem(kind: &str, why: Unworkable) -> Problem {
    match why {
        Unworkable::Settings(invalid) => unfit(invalid),
        Unworkable::Credential(wrong) => {
            Problem::new(Type::WrongCredential, wrong.to_string()).of("credential_id")
        }
        Unworkable::Refused(reason) => {
            Problem::new(Type::RefusedByPlatform, format!("{reason:#}")).of("settings")
        }
        Unworkable::RateLimited(wait) => Problem::rate_limited(kind, wait),
        Unworkable::Unavailable(reason) => Problem::platform_unavailable(kind, &reason),
        Unworkable::Store(error) => error.into(),
    }
}

fn unfit(invalid: InvalidSettings) -> Problem {
    let detail = invalid.to_string();
    let field = invalid.problem.field;
    let field = if field.is_empty() { "settings".into() } else { format!("settings.{field}") };
    Problem::new(Type::InvalidSettings, detail).of(field)
}
