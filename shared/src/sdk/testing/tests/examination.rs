//! The examination is worth as much as what it catches: each flaw here is one that people make.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Mutex;

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::domain::{Identity, Member, Operation};
use crate::sdk::http::Options;
use crate::sdk::testing::Examination;
use crate::sdk::{
    ApiClient, CheckSchedule, Connection, Integration, Result, Run, StreamOutput, SyncError,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    CountsLimitsAsFailures,
    /// A refusal is retried like anything else.
    GoesOnWithoutCredential,
    /// Whatever goes wrong is an empty page.
    SwallowsErrors,
    /// Until a page is empty, and it never is.
    FollowsPagesForEver,
    /// What it has seen is in the worker's memory.
    RemembersBetweenSteps,
    /// What it tells depends on when it runs.
    TellsTheTime,
}

/// People, page by page. With `Value` for settings it takes any.
struct Forum<S> {
    api: ApiClient,
    flaw: Flaw,
    seen: Mutex<BTreeSet<u32>>,
    settings: PhantomData<fn() -> S>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(rename = "forum")]
    _forum: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
enum Stream {
    People {
        page: u32,
        #[serde(default)]
        after: Option<u32>,
    },
}

impl<S> Forum<S> {
    fn with(flaw: Flaw, url: &str, options: Options) -> anyhow::Result<Self> {
        let api = ApiClient::with("forum", url, options)?;
        Ok(Self { api, flaw, seen: Mutex::default(), settings: PhantomData })
    }

    async fn people(&self, page: u32) -> Result<Vec<u32>> {
        let answer = self.api.get("people").query("page", page).json().await;
        match (answer, self.flaw) {
            (Ok(answer), _) => Ok(answer.body),
            (Err(_), Flaw::SwallowsErrors) => Ok(Vec::new()),
            (Err(SyncError::RateLimited { .. }), Flaw::CountsLimitsAsFailures)
            | (Err(SyncError::Unauthorized(_)), Flaw::GoesOnWithoutCredential) => {
                Err(anyhow!("fetching people").into())
            }
            (Err(error), _) => Err(error),
        }
    }
}

impl<S: DeserializeOwned + Send + Sync + 'static> Integration for Forum<S> {
    const KIND: &'static str = "forum";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;

    type Settings = S;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(vec![Stream::People { page: 1, after: None }])
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let Stream::People { page, after } = *stream;
        let people = self.people(page).await?;
        let first = people.first().copied();
        let repeats = first.is_some() && first == after;
        if repeats && self.flaw != Flaw::FollowsPagesForEver {
            return Err(anyhow!("page {page} repeats").into());
        }
        let mut seen = self.seen.lock().expect("a lock");
        let new = |id: &u32| seen.insert(*id) || self.flaw != Flaw::RemembersBetweenSteps;
        let members: Vec<_> = people.into_iter().filter(new).map(member).collect();
        let time = (self.flaw == Flaw::TellsTheTime)
            .then(|| member(run.connection.started_at.timestamp() as u32));
        Ok(StreamOutput {
            operations: vec![Operation::UpsertMembers(members.into_iter().chain(time).collect())],
            next_page: first.map(|_| Stream::People { page: page + 1, after: first }),
            ..StreamOutput::empty()
        })
    }
}

fn member(id: u32) -> Member {
    let username = format!("person{id}");
    Member::of(Identity { platform: "forum".into(), username, source_id: Some(id.to_string()) })
}

/// The questions that a forum with this flaw fails.
async fn failed_with<S: DeserializeOwned + Send + Sync + 'static>(flaw: Flaw) -> Vec<String> {
    let fake = MockServer::start().await;
    for (page, people) in [("1", json!([1, 2])), ("2", json!([3])), ("3", json!([]))] {
        let people = ResponseTemplate::new(200).set_body_json(people);
        let asked = Mock::given(path("/people")).and(query_param("page", page));
        asked.respond_with(people).mount(&fake).await;
    }
    let build = move |url: &str, options| Forum::<S>::with(flaw, url, options);
    let settings = json!({"forum": "rust"});
    let failed = Examination::of(build, fake.uri()).settings(settings).failed().await;
    failed.iter().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn an_integration_without_flaw_passes() {
    assert_eq!(failed_with::<Settings>(Flaw::None).await, [""; 0]);
}

#[tokio::test]
async fn settings_that_take_anything_are_caught() {
    let failed = failed_with::<Value>(Flaw::None).await;
    assert_eq!(failed, ["settings that do not decode name the field"]);
}

#[tokio::test]
async fn limits_that_count_as_failures_are_caught() {
    let failed = failed_with::<Settings>(Flaw::CountsLimitsAsFailures).await;
    assert_eq!(failed, ["a 429 delays and costs no attempt"]);
}

#[tokio::test]
async fn going_on_without_a_credential_is_caught() {
    let failed = failed_with::<Settings>(Flaw::GoesOnWithoutCredential).await;
    assert_eq!(failed, ["a 401 stops and asks to reconnect"]);
}

#[tokio::test]
async fn swallowed_errors_are_caught_wherever_they_matter() {
    let failed = failed_with::<Settings>(Flaw::SwallowsErrors).await;
    assert_eq!(
        failed,
        [
            "a 429 delays and costs no attempt",
            "a 401 stops and asks to reconnect",
            "a 500 is retried",
            "a hanging socket times out",
            "a platform that stays down is no success",
            "nonsense is no success",
        ],
    );
}

#[tokio::test]
async fn following_pages_for_ever_is_caught() {
    let failed = failed_with::<Settings>(Flaw::FollowsPagesForEver).await;
    assert_eq!(failed, ["pages that repeat come to an end"]);
}

#[tokio::test]
async fn progress_in_the_workers_memory_is_caught() {
    let failed = failed_with::<Settings>(Flaw::RemembersBetweenSteps).await;
    assert_eq!(failed, ["stopping anywhere and resuming gives the same records"]);
}

#[tokio::test]
async fn records_that_depend_on_the_time_are_caught() {
    let failed = failed_with::<Settings>(Flaw::TellsTheTime).await;
    assert_eq!(failed, ["running twice gives the same records"]);
}
