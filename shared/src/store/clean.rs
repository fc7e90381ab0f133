//! What PostgreSQL cannot store, made storable: a platform's odd value never stops a stream.
//!
//! Text and JSON cannot hold NUL, an index entry cannot hold a very long key, and a timestamp has
//! bounds. JSON that is nested deeper than it could be decoded again is kept as text from there on.
//! Everything else is stored as it came.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A key is an index entry, and PostgreSQL's hold at most a third of a page.
const LONGEST_KEY: usize = 512;

/// Levels of JSON. serde_json reads 128, and what is stored may be embedded.
const DEEPEST: usize = 100;

/// Without NUL.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    count("nul");
    Cow::Owned(text.replace('\0', ""))
}

/// Without NUL in any string, keys included, and not too deep.
pub(super) fn json(value: Value) -> Value {
    json_within(DEEPEST, value)
}

fn json_within(levels: usize, value: Value) -> Value {
    match value {
        Value::String(string) => Value::String(text(&string).into_owned()),
        Value::Array(_) | Value::Object(_) if levels == 0 => {
            count("deep_json");
            Value::String(text(&value.to_string()).into_owned())
        }
        Value::Array(values) => {
            values.into_iter().map(|value| json_within(levels - 1, value)).collect()
        }
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (text(&key).into_owned(), json_within(levels - 1, value)))
            .collect(),
        plain => plain,
    }
}

/// Without NUL, and short enough for an index: of a longer one the beginning and a hash.
pub(super) fn key(key: &str) -> Cow<'_, str> {
    let key = text(key);
    if key.len() <= LONGEST_KEY {
        return key;
    }
    count("long_key");
    let beginning = &key[..key.floor_char_boundary(LONGEST_KEY - 65)];
    Cow::Owned(format!("{beginning}#{:x}", Sha256::digest(key.as_bytes())))
}

/// Within PostgreSQL's years.
pub(super) fn timestamp(at: DateTime<Utc>) -> DateTime<Utc> {
    // 4713 BC and 294276 AD, a year inside of each.
    const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_secs(-210_834_000_000).unwrap();
    // chrono ends before PostgreSQL does.
    if at >= EARLIEST {
        return at;
    }
    count("timestamp");
    EARLIEST
}

/// Cleaning is never silent: `cleaned_values_total` says what and how often.
fn count(what: &'static str) {
    metrics::counter!("cleaned_values_total", "what" => what).increment(1);
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_taken_out_and_everything_else_stays() {
        assert_eq!(text("a\0b 🦀"), "ab 🦀");
        assert_eq!(
            json(json!({"k\0": ["x\0y", {"z": "\0"}], "n": 1})),
            json!({"k": ["xy", {"z": ""}], "n": 1})
        );
        assert!(matches!(text("untouched"), Cow::Borrowed(_)));
    }

    #[test]
    fn whatever_is_cleaned_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            text("a\0b");
            json(json!({"k\0": "x\0y"}));
            key(&"k".repeat(LONGEST_KEY + 1));
            timestamp(DateTime::<Utc>::MIN_UTC);
            json((0..=DEEPEST).fold(json!(1), |inner, _| json!([inner])));
            text("untouched");
        });
        let said = recorder.handle().render();
        for (what, times) in [("nul", 3), ("long_key", 1), ("timestamp", 1), ("deep_json", 1)] {
            let line = format!("cleaned_values_total{{what=\"{what}\"}} {times}");
            assert!(said.contains(&line), "no {line} in {said}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_text_from_there_on() {
        let nested = |levels| (0..levels).fold(json!("\0"), |inner, _| json!([inner]));
        assert_eq!(json(nested(DEEPEST)), (0..DEEPEST).fold(json!(""), |inner, _| json!([inner])));
        let mut deep = json(nested(DEEPEST + 2));
        assert!(serde_json::from_str::<Value>(&deep.to_string()).is_ok());
        for _ in 0..DEEPEST {
            deep = deep[0].take();
        }
        assert_eq!(deep, r#"[["\u0000"]]"#);
    }

    #[test]
    fn long_keys_stay_different_and_short_ones_stay_the_same() {
        let long = "🦀".repeat(10_000);
        assert!(key(&long).len() <= LONGEST_KEY);
        assert_ne!(key(&long), key(&format!("{long}!")));
        assert_eq!(key("b7k3"), "b7k3");
    }

    #[test]
    fn years_before_postgres_begins_are_its_first() {
        assert_eq!(timestamp(DateTime::<Utc>::MIN_UTC).format("%Y").to_string(), "-4712");
        let today = "2024-05-01T12:00:00Z".parse().unwrap();
        assert_eq!(timestamp(today), today);
    }
}
