//! What a round of statements costs, in pages that PostgreSQL looks at, and whether it costs the same
//! when there is much more in the tables.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgPool};

use crate::watching::{Statement, Watched};

/// So often each statement is executed before it is looked at: PostgreSQL makes a plan for the values
/// at hand five times, and then may keep one for all values.
pub(crate) const ROUNDS: usize = 8;

/// A round is looked at so often, and what counts is the cheapest: while other tests make and drop
/// databases PostgreSQL forgets what it knows of its own catalogs, and a statement that looks there
/// again has those pages counted with its own.
const LOOKS: usize = 4;

/// One round: each statement with the times it was executed.
pub(crate) type Costs = BTreeMap<String, Vec<Statement>>;

pub(crate) async fn costs(watched: &Watched, mut round: impl AsyncFnMut()) -> Costs {
    leave_alone(&watched.pool).await;
    for _ in 1..ROUNDS {
        round().await;
    }
    // What the rounds left behind is no history.
    sqlx::raw_sql("vacuum analyze").execute(&watched.pool).await.unwrap();
    costs_now(watched, round).await
}

pub(crate) async fn costs_now(watched: &Watched, mut round: impl AsyncFnMut()) -> Costs {
    let mut cheapest = costs_of_one(watched, &mut round).await;
    for _ in 1..LOOKS {
        let costs = costs_of_one(watched, &mut round).await;
        assert_eq!(cheapest.keys().collect::<Vec<_>>(), costs.keys().collect::<Vec<_>>());
        for (cheapest, statements) in cheapest.values_mut().zip(costs.into_values()) {
            assert_eq!(cheapest.len(), statements.len(), "{statements:?}");
            for (cheapest, statement) in cheapest.iter_mut().zip(statements) {
                if statement.pages() < cheapest.pages() {
                    *cheapest = statement;
                }
            }
        }
    }
    cheapest
}

async fn costs_of_one(watched: &Watched, round: &mut impl AsyncFnMut()) -> Costs {
    watched.statements().await;
    round().await;
    let mut costs = Costs::new();
    for statement in watched.statements().await {
        costs.entry(statement.text().to_owned()).or_default().push(statement);
    }
    costs
}

/// An autovacuum at the wrong moment would keep rows alive, or make a plan anew.
pub(crate) async fn leave_alone(pool: &PgPool) {
    let tables = "select format('alter table %I set (autovacuum_enabled = false)', tablename)
                  from pg_tables where schemaname = 'public'";
    let statements: Vec<String> = sqlx::query_scalar(tables).fetch_all(pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements.join(";"))).execute(pool).await.unwrap();
}

/// With twenty times the history trees grow by a level or two, a page may have been written anew, and
/// on a busy machine rows that earlier rounds left dead are looked at once more. What grows with the
/// history is far above this.
fn as_before(before: u64) -> u64 {
    before * 3 + 32
}

pub(crate) fn assert_unmoved(young: &Costs, old: &Costs, big: &[&str]) {
    assert_eq!(young.keys().collect::<Vec<_>>(), old.keys().collect::<Vec<_>>());
    for (young, old) in young.values().zip(old.values()) {
        assert_eq!(young.len(), old.len(), "{old:?}");
        for (young, old) in young.iter().zip(old) {
            let (before, after) = (young.pages(), old.pages());
            println!("{before:4} {after:4} pages: {}", old.beginning());
            let whole = old.read_whole();
            assert!(!whole.iter().any(|table| big.contains(&table.as_str())), "{old:?}");
            assert!(after <= as_before(before), "{before} pages were enough, now {after}: {old:?}");
        }
    }
}
