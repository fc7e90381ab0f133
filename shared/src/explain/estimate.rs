//! When a run may be about done: what is left to be fetched, divided by this tenant's share of what
//! its platform allows. Nobody knows what is still to be discovered, so it is a guess, and there is
//! none before anything was fetched or where nothing is counted.

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::{LimitFacts, RunFacts};

/// Farther away than this nothing can be said.
const SIGHT: TimeDelta = TimeDelta::days(366);

pub(super) fn about_ends_at(facts: &RunFacts) -> Option<DateTime<Utc>> {
    if facts.run.state.is_finished() {
        return None;
    }
    let goes_on = facts.run.delayed_until.map_or(facts.now, |until| until.max(facts.now));
    let seconds = [by_requests(facts), by_records(facts)].into_iter().flatten().reduce(f64::max)?;
    let length = TimeDelta::milliseconds((seconds * 1e3) as i64);
    (length <= SIGHT).then(|| goes_on + length)
}

/// Seconds that its requests take, by the narrowest of its limits.
fn by_requests(facts: &RunFacts) -> Option<f64> {
    let requests = facts.streams.requests as f64 * left_of_done(facts)?;
    let narrowest = facts.limits.iter().map(share).reduce(f64::min)?;
    (requests > 0.0).then(|| requests / narrowest)
}

/// Seconds that its records take.
fn by_records(facts: &RunFacts) -> Option<f64> {
    let limit = facts.record_limit?;
    let records = facts.streams.records as f64 * left_of_done(facts)?;
    let allowed = limit.records_for(facts.run.mode) as f64 / limit.per.as_secs_f64();
    (records > 0.0 && allowed > 0.0).then(|| records / allowed)
}

/// Units in a second that fall to one of those who want some.
fn share(limit: &LimitFacts) -> f64 {
    let tenants = limit.tenants.max(1) as f64;
    limit.allowed as f64 / limit.per.as_secs_f64() / tenants
}

/// Streams that are to come, for each that has ended.
fn left_of_done(facts: &RunFacts) -> Option<f64> {
    let streams = &facts.streams;
    let done = streams.processed + streams.failed;
    let left = streams.pending + streams.processing;
    (done > 0 && left > 0).then(|| left as f64 / done as f64)
}
