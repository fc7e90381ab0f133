//! What is sent to the REST API is what GitHub describes, and what the simulation answers, too.

use super::*;

fn described() -> Vec<Value> {
    let described: Value = serde_json::from_str(include_str!("rest.json")).expect("JSON");
    described["operations"].as_array().expect("operations").clone()
}

/// The operation that a path belongs to.
fn operation(path: &str) -> Option<Value> {
    let fits = |template: &str| {
        let (template, path) = (template.split('/'), path.split('/'));
        template.clone().count() == path.clone().count()
            && template.zip(path).all(|(part, given)| part.starts_with('{') || part == given)
    };
    described().into_iter().find(|operation| operation["path"].as_str().is_some_and(fits))
}

#[tokio::test]
async fn every_request_is_one_that_github_describes() {
    let github = serve(World::realistic(7)).await;
    let integration = Github::at(&github.url()).expect("an integration");
    let installed = Credential::GithubApp(crate::sdk::GithubApp {
        app_id: sandbox::github::APP_ID,
        installation_id: sandbox::github::INSTALLATION_ID,
        private_key: sandbox::github::PRIVATE_KEY.into(),
        access_token: None,
        expires_at: None,
    });
    for credential in [personal_token(), installed] {
        integration.identify(&Access::with(credential.clone())).await.expect("an owner");
        rehearsal(&github).credential(credential).run().await;
    }
    let mut seen = std::collections::BTreeSet::new();
    for request in github.requests().into_iter().filter(|it| it.what.starts_with('/')) {
        let operation = operation(&request.what)
            .unwrap_or_else(|| panic!("GitHub does not describe {}", request.what));
        assert_eq!(
            json!(request.status.map(|it| it.as_u16())),
            operation["status"],
            "{}",
            request.what
        );
        let known = operation["query"].as_array().expect("parameters");
        for name in request.with.as_object().expect("parameters").keys() {
            assert!(known.iter().any(|known| known == name), "{} takes no {name}", request.what);
        }
        seen.insert(operation["path"].as_str().map(str::to_owned));
    }
    assert_eq!(seen.len(), described().len(), "{seen:?}");
}

/// Answers made of nothing but the fields and types that are described.
#[test]
fn every_field_that_is_read_is_one_that_github_describes() {
    let value = |kind: &Value| match kind.as_str().expect("a type") {
        "integer" => json!(7),
        "string" => json!("2024-05-01T12:00:00Z"),
        "string?" => Value::Null,
        other => panic!("no value of type {other}"),
    };
    let object = |fields: &Value| -> Value {
        let fields = fields.as_object().expect("fields").iter();
        Value::Object(fields.map(|(name, kind)| (name.clone(), value(kind))).collect())
    };
    let [installation, user_repos, user, app, token] = &described()[..] else {
        panic!("five operations");
    };
    let repositories = [object(&installation["answer"]["repositories[]"])];
    let listed = json!({ "total_count": 7, "repositories": repositories });
    serde_json::from_value::<api::Listed>(listed).expect("repositories");
    let repo = object(&user_repos["answer"]["[]"]);
    serde_json::from_value::<Vec<api::ListedRepo>>(json!([repo])).expect("repositories");
    serde_json::from_value::<super::super::app::InstalledOn>(object(&user["answer"]))
        .expect("a user");
    let account = json!({ "account": object(&app["answer"]["account"]) });
    serde_json::from_value::<super::super::app::Installation>(account).expect("an installation");
    serde_json::from_value::<super::super::app::InstallationToken>(object(&token["answer"]))
        .expect("a token");
}
