//! What is asked when a tenant connects.

use super::*;
use crate::sdk::{RawConnection, Registry};

fn connection(credential: &Credential) -> RawConnection {
    let now = "2024-05-01T12:00:00Z".parse().expect("an instant");
    RawConnection::new(json!({"hashtags": ["rust", "wasm"]}), now, Access::with(credential.clone()))
}

fn registered(x: &X) -> Registry {
    Registry::default().with(x.integration())
}

#[tokio::test]
async fn whose_credential_it_is_takes_one_request() {
    let x = X::small().await;
    let owner = x.integration().identify(&Access::with(x.credential.clone())).await;
    let expected = Owner { id: x.account.to_string(), name: "@acme".to_owned() };
    assert_eq!(owner.expect("an owner"), expected);
    assert_eq!(x.asked(), ["/2/users/me"]);
}

#[tokio::test]
async fn settings_that_can_work_take_four_requests() {
    let x = X::small().await;
    let registry = registered(&x);
    let kind = registry.find("twitter").expect("twitter");
    kind.verify(connection(&x.credential)).await.expect("settings that can work");
    assert_eq!(x.asked().len(), 4);
}

#[tokio::test]
async fn what_the_credential_may_not_read_is_named() {
    let x = X::small().await;
    let app = confidential();
    let tokens = x.sim.grant(&app, x.account, &["tweet.read", "users.read"]);
    let registry = registered(&x);
    let kind = registry.find("twitter").expect("twitter");
    let error = kind.verify(connection(&granted(&app, tokens))).await.expect_err("a refusal");
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
    assert_eq!(
        format!("{:#}", anyhow::Error::from(error)),
        format!(
            "X does not let this credential read followers: it takes the scopes `users.read` and \
             `follows.read`, and a plan that includes it: GET /2/users/{}/followers: answered 403 \
             Forbidden: You are not permitted to perform this action.",
            x.account
        ),
    );
}

/// The connected account was tried in their place.
#[tokio::test]
async fn profiles_that_are_chosen_are_those_that_are_tried() {
    let x = X::small().await;
    let registry = registered(&x);
    let kind = registry.find("twitter").expect("twitter");
    let choosing = |unit: String| RawConnection { units: vec![unit], ..connection(&x.credential) };
    kind.verify(choosing(x.account.to_string())).await.expect("a profile that is there");
    assert_eq!(x.asked().len(), 3, "it need not be asked whose credential it is");
    let error = kind.verify(choosing("99999999".to_owned())).await.expect_err("nobody");
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
}

#[tokio::test]
async fn the_account_is_the_unit_there_is() {
    let x = X::small().await;
    let registry = registered(&x);
    let kind = registry.find("twitter").expect("twitter");
    let units = kind.discover(connection(&x.credential)).await.expect("units");
    let expected = ExternalSyncUnit {
        id: x.account.to_string(),
        name: "@acme".to_owned(),
        description: None,
        item_count: Some(3),
    };
    assert_eq!(units, [expected]);
}
