use super::*;
use crate::sdk::Registry;

fn entered(settings: Value) -> Result<Vec<String>, String> {
    let github = Github::at("https://api.github.com").expect("a client");
    let registry = Registry::default().with(github);
    let kind = registry.find("github").expect("github");
    kind.check_settings(&settings).map_err(|error| error.to_string())?;
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    Ok(settings.repos.iter().map(Name::to_string).collect())
}

#[test]
fn repositories_are_taken_as_people_write_them() {
    let settings = json!({ "repos": [
        { "owner": "Acme", "name": "Anvil" },
        { "owner": " acme ", "name": "anvil" },
        "brightloom/loom.rs",
        { "owner": "ada_acme", "name": ".github" },
    ] });
    let names = ["acme/anvil", "ada_acme/.github", "brightloom/loom.rs"];
    assert_eq!(entered(settings), Ok(names.map(str::to_owned).to_vec()));
    assert_eq!(entered(json!({})), Ok(Vec::new()));
}

#[test]
fn what_is_no_repository_is_refused_with_its_field() {
    for (settings, problem) in [
        (
            json!({ "repos": [{ "owner": "acme", "name": "an vil" }] }),
            "`repos[0]`: `name`: \"an vil\" is no repository's name",
        ),
        (
            json!({ "repos": [{ "owner": "acme/x", "name": "anvil" }] }),
            "`repos[0]`: `owner`: \"acme/x\" is no login",
        ),
        (json!({ "repos": [{ "owner": "acme", "name": ".." }] }), "`repos[0]`: `name`: "),
        (
            json!({ "repos": ["acme"] }),
            "`repos[0]`: \"acme\" is no repository, such as `acme/anvil`",
        ),
        (json!({ "repos": [{ "name": "anvil" }] }), "`repos[0]`: expected a repository, such as"),
        (json!({ "repos": "acme/anvil" }), "`repos`: invalid type: string"),
        (json!({ "repositories": [] }), "unknown field `repositories`"),
        (json!({ "commits": "no" }), "`commits`: invalid type: string"),
    ] {
        let refused = entered(settings.clone()).expect_err("a refusal");
        assert!(refused.starts_with("settings of `github`: "), "{refused}");
        assert!(refused.contains(problem), "{settings}: {refused}");
    }
}

#[tokio::test]
async fn a_unit_that_is_no_repository_fails_the_run_by_its_name() {
    let github = serve(World::empty()).await;
    let run = rehearsal(&github).units(&["acme"]).run().await;
    assert_eq!(run.ending, Ending::Failed, "{run}");
    assert!(run.to_string().contains("\"acme\" is no repository"), "{run}");
}
