//! Slack's timestamps, which are names as well: a message is called by its channel and its `ts`.

use std::fmt::{self, Display};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `1700000000.000100`: seconds since 1970, and six digits that keep those of one second apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ts {
    seconds: u32,
    fraction: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("not a timestamp, expected one such as 1700000000.000100")]
pub struct NoTimestamp;

impl Ts {
    /// The first that could be given at this instant.
    pub(super) fn at(instant: DateTime<Utc>) -> Self {
        let seconds = u32::try_from(instant.timestamp().max(0)).unwrap_or(u32::MAX);
        Self { seconds, fraction: instant.timestamp_subsec_micros().min(999_999) }
    }

    /// In whole seconds: what follows the point is no time.
    pub(super) fn second(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds.into(), 0).unwrap_or_default()
    }
}

impl FromStr for Ts {
    type Err = NoTimestamp;

    /// Only as Slack writes it, since it must be written back in the same way.
    fn from_str(text: &str) -> Result<Self, NoTimestamp> {
        let (seconds, fraction) = text.split_once('.').ok_or(NoTimestamp)?;
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.len() != 10 || fraction.len() != 6 || !is_number(seconds) || !is_number(fraction)
        {
            return Err(NoTimestamp);
        }
        let number = |part: &str| part.parse().map_err(|_| NoTimestamp);
        Ok(Self { seconds: number(seconds)?, fraction: number(fraction)? })
    }
}

impl Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}.{:06}", self.seconds, self.fraction)
    }
}

impl TryFrom<String> for Ts {
    type Error = NoTimestamp;

    fn try_from(text: String) -> Result<Self, NoTimestamp> {
        text.parse()
    }
}

impl From<Ts> for String {
    fn from(ts: Ts) -> Self {
        ts.to_string()
    }
}
