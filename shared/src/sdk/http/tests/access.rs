//! Requests with a tenant's credential, within the platform's limits.

use std::sync::Mutex;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use std::sync::Arc;
use wiremock::Request;
use wiremock::matchers::header;

use super::*;
use crate::sdk::{
    Access, CountedBy, Credential, Keys, Oauth2, Quota, RequestLimit, Said, Spending, Spent,
    SyncError,
};

const MINUTE: Duration = Duration::from_secs(60);
const LISTS: RequestLimit = RequestLimit::new("lists", 50, MINUTE, CountedBy::Credential);
const POINTS: RequestLimit = RequestLimit::new("points", 500, MINUTE, CountedBy::Application);

fn granted(token: &str, expires_at: Option<DateTime<Utc>>) -> Arc<Credential> {
    Arc::new(Credential::Oauth2(Oauth2 {
        client_id: "us".into(),
        client_secret: None,
        access_token: token.into(),
        refresh_token: Some("again".into()),
        expires_at,
    }))
}

/// Has an old token, and renews it once for a new one.
#[derive(Default)]
struct Purse {
    renewals: Mutex<Vec<String>>,
    /// When the new token ends.
    ends_at: Option<DateTime<Utc>>,
}

#[async_trait]
impl Keys for Purse {
    async fn current(&self) -> Result<Option<Arc<Credential>>> {
        Ok(Some(granted("old", None)))
    }

    async fn renewed(&self, refused: &Credential) -> Result<Arc<Credential>> {
        let token = refused.token().expect("a token").expose_secret().to_owned();
        self.renewals.lock().expect("no panic").push(token);
        Ok(granted("new", self.ends_at))
    }
}

/// Notes what is spent and said; has nothing left of `spent_up`.
#[derive(Default)]
struct Counter {
    spent: Mutex<Vec<Spending>>,
    heard: Mutex<Vec<(RequestLimit, Said)>>,
    spent_up: bool,
}

#[async_trait]
impl Quota for Counter {
    async fn spend(&self, spending: &[Spending]) -> Result<Spent> {
        if self.spent_up {
            let class = spending[0].limit.class.to_string();
            return Err(SyncError::OverQuota { class, retry_after: MINUTE });
        }
        self.spent.lock().expect("no panic").extend_from_slice(spending);
        Ok(Spent::until_dropped(()))
    }

    async fn heed(&self, limit: &RequestLimit, said: Said) {
        self.heard.lock().expect("no panic").push((limit.clone(), said));
    }
}

fn access(purse: &Arc<Purse>, counter: &Arc<Counter>) -> Access {
    Access::new(Arc::clone(purse) as Arc<dyn Keys>, Arc::clone(counter) as Arc<dyn Quota>)
}

/// Takes the new token, and refuses every other.
async fn strict_platform() -> (MockServer, ApiClient) {
    let welcome = ResponseTemplate::new(200)
        .insert_header("x-ratelimit-limit", "40")
        .insert_header("x-ratelimit-remaining", "39")
        .insert_header("x-ratelimit-reset-after", "7")
        .set_body_raw(COMMENT, "application/json");
    let (server, client) = platform(ResponseTemplate::new(401)).await;
    Mock::given(header("authorization", "Bearer new"))
        .respond_with(welcome)
        .with_priority(1)
        .mount(&server)
        .await;
    (server, client)
}

