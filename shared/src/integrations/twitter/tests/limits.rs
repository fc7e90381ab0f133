//! X's rate limits: an instant in epoch seconds, which the forerunner took for a duration.

use std::time::Duration;

use chrono::TimeDelta;
use sandbox::twitter::{Class, RateLimit};

use super::*;
use crate::clock::Clock;

/// With a client whose clock stands where the community's does.
fn on_time(x: &X) -> Twitter {
    let clock = Clock::standing_at(x.sim.look(Community::now));
    Twitter::with(&x.sim.url(), Options { clock, ..Options::default() }).expect("an integration")
}

#[tokio::test]
async fn trap_a_reset_in_epoch_seconds_is_a_wait_of_minutes_and_not_of_53_years() {
    let x = X::small().await;
    let reset = x.sim.look(Community::now) + TimeDelta::minutes(14);
    x.sim.misbehave("/2/users/me", 1, Fault::RateLimitedUntil(reset));
    let run = Rehearsal::of(on_time(&x)).credential(x.credential.clone()).run().await;
    assert_eq!(run.waits, [Duration::from_secs(14 * 60)], "{run}");
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
}

#[tokio::test]
async fn a_reset_that_cannot_be_meant_is_a_short_wait() {
    let x = X::small().await;
    let in_2079 = "2079-01-01T00:00:00Z".parse().expect("an instant");
    x.sim.misbehave("/2/users/me", 1, Fault::RateLimitedUntil(in_2079));
    let run = Rehearsal::of(on_time(&x)).credential(x.credential.clone()).run().await;
    assert_eq!(run.waits, [Duration::from_secs(60)], "{run}");
}

#[tokio::test]
async fn a_spent_limit_costs_no_attempt_and_loses_nothing() {
    let x = X::small().await;
    x.sim.limit(Class::RecentSearch, RateLimit { requests: 1, per: Duration::from_secs(10) });
    x.sim.pass_with_each_request(TimeDelta::seconds(3));
    let run = x.rehearsal().run().await;
    assert!(x.sim.refused_count() > 0, "the limit was never met");
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(of_kind("hashtag", &[&run]).len(), 2);
}
