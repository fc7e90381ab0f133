//! Tokens that end, and tokens that are good for one use.

use chrono::TimeDelta;
use reqwest::StatusCode;
use sandbox::twitter::{App, Community, SCOPES, Twitter};
use serde_json::Value;

use crate::client::{app, ask_as, client};

async fn renew(x: &Twitter, app: &App, refresh_token: &str) -> (StatusCode, Value) {
    let mut form = format!("grant_type=refresh_token&refresh_token={refresh_token}");
    let url = format!("{}/2/oauth2/token", x.url());
    let mut request =
        client().post(url).header("content-type", "application/x-www-form-urlencoded");
    match &app.client_secret {
        Some(secret) => request = request.basic_auth(&app.client_id, Some(secret)),
        None => form += &format!("&client_id={}", app.client_id),
    }
    let answer = request.body(form).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap_or_else(|| panic!("{field} is not in {body}"))
}

async fn somebody() -> (Twitter, sandbox::twitter::UserId) {
    let mut community = Community::empty();
    let acme = community.add_user("acme", "Acme");
    (Twitter::serve(community).await.unwrap(), acme)
}

async fn status(x: &Twitter, token: &str) -> StatusCode {
    ask_as(x, token, "/2/users/me").await.status()
}

#[tokio::test]
async fn without_a_token_that_is_good_nobody_gets_in() {
    let (x, acme) = somebody().await;
    let tokens = x.grant(&app(), acme, SCOPES);
    assert_eq!(status(&x, &tokens.access_token).await, StatusCode::OK);
    for token in ["made up", "", &tokens.refresh_token] {
        assert_eq!(status(&x, token).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_access_token_ends_by_the_communitys_time() {
    let (x, acme) = somebody().await;
    x.set_token_lifetime(TimeDelta::minutes(5));
    let tokens = x.grant(&app(), acme, SCOPES);
    x.edit(|community| community.pass(TimeDelta::seconds(299)));
    assert_eq!(status(&x, &tokens.access_token).await, StatusCode::OK);
    x.edit(|community| community.pass(TimeDelta::seconds(1)));
    assert_eq!(status(&x, &tokens.access_token).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn renewing_gives_two_new_tokens_to_both_kinds_of_application() {
    for app in [app(), App { client_id: "a-public-app".to_owned(), client_secret: None }] {
        let (x, acme) = somebody().await;
        let tokens = x.grant(&app, acme, SCOPES);
        x.expire_access_tokens();
        let (answered, body) = renew(&x, &app, &tokens.refresh_token).await;
        assert_eq!((answered, &body["expires_in"]), (StatusCode::OK, &Value::from(7200)));
        assert_ne!(text(&body, "refresh_token"), tokens.refresh_token);
        assert_eq!(status(&x, text(&body, "access_token")).await, StatusCode::OK);
        assert_eq!(x.renewals(), 1);
    }
}

#[tokio::test]
async fn a_used_refresh_token_revokes_the_whole_grant() {
    let (x, acme) = somebody().await;
    let stolen = x.grant(&app(), acme, SCOPES);
    let other = x.grant(&app(), acme, SCOPES);
    let (_, owner) = renew(&x, &app(), &stolen.refresh_token).await;

    let (answered, body) = renew(&x, &app(), &stolen.refresh_token).await;
    assert_eq!((answered, text(&body, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));
    assert_eq!(status(&x, text(&owner, "access_token")).await, StatusCode::UNAUTHORIZED);
    let (answered, body) = renew(&x, &app(), text(&owner, "refresh_token")).await;
    assert_eq!((answered, text(&body, "error")), (StatusCode::BAD_REQUEST, "invalid_grant"));

    let (answered, _) = renew(&x, &app(), &other.refresh_token).await;
    assert_eq!(answered, StatusCode::OK, "another grant has nothing to do with it");
    assert_eq!(x.renewals(), 2, "refusals do not count");
}

#[tokio::test]
async fn nobody_renews_what_is_not_theirs() {
    let (x, acme) = somebody().await;
    let tokens = x.grant(&app(), acme, SCOPES);
    let wrong_secret = App { client_secret: Some("guessed".to_owned()), ..app() };
    let no_secret = App { client_secret: None, ..app() };
    for stranger in [wrong_secret, no_secret] {
        let (answered, body) = renew(&x, &stranger, &tokens.refresh_token).await;
        let expected = (StatusCode::UNAUTHORIZED, "unauthorized_client");
        assert_eq!((answered, text(&body, "error")), expected);
    }
    let (answered, body) = renew(&x, &app(), "made-up").await;
    assert_eq!((answered, text(&body, "error")), (StatusCode::BAD_REQUEST, "invalid_request"));
    assert_eq!(renew(&x, &app(), &tokens.refresh_token).await.0, StatusCode::OK);
}
