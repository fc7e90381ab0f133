//! How long a tick is, which all generators of a database must agree on: checks are due at numbered
//! ticks, and a generator that counted by another length would start them all at once, or never.

use std::time::Duration;

use shared::store::Store;
use tracing::warn;

/// The rest before a database that is away is asked again.
const REST: Duration = Duration::from_secs(1);

/// The database knows another length.
#[derive(Debug, thiserror::Error)]
#[error(
    "--tick-seconds: must be {} as it was before on this database, not {}; how to change it stands \
     in docs/operations.md",
    known.as_secs(),
    asked.as_secs()
)]
pub struct OtherTicks {
    asked: Duration,
    known: Duration,
}

/// Returns when the database has answered.
pub async fn agree_on_ticks(store: &Store, asked: Duration) -> Result<(), OtherTicks> {
    loop {
        match store.agree_on_tick(asked).await {
            Ok(known) if known == asked => return Ok(()),
            Ok(known) => return Err(OtherTicks { asked, known }),
            Err(error) => warn!("asking how long a tick is: {error}"),
        }
        tokio::time::sleep(REST).await;
    }
}
