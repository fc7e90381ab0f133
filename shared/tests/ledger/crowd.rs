//! Four workers, fifty tenants, one platform that counts. `LEDGER_SEED=17` lives through another crowd.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use shared::domain::{CountedBy, RunMode};
use sqlx::PgPool;

use crate::provider::{Crowd, Outcome, limit, live};

const MINUTE: Duration = Duration::from_secs(60);
const ALLOWED: u32 = 300;

/// Every small tenant has six requests, at a moment of its own; together they need a third of what
/// there is.
fn small_ones(seed: u64) -> Vec<Crowd> {
    let mut rng = StdRng::seed_from_u64(seed);
    let small = |tenant| Crowd {
        tenant,
        mode: if tenant % 7 == 0 { RunMode::Check } else { RunMode::Onboarding },
        requests: 6,
        begins: Duration::from_millis(rng.random_range(10_000..150_000)),
        worker: tenant as usize % 4,
    };
    (1..50).map(small).collect()
}

/// Many streams at every worker, and far more requests than there is time for.
fn big_one() -> impl Iterator<Item = Crowd> {
    let stream = |nth| Crowd {
        tenant: 0,
        mode: RunMode::Onboarding,
        requests: 10_000,
        begins: Duration::ZERO,
        worker: nth % 4,
    };
    (0..24_usize).map(stream)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn four_workers_and_fifty_tenants_use_the_budget_and_never_more(pool: PgPool) {
    let seed = std::env::var("LEDGER_SEED").map_or(5, |seed| seed.parse().unwrap());
    println!("LEDGER_SEED={seed}");
    let limit = limit(ALLOWED, MINUTE, CountedBy::Application);
    let length = MINUTE * 3;

    let without = live(&pool, &limit, &small_ones(seed), length, seed).await;
    sqlx::query("truncate quota_ledger").execute(&pool).await.unwrap();
    let crowd: Vec<_> = small_ones(seed).into_iter().chain(big_one()).collect();
    let with = live(&pool, &limit, &crowd, length, seed).await;

    for outcome in [&without, &with] {
        assert!(outcome.most_in_a_window(MINUTE) <= ALLOWED as usize);
        assert!(outcome.most_in_an_aligned_window(MINUTE) <= ALLOWED as usize);
    }
    let used = with.counted_within(length) as f64 / f64::from(ALLOWED * 3);
    println!("used {used:.3} of the budget");
    assert!(used >= 0.95, "{used:.3} of the budget");
    no_small_one_waits_for_more_than_twice_as_long(&without, &with);
}

fn no_small_one_waits_for_more_than_twice_as_long(without: &Outcome, with: &Outcome) {
    let with: HashMap<_, _> = with.took.iter().copied().collect();
    assert_eq!(without.took.len(), 49, "all are done");
    // What nobody took before, a twentieth of the window's, is found by who is alone; and a turn
    // may be missed by a moment.
    let (burst, moment) = (TimeDelta::seconds(3), TimeDelta::milliseconds(1_500));
    let mut worst = 0.0_f64;
    for (index, alone) in &without.took {
        let took = with[index];
        worst = worst.max(took.as_seconds_f64() / (*alone + burst).as_seconds_f64());
        assert!(took <= (*alone + burst) * 2 + moment, "{index}: {took} against {alone}");
    }
    println!("the worst took {worst:.2} times as long");
}
