//! Whether the database is there: asked once, and answered at once. A pool would try for a while and
//! then only say that it tried.

use std::io;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

/// How long the answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// It may be there in a moment: it is starting, or is yet to be made.
    #[error("the database is not there: {0}")]
    NotThere(sqlx::Error),
    /// It does not know us, and waiting does not help.
    #[error("the database does not let us in: {0}")]
    Refused(sqlx::Error),
    #[error("the database's URL: {0}")]
    Misnamed(sqlx::Error),
}

/// Connects, and lets go again.
pub async fn reach_database(database_url: &str) -> Result<(), Unreachable> {
    let options: PgConnectOptions = database_url.parse().map_err(Unreachable::Misnamed)?;
    let connected = timeout(ANSWER_WITHIN, options.connect()).await;
    let answer = match connected.unwrap_or_else(|_| Err(too_late())) {
        Ok(connection) => connection.close().await,
        Err(error) => Err(error),
    };
    answer.map_err(|error| {
        if is_refusal(&error) { Unreachable::Refused(error) } else { Unreachable::NotThere(error) }
    })
}

fn too_late() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in five seconds"))
}

fn is_refusal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    // invalid_authorization_specification and its kin
    code.is_some_and(|code| code.starts_with("28"))
}
