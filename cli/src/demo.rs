//! `millrace demo`: a whole life in a minute. A simulated dev.to is connected through the HTTP API,
//! onboarded, changed upstream, checked twice; then what is stored is shown. Ends by itself.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Client;
use sandbox::devto::{Community, Devto, RateLimit};
use serde_json::{Value, json};
use shared::config::PlatformConfig;
use shared::domain::{IntegrationId, RunId, RunState};
use shared::store::{RunFilter, Store};

use crate::local::{Local, Setup, any_port};
use crate::{closing_table, progress};

/// A tick of a second keeps the demonstration short.
const TICK: Duration = Duration::from_secs(1);
/// How often dev.to is checked.
const TICKS_BETWEEN_CHECKS: u32 = 20;
const ARTICLES: usize = 300;
const COMMENTS: usize = 5_000;
const SEED: u64 = 20_260_511;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Comments in the simulated community
    #[arg(long, default_value_t = COMMENTS)]
    comments: usize,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let devto = Devto::serve(Community::realistic(SEED, ARTICLES, args.comments)).await?;
    devto.set_latency(Duration::from_millis(20));
    devto.limit(Some(RateLimit { requests: 100, per: Duration::from_secs(2) }));
    println!("A simulated dev.to is up at {}.", devto.url());
    let local = Local::start(Setup {
        database: format!("demo_{}", std::process::id()),
        platforms: PlatformConfig { devto_url: devto.url().parse()? },
        tick: TICK,
        api_address: any_port(),
    })
    .await?;
    println!("PostgreSQL, job-generator and worker are up.\n");

    let told = tokio::select! {
        told = tell(&local, &devto) => told,
        stopped = tokio::signal::ctrl_c() => stopped.context("listening for Ctrl-C"),
    };
    local.drop_database_and_stop().await?;
    told.map(|()| ExitCode::SUCCESS)
}

/// The story, in the order a user would live it.
async fn tell(local: &Local, devto: &Devto) -> anyhow::Result<()> {
    let (integration, onboarding) = connect(local, devto).await?;
    println!("The onboarding reads everything there is:");
    follow(&local.store, onboarding).await?;
    for round in 1..=2 {
        let said = write_upstream(devto, round);
        println!("\nUpstream, {said}. A check is due within {TICKS_BETWEEN_CHECKS} ticks.");
        let known = local.store.count_stored().await?;
        let asked = devto.request_count();
        let check = next_check(&local.store, integration).await?;
        follow(&local.store, check).await?;
        let news = local.store.count_stored().await?.activities - known.activities;
        println!("It found {news} new ones in {} requests.", devto.request_count() - asked);
    }
    println!();
    closing_table::print(&local.store).await
}

/// As a user's product would: with a token, over HTTP.
async fn connect(local: &Local, devto: &Devto) -> anyhow::Result<(IntegrationId, RunId)> {
    let token = local.add_tenant("demo").await?;
    let body = json!({ "kind": "devto", "settings": devto.look(settings) });
    println!("POST {}/v1/integrations\n     {body}", local.api_url);
    let request = Client::new().post(format!("{}/v1/integrations", local.api_url));
    let answer = request.bearer_auth(token).json(&body).send().await?;
    let status = answer.status();
    let connected: Value = answer.json().await?;
    ensure!(status.is_success(), "the API answered {status}: {connected}");
    println!("     {status}\n");
    let id = |path: &str| connected.pointer(path).and_then(Value::as_str).context(path.to_owned());
    Ok((id("/integration/id")?.parse()?, id("/run/id")?.parse()?))
}

/// Every organization there is.
fn settings(community: &Community) -> Value {
    let names: Vec<_> =
        community.organizations().map(|organization| &organization.username).collect();
    json!({ "organizations": names })
}

/// New comments on old articles and a reply to one of them: what a check has to find.
fn write_upstream(devto: &Devto, round: usize) -> String {
    devto.edit(|community| {
        let author = community.users().next().expect("a community has people").id;
        let ours = community.articles().filter(|article| article.organization.is_some());
        let articles: Vec<_> = ours.map(|article| article.id).take(3).collect();
        for &article in &articles {
            let comment = community.add_comment(article, author, "<p>I have read this twice.</p>");
            if round == 2 {
                community.reply(comment, author, "<p>And once more.</p>");
            }
        }
        let comments = articles.len() * round;
        format!("somebody wrote {comments} comments under {} articles", articles.len())
    })
}

/// The run that the next tick to reach the integration starts.
async fn next_check(store: &Store, integration: IntegrationId) -> anyhow::Result<RunId> {
    loop {
        let filter = RunFilter { integration: Some(integration), ..RunFilter::default() };
        let newest = store.runs(filter, 1).await?;
        let live = newest.iter().find(|run| !run.state.is_finished());
        if let Some(check) = live {
            return Ok(check.id);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn follow(store: &Store, run: RunId) -> anyhow::Result<()> {
    let ended = progress::follow(store, run, progress::Output::of_stdout()).await?;
    ensure!(ended == RunState::Processed, "run {run} ended in {}", ended.as_str());
    Ok(())
}
