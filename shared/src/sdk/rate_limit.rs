//! How long a platform asks us to wait, read from what it answers.
//!
//! Every platform says it differently: seconds, fractions of seconds, an instant in epoch seconds or
//! milliseconds, an HTTP date, or nothing at all. One reading serves them all, because the size of
//! a number tells what it is: nobody means a delay of three years, or an instant in 1973.
//!
//! Instants are compared with the platform's own clock (its `Date` header) where that is near
//! ours, so a worker whose clock is off by ten minutes still waits the right time. What cannot be
//! meant (a reset in the year 1, in 2079, "soon") is answered by [`DEFAULT_WAIT`], what is meant
//! but extreme by [`SHORTEST_WAIT`] or [`LONGEST_WAIT`].

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::Said;

/// When a platform refuses without saying for how long; also what GitHub asks for at least after a
/// secondary limit.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(60);
/// Nobody gains from asking again sooner.
pub const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// A longer limit is met again by one refused request a day, which is how we notice when a platform
/// changes its mind.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest windows we know of are monthly; a wait beyond that was not meant.
const LONGEST_WINDOW: Duration = Duration::from_secs(31 * 24 * 60 * 60);
/// A window that ended this recently has just turned; one that ended earlier says nothing.
const JUST_TURNED: Duration = Duration::from_secs(60);
/// A `Date` further from our clock is not a clock that runs wrong but one that was made up.
const PLAUSIBLE_SKEW: TimeDelta = TimeDelta::hours(1);

const ALLOWED: &[&str] = &["x-ratelimit-limit", "x-rate-limit-limit", "ratelimit-limit"];
const REMAINING: &[&str] =
    &["x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"];
/// The more precise first: Discord sends the first two together.
const RESET: &[&str] =
    &["x-ratelimit-reset-after", "x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];

/// How long to wait after this refusal if it is a rate limit; `None` if it is another refusal.
///
/// Between [`SHORTEST_WAIT`] and [`LONGEST_WAIT`]. The body (or as much of it as was read) counts
/// only for a 403 whose headers do not tell.
pub fn wait_after_refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Option<Duration> {
    is_rate_limit(status, headers, body).then(|| wait_until_welcome(headers, now))
}

/// What an answer or a refusal says of the limit that the request counted against.
pub(super) fn said(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Said {
    let count = |names| texts(headers, names).find_map(|text| text.parse().ok());
    Said {
        allowed: count(ALLOWED),
        remaining: count(REMAINING),
        resets_in: until_reset(headers, now),
        refused_for: wait_after_refusal(status, headers, body, now),
    }
}

/// How long to wait, given that the platform refused us because of a limit.
pub(super) fn wait_until_welcome(headers: &HeaderMap, now: DateTime<Utc>) -> Duration {
    // GitHub's secondary limits leave the primary one unspent, and its reset says nothing then.
    let primary = || remaining(headers).is_none_or(|left| left <= 0);
    first_sane(headers, &["retry-after"], now)
        .or_else(|| primary().then(|| until_reset(headers, now)).flatten())
        .unwrap_or(DEFAULT_WAIT)
}

fn is_rate_limit(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> bool {
    let says_when = headers.contains_key(RETRY_AFTER);
    match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::FORBIDDEN => {
            let spent = remaining(headers) == Some(0) && !has_buckets(headers);
            says_when || spent || speaks_of_a_limit(body)
        }
        StatusCode::SERVICE_UNAVAILABLE => says_when,
        _ => false,
    }
}

/// Discord has buckets of a single request, which every answer leaves empty, a true 403 too; its
/// limits are always 429.
fn has_buckets(headers: &HeaderMap) -> bool {
    headers.contains_key("x-ratelimit-reset-after")
}

/// GitHub's secondary limits may come without any header; only the sentence tells them from a
/// missing permission, and mistaking one for that would ask the tenant to reconnect.
fn speaks_of_a_limit(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    text.contains("rate limit") || text.contains("abuse detection")
}

fn remaining(headers: &HeaderMap) -> Option<i64> {
    texts(headers, REMAINING).find_map(|text| text.parse().ok())
}

fn until_reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    first_sane(headers, RESET, now)
}

fn first_sane(headers: &HeaderMap, names: &[&str], now: DateTime<Utc>) -> Option<Duration> {
    let now = platform_time(headers, now);
    texts(headers, names).find_map(|text| sane(seconds_from(text, now)?))
}

fn texts<'h>(headers: &'h HeaderMap, names: &[&str]) -> impl Iterator<Item = &'h str> {
    names.iter().filter_map(|name| headers.get(*name)?.to_str().ok().map(str::trim))
}

