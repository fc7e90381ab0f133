//! Whatever a platform says, letter by letter: text and JSON of any kind come back as they went in,
//! but for NUL.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};
use shared::domain::Activity;
use sqlx::PgPool;

use crate::ground::Ground;
use crate::records::{activities, comment, person};

fn text() -> impl Strategy<Value = String> {
    let letter = prop_oneof![8 => any::<char>(), 4 => "[a-z \\\\\"'{}]".prop_map(first), 1 => Just('\0'), 1 => Just('\n')];
    prop::collection::vec(letter, 0..40).prop_map(String::from_iter)
}

fn first(text: String) -> char {
    text.chars().next().expect("one letter")
}

fn json() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    plain.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((text(), value), 0..6).prop_map(Map::from_iter)
}

fn activity() -> impl Strategy<Value = Activity> {
    let texts = (text(), text(), prop::option::of(text()), prop::option::of(text()));
    (texts, fields(json()), any::<i16>(), any::<bool>(), text(), json()).prop_map(
        |((source_id, kind, title, body), attributes, score, is_contribution, name, bio)| {
            let member = person(&name, &source_id, None).attribute("bio", Some(bio));
            Activity {
                kind,
                title,
                body,
                attributes,
                score,
                is_contribution,
                member,
                ..comment(&source_id)
            }
        },
    )
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(values) => values.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key.replace('\0', ""), without_nul(value)))
            .collect(),
        plain => plain,
    }
}

/// How many stored activities are to the letter what was said. PostgreSQL compares: it writes numbers
/// in a way of its own.
async fn stored(ground: &Ground, activity: &Activity) -> i64 {
    let text = |text: &str| text.replace('\0', "");
    let bio = activity.member.attributes.get("bio").map(|bio| without_nul(bio["toy"].clone()));
    let name = activity.member.display_name.as_deref().map(text).filter(|name| !name.is_empty());
    sqlx::query_scalar(
        "select count(*) from activities a join members m on m.id = a.member_id
         where source_id = $1 and type = $2 and title is not distinct from $3 and body is not distinct from $4
             and a.attributes = $5 and score = $6 and is_contribution = $7
             and display_name is not distinct from $8 and m.attributes #> '{bio,toy}' is not distinct from $9",
    )
    .bind(text(&activity.source_id))
    .bind(text(&activity.kind))
    .bind(activity.title.as_deref().map(text))
    .bind(activity.body.as_deref().map(text))
    .bind(without_nul(Value::Object(activity.attributes.clone())))
    .bind(activity.score)
    .bind(activity.is_contribution)
    .bind(name)
    .bind(bio)
    .fetch_one(ground.store.pool())
    .await
    .unwrap()
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn arbitrary_records_are_stored_to_the_letter(pool: PgPool) {
    let seed: [u8; 32] = rand::random();
    println!("seed {seed:?}");
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    for round in 0..20 {
        let page = prop::collection::vec(activity(), 1..6).new_tree(&mut runner).unwrap().current();
        // Each of its own: two of one id would be one.
        let page: Vec<Activity> = page
            .into_iter()
            .enumerate()
            .map(|(n, mut activity)| {
                activity.source_id += &format!("{round}-{n}");
                activity.member.identity.username += &format!("{round}-{n}");
                activity
            })
            .collect();
        for _again in 0..2 {
            let committed = held.try_commit(activities(page.clone())).await;
            committed.unwrap_or_else(|error| panic!("{error}: {page:?}"));
        }
        for activity in &page {
            assert_eq!(stored(&ground, activity).await, 1, "{activity:?}");
        }
    }
}
