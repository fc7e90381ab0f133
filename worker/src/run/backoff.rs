//! How long to wait after a failure: capped, exponential, with full jitter, so that what failed
//! together is not tried again together.

use std::time::Duration;

use rand::Rng;

use crate::Settings;

/// The wait before the attempt that follows `attempts` failures (at least one). At least a second.
pub(crate) fn after(attempts: i32, settings: &Settings) -> Duration {
    let longest = longest(attempts, settings);
    let jitter = rand::rng().random_range(0.0..=1.0);
    longest.mul_f64(jitter).max(Duration::from_secs(1).min(longest))
}

fn longest(attempts: i32, settings: &Settings) -> Duration {
    let doublings = attempts.saturating_sub(1).clamp(0, 20) as u32;
    settings.backoff_base.saturating_mul(1 << doublings).min(settings.backoff_cap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_a_cap_and_are_never_nothing() {
        let settings = Settings {
            backoff_base: Duration::from_secs(5),
            backoff_cap: Duration::from_secs(60),
            ..Settings::default()
        };
        let waits: Vec<u64> = (1..=6).map(|n| longest(n, &settings).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        for attempts in [0, 1, 5, i32::MAX] {
            let wait = after(attempts, &settings);
            assert!(wait >= Duration::from_secs(1) && wait <= settings.backoff_cap, "{wait:?}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_bounds_whatever_the_settings(
            attempts: i32, base in 0..1_000_000_000_u64, cap in 0..1_000_000_000_u64,
        ) {
            let (backoff_base, backoff_cap) = (Duration::from_millis(base), Duration::from_millis(cap));
            let settings = Settings { backoff_base, backoff_cap, ..Settings::default() };
            let wait = after(attempts, &settings);
            let longest = longest(attempts, &settings);
            prop_assert!(wait <= longest && longest <= backoff_cap, "{wait:?} of {longest:?}");
            prop_assert!(wait >= longest.min(Duration::from_secs(1)), "{wait:?}");
        }

        #[test]
        fn the_longest_wait_never_shrinks_from_one_failure_to_the_next(
            attempts in 0..i32::MAX, base in 1..100_000_u64,
        ) {
            let settings = Settings { backoff_base: Duration::from_millis(base), ..Settings::default() };
            prop_assert!(longest(attempts, &settings) <= longest(attempts + 1, &settings));
        }
    }
}