fn platform_time(headers: &HeaderMap, now: DateTime<Utc>) -> DateTime<Utc> {
    texts(headers, &["date"])
        .find_map(date)
        .filter(|theirs| (*theirs - now).abs() <= PLAUSIBLE_SKEW)
        .unwrap_or(now)
}

/// Seconds from `now`, negative for the past.
fn seconds_from(text: &str, now: DateTime<Utc>) -> Option<f64> {
    match text.parse::<f64>() {
        Ok(delay) if (0.0..1e8).contains(&delay) => Some(delay),
        Ok(epoch) if (1e8..1e11).contains(&epoch) => Some(epoch - epoch_seconds(now)),
        Ok(millis) if (1e11..1e14).contains(&millis) => Some(millis / 1e3 - epoch_seconds(now)),
        Ok(_) => None,
        Err(_) => Some(epoch_seconds(date(text)?) - epoch_seconds(now)),
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let http = httpdate::parse_http_date(text).ok().map(DateTime::from);
    http.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()))
}

/// Exact to the millisecond until long after 2079.
fn epoch_seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1e3
}

fn sane(seconds: f64) -> Option<Duration> {
    let meant = -JUST_TURNED.as_secs_f64()..=LONGEST_WINDOW.as_secs_f64();
    meant.contains(&seconds).then(|| {
        let wait = Duration::from_millis((seconds.max(0.0) * 1e3).round() as u64);
        wait.clamp(SHORTEST_WAIT, LONGEST_WAIT)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    /// 2026-11-20T12:00:00Z
    const NOW: i64 = 1_795_176_000;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).expect("a representable instant")
    }

    fn headers(lines: &str) -> HeaderMap {
        lines.lines().map(header).collect()
    }

    fn header(line: &str) -> (HeaderName, HeaderValue) {
        let (name, value) = line.split_once(": ").expect("name: value");
        (name.trim().parse().expect("a header name"), value.parse().expect("a header value"))
    }

    /// What a platform answers, what it documents, and the wait in seconds; `None` is no limit.
    #[rustfmt::skip]
    const REFUSALS: &[(&str, u16, &str, &str, Option<f64>)] = &[
        // RFC 9110, 10.2.3: seconds or a date.
        ("seconds", 429, "retry-after: 30", "", Some(30.0)),
        ("a date", 429, "retry-after: Fri, 20 Nov 2026 12:05:00 GMT", "", Some(300.0)),
        ("an older form of date", 429, "retry-after: Friday, 20-Nov-26 12:05:00 GMT", "", Some(300.0)),
        ("503 with a time is a limit", 503, "retry-after: 120", "", Some(120.0)),
        ("503 without one is a fault", 503, "", "", None),
        // Forem (dev.to), API v1: 429 with Retry-After.
        ("dev.to", 429, "retry-after: 1", "", Some(1.0)),
        // Slack, "Rate limits": 429 with Retry-After in seconds, spelled with capitals.
        ("slack", 429, "Retry-After: 45", "", Some(45.0)),
        ("capitals", 429, "RETRY-AFTER: 45", "", Some(45.0)),
        // Discord, "Rate Limits": Reset-After has fractions, Reset is epoch seconds with fractions.
        ("discord bucket", 429, "x-ratelimit-limit: 5\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 1795176064.57\nx-ratelimit-reset-after: 64.57", "", Some(64.57)),
        ("discord reset alone", 429, "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1795176064.57", "", Some(64.57)),
        ("discord global", 429, "x-ratelimit-global: true\nretry-after: 65", "", Some(65.0)),
        ("discord shared", 429, "x-ratelimit-scope: shared\nretry-after: 7\nx-ratelimit-remaining: 3\nx-ratelimit-reset-after: 1.2", "", Some(7.0)),
        ("discord forbids, in a bucket of one", 403, "x-ratelimit-limit: 1\nx-ratelimit-remaining: 0\nx-ratelimit-reset-after: 0.3", "", None),
        // X (Twitter), API v2 "Rate limits": epoch seconds; the forerunner waited 53 years for this one.
        ("twitter", 429, "x-rate-limit-limit: 15\nx-rate-limit-remaining: 0\nx-rate-limit-reset: 1795176900", "", Some(900.0)),
        ("twitter without remaining", 429, "x-rate-limit-reset: 1795176900", "", Some(900.0)),
        // GitHub, "Rate limits for the REST API": 403 or 429; remaining 0 and reset in epoch seconds.
        ("github primary", 403, "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1795178000", "", Some(2000.0)),
        ("github primary by 429", 429, "x-ratelimit-remaining: 0\nx-ratelimit-reset: 1795178000", "", Some(2000.0)),
        ("github secondary with a time", 403, "retry-after: 90\nx-ratelimit-remaining: 4999\nx-ratelimit-reset: 1795178000", "", Some(90.0)),
        ("github secondary without one", 403, "x-ratelimit-remaining: 4999\nx-ratelimit-reset: 1795178000", r#"{"message":"You have exceeded a secondary rate limit. Please wait"}"#, Some(60.0)),
        ("github secondary by 429", 429, "x-ratelimit-remaining: 4999\nx-ratelimit-reset: 1795178000", "", Some(60.0)),
        ("github abuse, its older words", 403, "", r#"{"message":"You have triggered an abuse detection mechanism."}"#, Some(60.0)),
        ("github forbids", 403, "x-ratelimit-remaining: 4999\nx-ratelimit-reset: 1795178000", r#"{"message":"Resource not accessible by integration"}"#, None),
        // IETF draft "RateLimit header fields" up to 07: delta seconds.
        ("ietf draft", 429, "ratelimit-limit: 100\nratelimit-remaining: 0\nratelimit-reset: 50", "", Some(50.0)),
        ("reset as a delay", 429, "x-ratelimit-reset: 300", "", Some(300.0)),
        ("reset in epoch milliseconds", 429, "x-ratelimit-reset: 1795176120000", "", Some(120.0)),
        ("reset as RFC 3339", 429, "x-ratelimit-reset: 2026-11-20T12:01:30Z", "", Some(90.0)),
        ("epoch seconds in Retry-After", 429, "retry-after: 1795176030", "", Some(30.0)),
        // Nothing, or nothing that can be meant.
        ("no header", 429, "", "", Some(60.0)),
        ("words", 429, "retry-after: soon", "", Some(60.0)),
        ("empty", 429, "retry-after: ", "", Some(60.0)),
        ("negative", 429, "retry-after: -5", "", Some(60.0)),
        ("not a number", 429, "retry-after: NaN", "", Some(60.0)),
        ("endless", 429, "retry-after: inf", "", Some(60.0)),
        ("the year 1 (devlake#8020)", 429, "x-ratelimit-reset: 0001-01-01T00:00:00Z", "", Some(60.0)),
        ("the year 1 in seconds", 429, "x-ratelimit-reset: -62135596800", "", Some(60.0)),
        ("the year 2079", 429, "x-ratelimit-reset: 3450000000", "", Some(60.0)),
        ("three years as a delay", 429, "retry-after: 99999999", "", Some(60.0)),
        ("an hour ago", 429, "x-ratelimit-reset: 1795172400", "", Some(60.0)),
        ("nonsense first, then a sane one", 429, "retry-after: soon\nx-ratelimit-reset: 1795176030", "", Some(30.0)),
        // Meant, but extreme.
        ("none at all", 429, "retry-after: 0", "", Some(1.0)),
        ("the window has just turned", 429, "x-ratelimit-reset: 1795175999", "", Some(1.0)),
        ("three days (monthly caps)", 429, "x-rate-limit-reset: 1795435200", "", Some(86_400.0)),
        // The platform's clock, not ours.
        ("our clock is ten minutes late", 429, "date: Fri, 20 Nov 2026 12:10:00 GMT\nx-rate-limit-reset: 1795176630", "", Some(30.0)),
        ("a date that was made up", 429, "date: Thu, 01 Jan 1970 00:00:00 GMT\nx-rate-limit-reset: 1795176030", "", Some(30.0)),
        // Other refusals, whatever they carry.
        ("401", 401, "retry-after: 5", "", None),
        ("404", 404, "x-ratelimit-remaining: 0", "", None),
        ("500", 500, "retry-after: 5", "", None),
    ];

    #[test]
    fn each_platforms_refusal_is_read_as_it_is_documented() {
        for (what, status, lines, body, seconds) in REFUSALS {
            let status = StatusCode::from_u16(*status).expect("a status");
            assert_eq!(
                wait_after_refusal(status, &headers(lines), body.as_bytes(), now()),
                seconds.map(Duration::from_secs_f64),
                "reading: {what}",
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_whatever_delays_outside_the_bounds(
            retry_after in "[ -~]{0,30}|[-+0-9.e]{0,20}",
            reset in "[ -~]{0,30}|[-+0-9.e]{0,20}",
            at in -62_135_596_800_i64..253_402_300_799,
        ) {
            let headers = headers(&format!("retry-after: {retry_after}\nx-ratelimit-reset: {reset}"));
            let now = DateTime::from_timestamp(at, 0).expect("a representable instant");
            let wait = wait_after_refusal(StatusCode::TOO_MANY_REQUESTS, &headers, b"", now);
            let wait = wait.expect("429 is always a limit");
            prop_assert!((SHORTEST_WAIT..=LONGEST_WAIT).contains(&wait), "waits {wait:?}");
        }
    }
}
