//! Discord's ids: numbers that begin with the time at which they were given.
//!
//! Hence a cursor may be an id or an instant, whichever is at hand. They are text in JSON, since
//! they are above what its numbers hold everywhere.

use std::fmt::{self, Display};
use std::num::ParseIntError;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 2015 began, in milliseconds since 1970.
const EPOCH: i64 = 1_420_070_400_000;
/// Below the time, in bits: who gave the id, and a counter.
const SHIFT: u32 = 22;
/// What the time can be at the most, in milliseconds: it has 42 bits.
const LATEST: u64 = u64::MAX >> SHIFT;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(u64);

impl Snowflake {
    /// Before every id that was given at this instant or later.
    pub(super) fn at(instant: DateTime<Utc>) -> Self {
        let millis = u64::try_from(instant.timestamp_millis() - EPOCH).unwrap_or(0);
        Self(millis.min(LATEST) << SHIFT)
    }

    pub(super) fn time(self) -> DateTime<Utc> {
        // At most 42 bits, so neither negative nor after the year 2154.
        let millis = (self.0 >> SHIFT) as i64;
        DateTime::from_timestamp_millis(EPOCH + millis).expect("an instant before 2155")
    }

    /// Before every id that was given since so long before this one.
    pub(super) fn earlier_by(self, span: TimeDelta) -> Self {
        Self::at(self.time() - span)
    }
}

impl Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Snowflake {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("expected an id of Discord's, digits as text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Discord's own description.
    #[test]
    fn an_id_tells_when_it_was_given() {
        let id: Snowflake = "175928847299117063".parse().expect("an id");
        assert_eq!(id.time().to_rfc3339(), "2016-04-30T11:18:25.796+00:00");
        assert!(Snowflake::at(id.time()) <= id);
        assert!(Snowflake::at(id.time() + TimeDelta::milliseconds(1)) > id);
        assert_eq!(
            id.earlier_by(TimeDelta::minutes(10)).time(),
            id.time() - TimeDelta::minutes(10)
        );
    }

    #[test]
    fn instants_that_no_id_can_have_are_the_nearest_that_one_can() {
        assert_eq!(Snowflake::at(DateTime::UNIX_EPOCH), Snowflake(0));
        assert!(Snowflake::at(DateTime::<Utc>::MAX_UTC) > Snowflake(u64::MAX >> 1));
        assert_eq!(Snowflake(0).earlier_by(TimeDelta::days(1)), Snowflake(0));
        assert_eq!(Snowflake(u64::MAX).time().to_rfc3339(), "2154-05-15T07:35:11.103+00:00");
    }

    #[test]
    fn an_id_is_text_in_json_also_as_a_key() {
        let ids = std::collections::BTreeMap::from([(Snowflake(7), Snowflake(u64::MAX))]);
        let json = serde_json::to_string(&ids).expect("JSON");
        assert_eq!(json, r#"{"7":"18446744073709551615"}"#);
        assert_eq!(serde_json::from_str::<std::collections::BTreeMap<_, _>>(&json).unwrap(), ids);
        assert!(serde_json::from_str::<Snowflake>("\"general\"").is_err());
    }
}
