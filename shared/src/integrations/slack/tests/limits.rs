//! Slack's limits: kept by the declared ones, and believed when they are met all the same.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::*;
use crate::sdk::{Keys, Quota, RawConnection, RequestLimit, Said, Spending, Spent};

/// More than fifteen messages in two channels, and threads.
async fn unlisted() -> SimulatedSlack {
    let mut workspace = Workspace::realistic(7, 120);
    workspace.grants.distribution = Distribution::Unlisted;
    let slack = serve(workspace).await;
    slack.limit(Some(Pace::Patience));
    slack
}

#[tokio::test]
async fn one_request_a_minute_and_fifteen_messages_are_enough() {
    let slack = unlisted().await;
    let settings = json!({"app": "unlisted"});
    let run = onboarding(&slack).members(people(&slack)).settings(settings.clone()).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(found(&[&run]), truth(&slack));
    assert!(run.waits.len() > 20, "{:?}", run.waits);
    let asked_for: BTreeSet<_> = slack
        .requests()
        .into_iter()
        .filter(|request| request.method.starts_with("conversations.h"))
        .filter_map(|request| request.parameters.get("limit").cloned())
        .collect();
    assert_eq!(asked_for, ["15".to_owned()].into());

    let nothing = check_after(&slack, &run, TimeDelta::hours(1)).settings(settings).run().await;
    assert_eq!((&nothing.ending, nothing.attempts_spent), (&Ending::Processed, 0), "{nothing}");
    assert_eq!(
        slack.requests_of("conversations.history") as u64,
        5 + slack.refused_count() - run.waits.len() as u64
    );
    assert_eq!(nothing.operations.len(), 0);
}

/// Slack gives fifteen whatever is asked for, and refuses by 429.
#[tokio::test]
async fn an_unlisted_app_that_is_taken_for_an_internal_one_only_is_refused_more_often() {
    let slack = unlisted().await;
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(found(&[&run]), truth(&slack));
}

#[tokio::test]
async fn an_internal_app_is_within_fifty_requests_a_minute_for_each_method() {
    let slack = serve(Workspace::realistic(7, 1200)).await;
    slack.limit(Some(Pace::Patience));
    let run = onboarding(&slack).members(people(&slack)).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(found(&[&run]), truth(&slack));
    assert!(slack.refused_count() > 0, "the limit was not met");
}

/// A ledger that only writes down.
#[derive(Default)]
struct Ledger {
    spent: Mutex<BTreeMap<String, (u32, u64, u64)>>,
    heard: Mutex<Vec<(String, Said)>>,
}

#[async_trait]
impl Quota for Ledger {
    async fn spend(&self, spending: &[Spending]) -> Result<Spent> {
        for Spending { limit, cost } in spending {
            let mut spent = self.spent.lock().expect("a ledger");
            let entry = (limit.allowed, limit.per.as_secs(), 0);
            spent.entry(limit.class.to_string()).or_insert(entry).2 += u64::from(*cost);
        }
        Ok(Spent::until_dropped(()))
    }

    async fn heed(&self, limit: &RequestLimit, said: Said) {
        self.heard.lock().expect("a ledger").push((limit.class.to_string(), said));
    }
}

struct Token;

#[async_trait]
impl Keys for Token {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        Ok(Some(Arc::new(secret(TOKEN))))
    }

    async fn renewed(&self, _: &Credential) -> Result<Arc<Credential>> {
        panic!("this one is for good");
    }
}

/// An onboarding with every request in the ledger. Streams that fail are left out.
async fn with_ledger(slack: &SimulatedSlack, settings: Value) -> Arc<Ledger> {
    let ledger = Arc::new(Ledger::default());
    let access = Access::new(Arc::new(Token), Arc::clone(&ledger) as _);
    let run =
        erased(slack).begin(RawConnection::new(settings, Utc::now(), access)).await.expect("a run");
    let mut pending = run.streams().await.expect("streams");
    while let Some(stream) = pending.pop() {
        if let Ok(page) = run.process_stream(&stream).await {
            pending.extend(page.new_streams.into_iter().chain(page.next_page));
        }
    }
    ledger
}

#[tokio::test]
async fn every_request_counts_under_its_methods_limit() {
    for (settings, messages) in [(json!({}), 50), (json!({"app": "unlisted"}), 1)] {
        let talk = Talk::begin().await;
        talk.slack.edit(|workspace| {
            let bot = workspace.add_bot("deploys");
            workspace.post_by_app(&talk.general, &bot, "Deployed.");
        });
        let ledger = with_ledger(&talk.slack, settings).await;
        let spent = ledger.spent.lock().expect("a ledger").clone();
        let expected = [
            ("auth.test", (100, 60, 1)),
            ("conversations.history", (messages, 60, 1)),
            ("conversations.list", (20, 60, 1)),
            ("conversations.replies", (messages, 60, 1)),
            ("users.info", (100, 60, 3)),
            ("users.list", (20, 60, 1)),
        ];
        assert_eq!(spent, expected.map(|(class, counted)| (class.to_owned(), counted)).into());
        let counted: u64 = spent.values().map(|(_, _, count)| count).sum();
        assert_eq!(counted, talk.slack.request_count());
    }
}

#[tokio::test]
async fn a_limit_that_is_said_under_status_200_is_noted_in_the_ledger() {
    let talk = Talk::begin().await;
    talk.slack.misbehave("conversations.replies", 1, Fault::Says("ratelimited"));
    let ledger = with_ledger(&talk.slack, json!({})).await;
    let heard = ledger.heard.lock().expect("a ledger").clone();
    let refused: Vec<_> = heard.iter().filter(|(_, said)| said.refused_for.is_some()).collect();
    assert_eq!(refused.len(), 1, "{heard:?}");
    assert_eq!(refused[0].0, "conversations.replies");
}
