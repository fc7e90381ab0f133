//! Tokens that end, and tokens that are good for one use.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;

use super::*;
use crate::clock::Clock;

fn public() -> App {
    App { client_id: "a-public-app".to_owned(), client_secret: None }
}

fn parts(credential: &Credential) -> &Oauth2 {
    match credential {
        Credential::Oauth2(granted) => granted,
        other => panic!("not an OAuth 2 access: {other:?}"),
    }
}

fn texts(credential: &Credential) -> (&str, &str) {
    let granted = parts(credential);
    let refresh_token = granted.refresh_token.as_ref().expect("a refresh token");
    (granted.access_token.expose_secret(), refresh_token.expose_secret())
}

#[tokio::test]
async fn both_kinds_of_application_renew_an_access_and_rotate_its_refresh_token() {
    for app in [confidential(), public()] {
        let x = X::small().await;
        x.sim.set_token_lifetime(TimeDelta::hours(2));
        let before = granted(&app, x.sim.grant(&app, x.account, SCOPES));
        let now = "2026-11-20T12:00:00Z".parse().expect("an instant");
        let options = Options { clock: Clock::standing_at(now), ..Options::default() };
        let twitter = Twitter::with(&x.sim.url(), options).expect("an integration");

        let after = twitter.renew(&before).await.expect("a renewed access");
        assert_ne!(texts(&before).0, texts(&after).0);
        assert_ne!(texts(&before).1, texts(&after).1);
        assert_eq!(parts(&after).expires_at, Some(now + TimeDelta::hours(2)));
        assert_eq!(parts(&after).client_id, app.client_id);
        assert_eq!(parts(&after).client_secret.is_some(), app.client_secret.is_some());
        twitter.renew(&after).await.expect("an access that was renewed twice");
        assert_eq!(x.sim.renewals(), 2);
    }
}

#[tokio::test]
async fn a_tokens_life_is_counted_from_before_it_was_asked_for() {
    let x = X::small().await;
    x.sim.set_token_lifetime(TimeDelta::hours(2));
    let asked_at = "2026-11-20T12:00:00Z".parse().expect("an instant");
    let clock = Clock::standing_at(asked_at);
    let options = Options { clock: clock.clone(), ..Options::default() };
    let twitter = Twitter::with(&x.sim.url(), options).expect("an integration");

    // The answer comes when an hour has passed.
    let an_hour_passes = async { clock.advance(Duration::from_secs(3600)) };
    let (renewed, ()) = tokio::join!(twitter.renew(&x.credential), an_hour_passes);

    let renewed = renewed.expect("a renewed access");
    assert_eq!(parts(&renewed).expires_at, Some(asked_at + TimeDelta::hours(2)));
}

#[tokio::test]
async fn coming_with_a_used_refresh_token_loses_the_access_for_good() {
    let x = X::small().await;
    let renewed = x.integration().renew(&x.credential).await.expect("a renewed access");
    for spoilt in [&x.credential, &renewed] {
        let error = x.integration().renew(spoilt).await.expect_err("a refusal");
        assert!(matches!(error, SyncError::Unauthorized(_)), "{error:?}");
    }
    let run = x.rehearsal().credential(renewed).run().await;
    assert_eq!(run.ending, Ending::NeedsReconnect, "{run}");
}

#[tokio::test]
async fn what_renewing_meets_is_said_in_the_engines_words() {
    let x = X::small().await;
    let mut answers = Vec::new();
    for status in [400, 401, 429, 500, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        x.sim.misbehave("/2/oauth2/token", 1, Fault::Status(status));
        answers.push(match x.integration().renew(&x.credential).await {
            Err(SyncError::Unauthorized(_)) => "reconnect",
            Err(SyncError::RateLimited { .. } | SyncError::OverQuota { .. }) => "not now",
            Err(SyncError::Other(_)) => "again",
            Err(SyncError::Permanent(_)) => "never",
            Ok(_) => "done",
        });
    }
    assert_eq!(answers, ["reconnect", "reconnect", "not now", "again", "again"]);
    assert_eq!(x.sim.renewals(), 0);
}

#[tokio::test]
async fn a_refresh_token_that_x_never_gave_asks_to_reconnect() {
    let x = X::small().await;
    let made_up = Credential::Oauth2(Oauth2 {
        refresh_token: Some("made up".to_owned().into()),
        ..parts(&x.credential).clone()
    });
    let error = x.integration().renew(&made_up).await.expect_err("a refusal");
    assert!(matches!(error, SyncError::Unauthorized(_)), "{error:?}");
    let error = x.integration().renew(&for_good(x.credential)).await.expect_err("a refusal");
    assert!(format!("{error:?}").contains("offline.access"), "{error:?}");
}

#[tokio::test]
async fn a_renewal_is_never_sent_twice_and_its_errors_tell_no_secret() {
    let x = X::small().await;
    x.sim.clear_requests();
    x.sim.misbehave("/2/oauth2/token", 1, Fault::AnswerLost);
    let error = x.integration().renew(&x.credential).await.expect_err("a lost answer");
    assert_eq!(x.asked(), ["/2/oauth2/token"]);
    let (access_token, refresh_token) = texts(&x.credential);
    let said = format!("{error:?}{:?}", x.credential);
    for secret in [access_token, refresh_token, "its-secret"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn an_access_that_ends_in_the_middle_of_a_run_is_renewed_once() {
    let x = X::small().await;
    x.sim.expire_access_tokens();
    let run = x.rehearsal().run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(x.sim.renewals(), 1);
    // The refused one, the renewal, and the five of a check that goes well.
    assert_eq!(run.requests, 7, "{run}");
}

#[tokio::test]
async fn trap_a_run_begins_without_renewing() {
    let x = X::small().await;
    x.rehearsal().dying_over_every_page().run().await;
    assert_eq!(x.sim.renewals(), 0, "the forerunner renewed each time a worker took up a run");
}
