//! `millrace connect`, as far as no platform is asked; the rest is told beside the code.

use std::fs;

use sqlx::PgPool;
use uuid::Uuid;

use crate::millrace::Millrace;

#[tokio::test]
async fn every_mistake_is_named_at_once() {
    let arguments = ["connect", "coffee", "--tenant", "acme", "--settings", "{"];
    let more = ["--tick-seconds", "0", "--visibility-seconds", "soon"];
    let refusal = Millrace::at("").run(&[&arguments[..], &more].concat()).await.refusal(2);
    for mistake in [
        "--database-url: is missing",
        "--tick-seconds: must be at least one second",
        "--visibility-seconds: `soon` is not valid",
        "--settings: is not JSON",
        "<KIND>: unknown integration `coffee` (registered: ",
    ] {
        assert!(refusal.contains(mistake), "`{mistake}` is missing in:\n{refusal}");
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn settings_that_cannot_be_read_are_a_mistake(pool: PgPool) {
    let millrace = Millrace::on(&pool);
    let connect = ["connect", "devto", "--tenant", "acme"];
    let refusal = async |settings: [&str; 2]| {
        millrace.run(&[&connect[..], &settings].concat()).await.refusal(2)
    };
    let no_json = refusal(["--settings", "users=ada"]).await;
    assert!(no_json.contains("--settings: is not JSON: expected value"), "{no_json}");
    let nothing_came = refusal(["--settings-file", "-"]).await;
    assert!(nothing_came.contains("--settings-file: is not JSON: EOF"), "{nothing_came}");
    let no_file = refusal(["--settings-file", "/nowhere/settings.json"]).await;
    assert!(no_file.contains("--settings-file: No such file"), "{no_file}");

    let file = std::env::temp_dir().join(format!("{}.json", Uuid::new_v4()));
    fs::write(&file, "{ users }").unwrap();
    let broken = refusal(["--settings-file", file.to_str().unwrap()]).await;
    fs::remove_file(&file).unwrap();
    assert!(broken.contains("--settings-file: is not JSON: key must be a string"), "{broken}");
}
