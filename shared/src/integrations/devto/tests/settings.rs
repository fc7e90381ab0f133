use super::*;

fn entered(settings: Value) -> Result<Vec<String>, String> {
    let devto =
        crate::sdk::Registry::default().with(Devto::at("https://dev.to").expect("a client"));
    devto.find("devto").expect("devto").check_settings(&settings).map_err(|e| e.to_string())?;
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    Ok(settings.sources().map(Source::unit).collect())
}

#[test]
fn names_are_taken_as_people_write_them() {
    let settings = json!({
        "organizations": ["acme", "@Acme", " https://dev.to/acme/ "],
        "users": ["Ben", "dev.to/asa_oest"],
    });
    assert_eq!(
        entered(settings),
        Ok(["organization/acme", "user/asa_oest", "user/ben"].map(str::to_owned).to_vec()),
    );
}

#[test]
fn what_is_no_name_is_refused_with_its_field() {
    for (settings, problem) in [
        (
            json!({"users": ["ben", "ben or asa"]}),
            r#"`users[1]`: "ben or asa" is no name on dev.to"#,
        ),
        (json!({"users": ["https://github.com/ben"]}), "`users[0]`: "),
        (json!({"organizations": [""]}), "`organizations[0]`: "),
        (json!({"organizations": ["../users"]}), "`organizations[0]`: "),
        (json!({"organizations": "acme"}), "`organizations`: invalid type: string"),
        (json!({"orgs": ["acme"]}), "unknown field `orgs`"),
        (json!({}), "at least one of `organizations` and `users` must name somebody"),
        (json!({"users": []}), "at least one of"),
    ] {
        let refused = entered(settings.clone()).expect_err("a refusal");
        assert!(refused.starts_with("settings of `devto`: "), "{refused}");
        assert!(refused.contains(problem), "{settings}: {refused}");
    }
}
