//! Times as people and scripts both can read them.

use chrono::{DateTime, SecondsFormat, Utc};

/// `2026-11-20T18:57:03Z (12 s ago)`
pub(crate) fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({})", seconds(at), relative(at, now))
}

/// The same, or a dash for what has not happened.
pub(crate) fn moment_or_dash(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    at.map_or_else(|| "-".into(), |at| moment(at, now))
}

/// `2026-11-20T18:57:03Z`
pub(crate) fn seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `in 4 min`, `12 s ago`: one unit, of which there is more than one and a half.
pub(crate) fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let from_now = at - now;
    let distance = length(from_now.num_milliseconds().unsigned_abs().div_ceil(1000));
    match from_now.num_milliseconds() {
        -999..=999 => "now".into(),
        1000.. => format!("in {distance}"),
        _ => format!("{distance} ago"),
    }
}

fn length(seconds: u64) -> String {
    let rounded = |unit: u64| (seconds + unit / 2) / unit;
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", rounded(60)),
        5_400..129_600 => format!("{} h", rounded(3_600)),
        _ => format!("{} days", rounded(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_moment_is_exact_and_relative() {
        let now: DateTime<Utc> = "2026-11-20T18:57:03.400Z".parse().unwrap();
        let told = |seconds: i64| moment(now + TimeDelta::seconds(seconds), now);
        assert_eq!(told(0), "2026-11-20T18:57:03Z (now)");
        assert_eq!(told(-12), "2026-11-20T18:56:51Z (12 s ago)");
        assert_eq!(told(89), "2026-11-20T18:58:32Z (in 89 s)");
        assert_eq!(told(240), "2026-11-20T19:01:03Z (in 4 min)");
        assert_eq!(told(-5_400), "2026-11-20T17:27:03Z (2 h ago)");
        assert_eq!(told(7 * 86_400), "2026-11-27T18:57:03Z (in 7 days)");
    }
}
