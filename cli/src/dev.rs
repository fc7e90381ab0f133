//! `millrace dev`: both services and a database of their own, until Ctrl-C.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use shared::config::{Mistakes, PlatformArgs};
use shared::service::stop_on_signal;
use shared::telemetry::{self, LogFormat};

use crate::local::{Local, Setup, master_keys};

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
    let token = local.add_tenant("dev").await?;
    println!("{}", invitation(&local, &token, tick));
    stop.cancelled().await;
    local.stop().await?;
    Ok(ExitCode::SUCCESS)
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

(`millrace` is `cargo run --package cli --`.)
"#
    )
}
