use super::*;

fn entered(settings: Value) -> Result<Vec<String>, String> {
    let twitter =
        crate::sdk::Registry::default().with(Twitter::at("https://api.x.com").expect("a client"));
    let kind = twitter.find("twitter").expect("twitter");
    kind.check_settings(&settings).map_err(|error| error.to_string())?;
    let settings: Settings = serde_json::from_value(settings).expect("settings");
    Ok(settings.hashtags.iter().map(ToString::to_string).collect())
}

#[test]
fn hashtags_are_taken_as_people_write_them() {
    let settings = json!({"hashtags": ["Rust", "#rust", " ＃日本語 ", "c3_po", "Ünïcode"]});
    let tags = ["c3_po", "rust", "ünïcode", "日本語"].map(str::to_owned);
    assert_eq!(entered(settings), Ok(tags.to_vec()));
    assert_eq!(entered(json!({})), Ok(Vec::new()));
}

#[test]
fn what_is_no_hashtag_is_refused_with_its_field() {
    for (settings, problem) in [
        (
            json!({"hashtags": ["rust", "rust OR spam"]}),
            r#"`hashtags[1]`: "rust OR spam" is no hashtag"#,
        ),
        (json!({"hashtags": ["#"]}), "`hashtags[0]`: "),
        (json!({"hashtags": ["#2024"]}), "`hashtags[0]`: "),
        (json!({"hashtags": ["a".repeat(101)]}), "`hashtags[0]`: "),
        (json!({"hashtags": ["from:acme"]}), "`hashtags[0]`: "),
        (json!({"hashtags": "rust"}), "`hashtags`: invalid type: string"),
        (json!({"hashtag": ["rust"]}), "unknown field `hashtag`"),
    ] {
        let refused = entered(settings.clone()).expect_err("a refusal");
        assert!(refused.starts_with("settings of `twitter`: "), "{refused}");
        assert!(refused.contains(problem), "{settings}: {refused}");
    }
}
