//! Who is let in.

use sandbox::github::{Github, INSTALLATION_ID, PERSONAL_TOKEN, World};
use serde_json::json;

use crate::client::{answer, client, get};

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let github = Github::serve(World::empty()).await.unwrap();
    for path in ["/user", "/user/repos", "/installation/repositories", "/graphql"] {
        let refused = get(&github, path, "ghp_another").await;
        assert_eq!(refused, (401, json!({ "message": "Bad credentials" })), "{path}");
    }
    assert_eq!(get(&github, "/user", PERSONAL_TOKEN).await.0, 200);
}

#[tokio::test]
async fn an_application_that_cannot_prove_itself_gets_no_token() {
    let github = Github::serve(World::empty()).await.unwrap();
    let path = format!("/app/installations/{INSTALLATION_ID}/access_tokens");
    for claim in ["", "a.b.c", PERSONAL_TOKEN] {
        let request = client().post(format!("{}{path}", github.url())).bearer_auth(claim);
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), 401, "{claim}");
    }
    assert_eq!(github.tokens_issued(), 0);
}

#[tokio::test]
async fn a_person_sees_no_installation() {
    let github = Github::serve(World::empty()).await.unwrap();
    let (status, body) = get(&github, "/installation/repositories", PERSONAL_TOKEN).await;
    assert_eq!(
        (status, body["message"].as_str()),
        (403, Some("Resource not accessible by integration"))
    );
}

/// Whether or not a team occurs in what would be answered.
#[tokio::test]
async fn a_field_that_takes_a_scope_has_the_whole_query_refused() {
    let github = Github::serve(World::empty()).await.unwrap();
    let query = "query { rateLimit { cost } nodes(ids: []) { ... on Team { name } } }";
    assert_eq!(answer(&github, query, json!({})).await["data"]["nodes"], json!([]));
    github.grant(&["read:user"]);
    let refused = answer(&github, query, json!({})).await;
    assert_eq!(refused.get("data"), None);
    let error = &refused["errors"][0];
    assert_eq!(error["type"], "INSUFFICIENT_SCOPES");
    assert_eq!((error.get("path"), &error["locations"][0]["line"]), (None, &json!(1)));
    assert!(error["message"].as_str().unwrap().contains("'read:org'"), "{error}");
}
