//! Whether settings can work: they decode, and the platform, asked once, does not object.

use std::time::Duration;

use serde_json::Value;
use shared::domain::RunMode;
use shared::sdk::{DynIntegration, InvalidSettings, RawConnection, SyncError};
use shared::store::IdempotencyKey;
use tokio::time::timeout;

use super::Api;
use super::problem::{Problem, Type};

/// How long a platform may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
// Or every slow request would lose its key to the one sent after it.
const _: () = assert!(PATIENCE.as_secs() < IdempotencyKey::HOLD.as_secs());

/// Nothing is stored before this passes. Only HTTP in here: it may be cut off in the middle.
pub(super) async fn verify(
    api: &Api,
    integration: &dyn DynIntegration,
    settings: &Value,
    units: &[String],
) -> Result<(), Problem> {
    integration.check_settings(settings).map_err(unfit)?;
    let connection = RawConnection {
        mode: RunMode::Onboarding,
        started_at: api.store.now().await?,
        settings: settings.clone(),
        state: None,
        units: units.to_vec(),
    };
    match timeout(PATIENCE, integration.verify(connection)).await {
        Ok(verdict) => verdict.map_err(|error| refused(integration.kind(), error)),
        Err(_) => Err(unavailable(integration.kind(), &format!("no answer within {PATIENCE:?}"))),
    }
}

fn unfit(invalid: InvalidSettings) -> Problem {
    let detail = invalid.to_string();
    let field = invalid.problem.field;
    let field = if field.is_empty() { "settings".into() } else { format!("settings.{field}") };
    Problem::new(Type::InvalidSettings, detail).of(field)
}

/// The integration's own words are written for the tenant.
fn refused(kind: &str, error: SyncError) -> Problem {
    match error {
        SyncError::Permanent(reason) | SyncError::Unauthorized(reason) => {
            Problem::new(Type::RefusedByPlatform, format!("{reason:#}")).of("settings")
        }
        SyncError::RateLimited { retry_after } => {
            let detail =
                format!("{kind} wants to be asked later; nothing was stored, so try again then");
            Problem::new(Type::PlatformRateLimit, detail).retry_after(retry_after)
        }
        SyncError::Other(reason) => unavailable(kind, &format!("{reason:#}")),
    }
}

fn unavailable(kind: &str, why: &str) -> Problem {
    let detail = format!("asking {kind}: {why}; nothing was stored, so try again");
    Problem::new(Type::PlatformUnavailable, detail)
}
