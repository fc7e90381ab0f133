//! Chance that can be had again.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// From a seed that is printed. `FAULTS_SEED=17` has its chances once more, as far as processes and
/// a busy machine repeat themselves.
pub(crate) fn chance() -> StdRng {
    let asked = std::env::var("FAULTS_SEED").ok();
    let seed = asked.map_or_else(rand::random, |seed| seed.parse().expect("FAULTS_SEED is 17"));
    println!("FAULTS_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
