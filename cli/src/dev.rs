//! `millrace dev`: both services and a database of their own, until Ctrl-C.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use shared::config::{Mistakes, PlatformArgs};
use shared::service::stop_on_signal;
use shared::store::Store;
use shared::telemetry::{self, LogFormat};

use crate::local::{Local, Setup, directory, master_keys};
use crate::secret_file::kept;
use crate::{stdout, tenants};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the HTTP API is served; port 0 takes a free one
    #[arg(long, env = "API_ADDRESS", default_value = "127.0.0.1:8080")]
    api_address: String,
    /// How long a tick is, in seconds
    #[arg(long, env = "TICK_SECONDS", default_value = "60")]
    tick_seconds: String,
    #[command(flatten)]
    platforms: PlatformArgs,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let setup = args.check_or_exit();
    let tick = setup.tick;
    telemetry::init(LogFormat::Auto)?;
    let stop = stop_on_signal()?;
    let local = Local::start(setup).await?;
    let told = invite(&local, tick).await;
    if told.is_ok() {
        stop.cancelled().await;
    }
    local.stop().await?;
    told.map(|()| ExitCode::SUCCESS)
}

impl Args {
    fn check_or_exit(&self) -> Setup {
        let mut mistakes = Mistakes::default();
        let api_address: Option<SocketAddr> = mistakes.read("--api-address", &self.api_address);
        let tick = mistakes.read_seconds("--tick-seconds", &self.tick_seconds);
        let platforms = self.platforms.check(&mut mistakes);
        let checked = api_address.zip(tick).zip(platforms);
        let ((api_address, tick), platforms) = mistakes.or_exit(checked);
        Setup { database: "millrace".to_owned(), platforms, tick, api_address }
    }
}

async fn invite(local: &Local, tick: Duration) -> anyhow::Result<()> {
    let token = token(&local.store, &directory().join("dev-token")).await?;
    Ok(stdout::line(invitation(local, token.expose_secret(), tick))?)
}

/// Lets in the tenant `dev`. It is kept beside the database, and so lets in the same tenant at the
/// next start.
async fn token(store: &Store, kept_in: &Path) -> anyhow::Result<SecretString> {
    let context = || format!("the token in {}", kept_in.display());
    let token = kept(kept_in, || tenants::new_token().into()).with_context(context)?;
    if store.tenant_of_token(token.expose_secret()).await?.is_none() {
        store.add_tenant("dev", token.expose_secret()).await?;
    }
    Ok(token)
}

/// What to type next.
fn invitation(local: &Local, token: &str, tick: Duration) -> String {
    let Local { api_url, database_url, .. } = local;
    let master_keys = master_keys();
    let master_keys = master_keys.display();
    format!(
        r#"
Millrace is up: the API at {api_url}, a tick every {tick:?}. Ctrl-C ends it; what is stored stays.

Connect the real dev.to, which is public and wants no key:

  curl -X POST {api_url}/v1/integrations \
    -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
    -d '{{"kind": "devto", "settings": {{"organizations": ["forem"]}}}}'

Look at it, and post a message by hand:

  export DATABASE_URL='{database_url}'
  export MASTER_KEYS_FILE='{master_keys}'
  millrace runs
  millrace run <id> --follow
  millrace process-integration -i <integration id> --onboarding
  psql "$DATABASE_URL" -c "insert into queue_messages (body) values
    ('{{\"type\": \"integration_process\", \"integrationId\": \"<integration id>\"}}')"

(`millrace` is `SQLX_OFFLINE=true cargo run --package cli --`.)
"#
    )
}

#[cfg(test)]
mod tests {
    use shared::clock::Clock;
    use sqlx::PgPool;

    use super::*;

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn every_start_lets_the_same_tenant_in(pool: PgPool) {
        let store = Store::new(pool, Clock::System);
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("dev-token");
        let (first, second) = (token(&store, &path).await, token(&store, &path).await);
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.expose_secret(), second.expose_secret());
        let known = store.tenant_of_token(first.expose_secret()).await.unwrap();
        assert_eq!(known, Some(tenants::find(&store, "dev").await.unwrap().id));
    }

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn a_new_database_is_given_the_tenant_of_the_token_that_was_kept(pool: PgPool) {
        let store = Store::new(pool, Clock::System);
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("dev-token");
        std::fs::write(&path, "mill_kept\n").unwrap();
        assert_eq!(token(&store, &path).await.unwrap().expose_secret(), "mill_kept");
        assert!(store.tenant_of_token("mill_kept").await.unwrap().is_some());
    }
}