async fn tokens_seen(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.expect("they are kept");
    let token =
        |request: &Request| request.headers["authorization"].to_str().expect("a token").to_owned();
    requests.iter().map(token).collect()
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_sent_once_more() {
    let (server, client) = strict_platform().await;
    let purse = Arc::new(Purse::default());
    let access = access(&purse, &Arc::default());

    let answer = client.get("comments/7").by(&access).json::<Comment>().await;

    assert_eq!(answer.expect("a comment").body, ada());
    assert_eq!(*purse.renewals.lock().unwrap(), ["old"]);
    assert_eq!(tokens_seen(&server).await, ["Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn a_token_that_is_refused_even_when_renewed_asks_to_reconnect() {
    let (server, client) = platform(ResponseTemplate::new(401)).await;
    let access = access(&Arc::default(), &Arc::default());

    let outcome = client.get("comments/7").by(&access).json::<Comment>().await;

    assert!(matches!(outcome, Err(SyncError::Unauthorized(_))), "{outcome:?}");
    assert_eq!(tokens_seen(&server).await.len(), 2);
}

#[tokio::test]
async fn a_renewed_token_that_ended_before_it_was_refused_is_asked_for_again_later() {
    let (_server, client) = platform(ResponseTemplate::new(401)).await;
    for (ends_at, asks_to_reconnect) in [(noon(), false), (noon() + MINUTE, true)] {
        let purse = Arc::new(Purse { ends_at: Some(ends_at), ..Purse::default() });
        let request = client.get("comments/7").by(&access(&purse, &Arc::default()));
        let outcome = request.json::<Comment>().await.expect_err("a refusal");
        assert_eq!(matches!(outcome, SyncError::Unauthorized(_)), asks_to_reconnect, "{outcome:?}");
        assert_eq!(matches!(outcome, SyncError::Other(_)), !asks_to_reconnect, "{outcome:?}");
    }
}

/// As Slack does.
fn says_no(body: &[u8]) -> bool {
    body == br#"{"ok":false}"#
}

/// A platform that says no under status 200 to every token but the new one.
async fn polite_platform(good: &'static str) -> (MockServer, ApiClient) {
    let no = ResponseTemplate::new(200).set_body_raw(r#"{"ok":false}"#, "application/json");
    let (server, _) = platform(no).await;
    let welcome = ResponseTemplate::new(200).set_body_raw(COMMENT, "application/json");
    Mock::given(header("authorization", good))
        .respond_with(welcome)
        .with_priority(1)
        .mount(&server)
        .await;
    let options = Options { refuses_credential: says_no, ..options() };
    let client = ApiClient::with("forum", server.uri(), options).expect("a client");
    (server, client)
}

#[tokio::test]
async fn a_token_that_is_refused_under_status_200_is_renewed_once_as_after_a_401() {
    let (server, client) = polite_platform("Bearer new").await;
    let purse = Arc::new(Purse::default());
    let request = client.get("comments/7").by(&access(&purse, &Arc::default()));

    assert_eq!(request.json::<Comment>().await.expect("a comment").body, ada());
    assert_eq!(*purse.renewals.lock().unwrap(), ["old"]);
    assert_eq!(tokens_seen(&server).await, ["Bearer old", "Bearer new"]);

    let (server, client) = polite_platform("Bearer newest").await;
    let request = client.get("comments/7").by(&access(&purse, &Arc::default()));
    assert!(request.json::<Comment>().await.is_err(), "its author reads the answer");
    assert_eq!(tokens_seen(&server).await, ["Bearer old", "Bearer new"]);
}

#[tokio::test]
async fn a_secret_that_is_refused_asks_to_reconnect_at_once() {
    let (server, client) = platform(ResponseTemplate::new(401)).await;
    let access = Access::with(Credential::Secret { secret: "hunter2".into() });

    let outcome = client.get("comments/7").by(&access).json::<Comment>().await;

    assert!(matches!(outcome, Err(SyncError::Unauthorized(_))), "{outcome:?}");
    assert_eq!(tokens_seen(&server).await, ["Bearer hunter2"]);
}

#[tokio::test]
async fn every_request_is_spent_and_what_the_platform_says_of_the_limit_is_heeded() {
    let (_server, client) = strict_platform().await;
    let counter = Arc::new(Counter::default());
    let access = access(&Arc::default(), &counter);

    let request = client.get("comments/7").by(&access).under(&LISTS).costing(3, &POINTS);
    request.json::<Comment>().await.expect("a comment");

    let once = [Spending { limit: LISTS, cost: 1 }, Spending { limit: POINTS, cost: 3 }];
    assert_eq!(*counter.spent.lock().unwrap(), [once.clone(), once].concat());
    let plenty = Said {
        allowed: Some(40),
        remaining: Some(39),
        resets_in: Some(Duration::from_secs(7)),
        refused_for: None,
    };
    assert_eq!(
        *counter.heard.lock().unwrap(),
        [(LISTS, Said::default()), (LISTS, plenty)],
        "nothing with the refusal, everything with the answer"
    );
}

#[tokio::test]
async fn a_request_that_is_sent_again_after_a_reset_is_spent_again() {
    let client = client_of(&connections::platform_that_resets_once().await);
    let counter = Arc::new(Counter::default());
    let access = access(&Arc::default(), &counter);

    let request = client.get("comments/7").by(&access).under(&LISTS);
    request.json::<Comment>().await.expect("the second answer");

    let once = Spending { limit: LISTS, cost: 1 };
    assert_eq!(*counter.spent.lock().unwrap(), [once.clone(), once]);
}

#[tokio::test]
async fn a_request_that_nothing_is_left_for_is_not_sent() {
    let (server, client) = strict_platform().await;
    let broke = Arc::new(Counter { spent_up: true, ..Counter::default() });
    let access = access(&Arc::default(), &broke);

    let outcome = client.get("comments/7").by(&access).under(&LISTS).json::<Comment>().await;

    assert!(matches!(outcome, Err(SyncError::OverQuota { .. })), "{outcome:?}");
    assert_eq!(tokens_seen(&server).await.len(), 0);
}

#[tokio::test]
async fn a_refusal_because_of_a_limit_is_heeded_too() {
    let refusal = ResponseTemplate::new(429).insert_header("retry-after", "30");
    let (_server, client) = platform(refusal).await;
    let counter = Arc::new(Counter::default());
    let access = access(&Arc::default(), &counter);

    let request = client.get("comments/7").by(&access).under(&LISTS);
    drop(request.json::<Comment>().await);

    let heard = counter.heard.lock().unwrap();
    assert_eq!(heard[0].1.refused_for, Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn a_refusal_by_the_limit_over_all_requests_is_of_the_limit_named_last() {
    let refusal = ResponseTemplate::new(429)
        .insert_header("retry-after", "2")
        .insert_header("x-ratelimit-global", "true");
    let (_server, client) = platform(refusal).await;
    let counter = Arc::new(Counter::default());
    let access = access(&Arc::default(), &counter);

    let request = client.get("comments/7").by(&access).under(&LISTS).under(&POINTS);
    drop(request.json::<Comment>().await);

    let heard = counter.heard.lock().unwrap();
    assert_eq!(heard[0].0, POINTS);
    assert_eq!(heard[0].1.refused_for, Some(Duration::from_secs(2)));
}
