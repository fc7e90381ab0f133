//! Long lists of misfortunes, made by chance, and what must hold through all of them.
//!
//! Each list is lived through by three workers and two generators in one process, each on a machine
//! of its own that can be killed, over a real PostgreSQL, a queue that duplicates and reorders, and
//! two forums that people write to meanwhile. After each operation the invariants of `invariants.rs`
//! must hold. In the end the world is healed and must come to rest: no live run, no message, and in
//! the sink everything that is true, once and in its last version.
//!
//! A list is made from a seed. When one fails, its seed is printed, and the shortest list that still
//! fails. `SIMULATION_SEEDS=17` lives through one again, `SIMULATION_SEEDS=0..5000` through many.
//! The list is the same each time; which of two things that happen together is first is not.

mod forum;
mod gate;
mod invariants;
mod machine;
mod operations;
mod process;
mod reader;
mod scenes;
mod wire;
mod world;

use std::ops::Range;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use sqlx::PgPool;

use operations::Operation;
use scenes::operations;
use world::World;

/// Lived through in each run of the suite.
const EACH_TIME: u64 = 8;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn nothing_is_lost_or_doubled_whatever_happens(pool: PgPool) {
    let known = 0..EACH_TIME;
    live_through(pool, seeds().unwrap_or(known)).await;
}

/// What was asked for: one seed, or a range of them.
fn seeds() -> Option<Range<u64>> {
    let asked = std::env::var("SIMULATION_SEEDS").ok()?;
    let number =
        |text: &str| text.trim().parse::<u64>().expect("SIMULATION_SEEDS is 17 or 0..5000");
    Some(match asked.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&asked)..number(&asked) + 1,
    })
}

/// Proptest wants to wait for each list, so it does that on a thread of its own.
async fn live_through(pool: PgPool, seeds: Range<u64>) {
    invariants::watch(&pool).await;
    let options = pool.connect_options();
    let lived = tokio::task::spawn_blocking(move || {
        for seed in seeds {
            println!("seed {seed}");
            live(&options, seed);
        }
    });
    if let Err(failed) = lived.await {
        std::panic::resume_unwind(failed.into_panic());
    }
}

fn live(database: &sqlx::postgres::PgConnectOptions, seed: u64) {
    let config = Config {
        cases: 1,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        // Milliseconds: less than what the runner allows a test.
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lived = TestRunner::new(config).run(&operations(), |operations| {
        runtime.block_on(one_life(database, seed, &operations)).map_err(TestCaseError::fail)
    });
    if let Err(TestError::Fail(reason, operations)) = lived {
        let list: Vec<String> = operations.iter().map(|what| format!("{what:?}")).collect();
        panic!("SIMULATION_SEEDS={seed} fails: {reason}\nby\n{}", list.join("\n"));
    }
}

async fn one_life(
    database: &sqlx::postgres::PgConnectOptions,
    seed: u64,
    operations: &[Operation],
) -> Result<(), String> {
    let pool = PgPool::connect_with(database.clone()).await.unwrap();
    let lived = World::create(&pool, seed).await.live_through(operations).await;
    pool.close().await;
    lived
}
