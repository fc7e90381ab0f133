//! `millrace demo`: a whole life in a minute. Simulated platforms are connected through the HTTP API,
//! onboarded, changed upstream, checked twice; then what is stored is shown. Ends by itself.

mod cast;
mod devto;
mod discord;
mod github;
mod slack;
mod twitter;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use indicatif::MultiProgress;
use reqwest::Client;
use serde_json::{Value, json};
use shared::domain::{IntegrationId, RunId, RunState};
use shared::store::{RunFilter, Store};

use cast::{Act, Scale, cast, platforms};

use crate::local::{Local, Setup, any_port};
use crate::{closing_table, progress, stdout};

/// A tick of a second keeps the demonstration short.
const TICK: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Comments on the simulated dev.to
    #[arg(long, default_value_t = 5_000)]
    comments: usize,
}

/// A platform that is connected.
struct Connected<'a> {
    act: &'a dyn Act,
    integration: IntegrationId,
    onboarding: RunId,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let cast = cast(Scale { comments: args.comments }).await?;
    for act in &cast {
        stdout::line(format!("A simulated {} is up at {}.", act.kind(), act.url()))?;
    }
    let local = Local::start(Setup {
        database: format!("demo_{}", std::process::id()),
        platforms: platforms(&cast)?,
        tick: TICK,
        api_address: any_port(),
    })
    .await?;

    let told = tokio::select! {
        told = tell(&local, &cast) => told,
        stopped = tokio::signal::ctrl_c() => stopped.context("listening for Ctrl-C"),
    };
    local.drop_database_and_stop().await?;
    told.map(|()| ExitCode::SUCCESS)
}

/// The story, in the order a user would live it.
async fn tell(local: &Local, cast: &[Box<dyn Act>]) -> anyhow::Result<()> {
    stdout::line("PostgreSQL, job-generator and worker are up.\n")?;
    let token = local.add_tenant("demo").await?;
    let user = User { api_url: local.api_url.clone(), token };
    let connected = connect_all(&user, cast).await?;
    stdout::line("The onboardings read everything there is:")?;
    let onboardings = connected.iter().map(|it| (it.act.kind(), it.onboarding));
    follow_all(&local.store, onboardings).await?;
    for round in 1..=2 {
        check_all(&user, &local.store, &connected, round).await?;
    }
    stdout::line("")?;
    closing_table::print(&local.store).await
}

/// As a user's product would: with a token, over HTTP.
async fn connect_all<'a>(
    user: &User,
    cast: &'a [Box<dyn Act>],
) -> anyhow::Result<Vec<Connected<'a>>> {
    let mut credentials = HashMap::new();
    let mut connected = Vec::new();
    for act in cast {
        if let Some(credential) = act.credential() {
            let brought = bring(user, act.platform(), &credential).await?;
            credentials.insert(act.platform(), brought);
        }
        let credential = credentials.get(act.platform());
        connected.push(connect(user, &**act, credential).await?);
    }
    stdout::line("")?;
    Ok(connected)
}

/// Nothing of a credential is shown, here or later.
async fn bring(user: &User, platform: &str, credential: &Value) -> anyhow::Result<Value> {
    stdout::line(format!("POST {}/v1/credentials\n     one for {platform}", user.api_url))?;
    let body = json!({ "platform": platform, "credential": credential });
    Ok(user.post("/v1/credentials", &body).await?["id"].take())
}

async fn connect<'a>(
    user: &User,
    act: &'a dyn Act,
    credential: Option<&Value>,
) -> anyhow::Result<Connected<'a>> {
    let mut body = json!({ "kind": act.kind(), "settings": act.settings() });
    if let Some(credential) = credential {
        body["credential_id"] = credential.clone();
    }
    let shown = stdout::excerpt(&body.to_string(), 120);
    stdout::line(format!("POST {}/v1/integrations\n     {shown}", user.api_url))?;
    let made = user.post("/v1/integrations", &body).await?;
    let (integration, onboarding) = (id(&made, "/integration/id")?, id(&made, "/run/id")?);
    Ok(Connected { act, integration: integration.parse()?, onboarding: onboarding.parse()? })
}

/// Somebody with a token of the API.
struct User {
    api_url: String,
    token: String,
}

impl User {
    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.api_url);
        let answer = Client::new().post(url).bearer_auth(&self.token).json(body).send().await?;
        let status = answer.status();
        let made: Value = answer.json().await?;
        ensure!(status.is_success(), "the API answered {status}: {made}");
        stdout::line(format!("     {status}"))?;
        Ok(made)
    }
}

fn id<'a>(made: &'a Value, path: &str) -> anyhow::Result<&'a str> {
    made.pointer(path).and_then(Value::as_str).with_context(|| format!("{path} is missing"))
}

/// People write everywhere, and the next ticks find just that.
async fn check_all(
    user: &User,
    store: &Store,
    connected: &[Connected<'_>],
    round: usize,
) -> anyhow::Result<()> {
    let mut before = Vec::new();
    stdout::line("")?;
    for it in connected {
        let known = it.act.stored(store, it.integration).await?;
        let written = it.act.write_upstream(round).await;
        stdout::line(format!("On {}, {}.", it.act.kind(), written.said))?;
        before.push((known, written.new, it.act.requests()));
    }
    let since = store.now().await?;
    stdout::line("Each is checked when a tick reaches it:")?;
    for it in connected.iter().filter(|it| it.act.is_checked_daily()) {
        let path = format!("/v1/integrations/{}/runs", it.integration);
        stdout::line(format!("POST {}{path}\n     without waiting for tomorrow", user.api_url))?;
        user.post(&path, &json!({ "mode": "check" })).await?;
    }
    let checks = connected.iter().map(async |it| next_check(store, it, since).await);
    try_join_all(checks).await?;
    for (it, (known, written, requests)) in connected.iter().zip(before) {
        let found = it.act.stored(store, it.integration).await? - known;
        let (kind, counted) = (it.act.kind(), it.act.counted());
        let requests = it.act.requests() - requests;
        stdout::line(format!(
            "{kind}: found {found} of {written} new {counted} in {requests} requests."
        ))?;
        ensure!(found == written, "{written} new {counted} were to be found on {kind}");
    }
    Ok(())
}

/// Waits for the first run that began after `since`, and follows it.
async fn next_check(store: &Store, it: &Connected<'_>, since: DateTime<Utc>) -> anyhow::Result<()> {
    loop {
        let filter = RunFilter { integration: Some(it.integration), ..RunFilter::default() };
        let newest = store.runs(filter, 1).await?;
        if let Some(check) = newest.iter().find(|run| run.created_at >= since) {
            return follow_all(store, [(it.act.kind(), check.id)]).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Side by side, each under its name.
async fn follow_all(
    store: &Store,
    runs: impl IntoIterator<Item = (&'static str, RunId)>,
) -> anyhow::Result<()> {
    let bars = MultiProgress::new();
    let runs = runs.into_iter().map(async |(kind, run)| {
        let output = progress::Output::of_stdout_among(&bars, kind);
        let ended = progress::follow(store, run, output).await?;
        ensure!(ended == RunState::Processed, "{kind}: run {run} ended in {}", ended.as_str());
        anyhow::Ok(())
    });
    try_join_all(runs).await.map(drop)
}
