//! A tenant connects, and what stands in the way of it.

use std::time::Duration;

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde_json::json;
use shared::message::Message;
use sqlx::PgPool;

use crate::service::{Service, TOKEN, ask, asking, forum, id_of, noon, text};
use crate::toy::Mood;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_tenant_connects_and_the_onboarding_is_on_its_way(pool: PgPool) {
    let mut service = Service::start(pool).await;
    let wanted = json!({
        "kind": "forum",
        "settings": {"organization": "acme", "feeds": [{"url": "https://acme.example/feed"}]},
        "units": ["news"],
    });

    let answer = service.post("/v1/integrations", wanted.clone()).await;

    let location = answer.header("location").expect("where it is").to_owned();
    let connected = answer.expect(201);
    let (integration, run) = (&connected["integration"], &connected["run"]);
    assert_eq!(location, format!("/v1/integrations/{}", text(&integration["id"])));
    assert_eq!(integration["kind"], "forum");
    assert_eq!(integration["settings"], wanted["settings"]);
    assert_eq!(integration["units"], json!(["news"]));
    assert_eq!(integration["status"], "active");
    assert_eq!(run["integration_id"], integration["id"]);
    assert_eq!(run["mode"], "onboarding");
    assert_eq!(run["state"], "pending");
    assert_eq!(run["requested_by"], "connect");
    assert_eq!(service.asked.try_recv().expect("the platform was asked"), "acme");

    let shown = service.get(&location).await.expect(200);
    assert_eq!(shown, *integration);
    let sent = service.sent().await;
    let process = Message::Process { run: id_of(run).parse().expect("an id"), stream: None };
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body, process.encode());
    assert_eq!(service.count("member_attributes").await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn the_first_check_is_within_one_interval(pool: PgPool) {
    let service = Service::start(pool).await;
    let connected = service.post("/v1/integrations", forum("acme")).await.expect(201);
    let first: DateTime<Utc> =
        text(&connected["integration"]["next_check_at"]).parse().expect("a time");
    assert!((1..=20).contains(&(first - noon()).num_minutes()), "{first}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_queue_that_is_away_leaves_the_message_to_the_sweep(pool: PgPool) {
    let service = Service::start(pool).await;
    service.queue.go_away();
    let (_, run) = service.connected().await;
    let due = service.store.due_messages(10).await.expect("the database");
    assert_eq!(due.iter().map(|due| due.run).collect::<Vec<_>>(), [run]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_that_was_sent_is_not_sent_by_the_sweep_too(pool: PgPool) {
    let service = Service::start(pool).await;
    service.connected().await;
    assert_eq!(service.store.due_messages(10).await.expect("the database"), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_unknown_kind_is_refused_with_those_there_are(pool: PgPool) {
    let service = Service::start(pool).await;
    let answer = service.post("/v1/integrations", json!({"kind": "myspace", "settings": {}})).await;
    let problem = answer.problem(422, "unknown_kind");
    assert_eq!(problem["field"], "kind");
    assert_eq!(problem["known_kinds"], json!(["club", "club_archive", "forum", "pub"]));
    assert_eq!(
        problem["detail"],
        "unknown integration `myspace` (registered: club, club_archive, forum, pub)"
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn settings_that_do_not_decode_name_the_field(pool: PgPool) {
    let mut service = Service::start(pool).await;
    let cases = [
        (json!({}), "settings.organization"),
        (json!({"organization": 7}), "settings.organization"),
        (json!({"organization": "acme", "feeds": [{"url": "a"}, {}]}), "settings.feeds[1].url"),
        (json!({"organization": "acme", "organisation": "acme"}), "settings.organisation"),
        (json!("acme"), "settings"),
    ];
    for (settings, field) in cases {
        let wanted = json!({"kind": "forum", "settings": settings});
        let answer = service.post("/v1/integrations", wanted).await;
        assert_eq!(answer.problem(422, "invalid_settings")["field"], field);
    }
    assert_eq!(service.count("integrations").await, 0);
    service.asked.try_recv().expect_err("the platform is not asked about what does not decode");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_the_platform_refuses_is_said_in_the_integrations_words(pool: PgPool) {
    let service = Service::start(pool).await;
    let cases = [
        (Mood::NotThere, "there is no organization `acme`"),
        (Mood::Unauthorized, "the key was answered by 401"),
    ];
    for (mood, words) in cases {
        service.platform.be(mood);
        let answer = service.post("/v1/integrations", forum("acme")).await;
        assert_eq!(answer.problem(422, "refused_by_platform")["detail"], words);
    }
    assert_eq!(service.count("integrations").await, 0);
    assert!(service.sent().await.is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_platform_that_is_broken_can_be_tried_again(pool: PgPool) {
    let service = Service::start(pool).await;
    service.platform.be(Mood::Broken);
    let answer = service.post("/v1/integrations", forum("acme")).await;
    assert_eq!(
        answer.problem(502, "platform_unavailable")["detail"],
        "asking forum: GET /organizations: answered 503; nothing was stored, so try again"
    );
    assert_eq!(service.count("integrations").await, 0);

    service.platform.be(Mood::Content);
    service.post("/v1/integrations", forum("acme")).await.expect(201);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_platform_that_limits_says_when_to_try_again(pool: PgPool) {
    let service = Service::start(pool).await;
    service.platform.be(Mood::RateLimited);
    let answer = service.post("/v1/integrations", forum("acme")).await;
    assert_eq!(answer.header("retry-after"), Some("90"));
    let problem = answer.problem(503, "platform_rate_limit");
    assert!(text(&problem["detail"]).contains("nothing was stored"), "{problem}");
    assert_eq!(service.count("integrations").await, 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_platform_that_hangs_is_given_up(pool: PgPool) {
    let mut service = Service::start(pool).await;
    service.platform.be(Mood::Silent);
    let request = asking(Method::POST, "/v1/integrations", TOKEN, Some(forum("acme")));
    let answer = tokio::spawn(ask(service.router.clone(), request));
    service.asked.recv().await.expect("the platform is asked");

    // Only the platform is waited for now, so only that wait is cut short.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(20)).await;
    tokio::time::resume();

    let problem = answer.await.expect("no panic").problem(502, "platform_unavailable");
    assert!(text(&problem["detail"]).contains("no answer within 20s"), "{problem}");
    assert_eq!(service.count("integrations").await, 0);
}
