use super::*;

fn read(settings: Value) -> Result<Settings, String> {
    serde_json::from_value(settings).map_err(|error| error.to_string())
}

#[test]
fn what_is_left_out_is_an_internal_app_with_private_channels() {
    let settings = Settings { app: App::Internal, private_channels: true };
    assert_eq!(read(json!({})), Ok(settings));
}

#[test]
fn each_distribution_has_its_limits() {
    for (app, per_minute, on_a_page) in
        [("internal", 50, 200), ("marketplace", 50, 200), ("unlisted", 1, 15)]
    {
        let Settings { app, .. } = read(json!({"app": app})).expect("settings");
        let limits = [app.history().allowed, app.replies().allowed, app.messages_per_page()];
        assert_eq!(limits, [per_minute, per_minute, on_a_page]);
    }
}

#[test]
fn a_mistake_is_named() {
    let unknown = read(json!({"app": "listed"})).expect_err("no such app");
    assert!(unknown.contains("`internal`, `marketplace`, `unlisted`"), "{unknown}");
    let misspelt = read(json!({"private": true})).expect_err("no such field");
    assert!(misspelt.contains("unknown field `private`"), "{misspelt}");
}
