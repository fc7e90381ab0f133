//! `millrace dead-letters`

use std::time::Duration;

use serde_json::{Value, json};
use shared::queue::{Outgoing, Queue};
use sqlx::PgPool;

use crate::millrace::Millrace;
use crate::posted::{queue, received};

/// Buries messages, which have to be received for it.
async fn bury(pool: &PgPool, bodies: &[&str]) {
    for body in bodies {
        let message = Outgoing {
            body: (*body).to_owned(),
            group: "acme".into(),
            delay: Duration::ZERO,
            trace: None,
        };
        queue(pool).send(&[message]).await.unwrap();
        let received = received(pool).await;
        queue(pool).dead_letter(&received[0], "not a message").await.unwrap();
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn dead_letters_are_shown_with_their_reason_and_in_short(pool: PgPool) {
    let long = format!("hello\n{}", "x".repeat(200));
    bury(&pool, &["coffee, please", &long]).await;

    let listed = Millrace::on(&pool).run(&["dead-letters", "list"]).await.ok();

    let rows: Vec<&str> = listed.lines().skip(1).collect();
    assert!(rows[0].starts_with("coffee, please "), "{listed}");
    assert!(rows[0].ends_with(" not a message"), "{listed}");
    assert!(rows[1].starts_with("hello xxx") && rows[1].contains("xxx… "), "{listed}");
    assert_eq!(rows.len(), 2);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn for_scripts_a_dead_letter_is_whole(pool: PgPool) {
    let long = "x".repeat(200);
    bury(&pool, &[&long, "second"]).await;

    let millrace = Millrace::on(&pool);
    let listed: Value =
        millrace.run(&["dead-letters", "list", "--json", "--max", "1"]).await.json();

    assert_eq!(listed, json!([{ "body": long, "reason": "not a message" }]));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn requeued_dead_letters_are_messages_again(pool: PgPool) {
    bury(&pool, &["first", "second", "third"]).await;

    let millrace = Millrace::on(&pool);
    let answer = millrace.run(&["dead-letters", "requeue", "--max", "2"]).await.ok();

    assert_eq!(answer, "sent again: 2\n");
    let mut bodies: Vec<_> =
        received(&pool).await.into_iter().map(|message| message.body).collect();
    bodies.sort();
    assert_eq!(bodies, ["first", "second"]);
    assert_eq!(queue(&pool).dead_letters(10).await.unwrap().len(), 1);
}
