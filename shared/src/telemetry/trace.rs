//! The thread through a causal chain, in the W3C's words (`traceparent`).
//!
//! Whoever starts something (a tick, a request) starts a trace; its text travels in the attributes
//! of the messages it sends, and whoever receives one continues it. There is no collector: the id
//! joins log lines, and a proxy or a platform that knows the format joins in.

use std::fmt::{self, Display};
use std::str::FromStr;

use rand::Rng;
use tracing::{Instrument, info_span};

tokio::task_local! {
    static CURRENT: Trace;
}

/// A place in a trace. Its text is `00-<trace id>-<parent id>-<flags>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Never 0.
    id: u128,
    /// Of whoever sent this; never 0.
    parent: u64,
    sampled: bool,
}

impl Trace {
    pub fn start() -> Self {
        let mut random = rand::rng();
        let id = random.random_range(1..=u128::MAX);
        Self { id, parent: random.random_range(1..=u64::MAX), sampled: true }
    }

    /// The trace that came with a message, one step on; a new one where none came, or none that can
    /// be read.
    pub fn continued(traceparent: Option<&str>) -> Self {
        match traceparent.and_then(|text| text.parse::<Self>().ok()) {
            Some(came) => came.next(),
            None => Self::start(),
        }
    }

    /// Does something as part of this trace: its log lines carry the id, and the messages it sends
    /// carry the trace on. Tasks that it spawns are not part of it.
    pub async fn around<F: Future>(self, something: F) -> F::Output {
        let span = info_span!("trace", trace_id = self.id());
        CURRENT.scope(self, something).instrument(span).await
    }

    /// One step on in the trace that we are part of, or a new one.
    pub fn onwards() -> Self {
        CURRENT.try_with(|current| current.next()).unwrap_or_else(|_| Self::start())
    }

    /// The same trace, with a parent of its own.
    pub fn next(self) -> Self {
        Self { id: self.id, sampled: self.sampled, ..Self::start() }
    }

    /// What log lines share, as the field `trace_id`.
    pub fn id(&self) -> String {
        format!("{:032x}", self.id)
    }
}

impl Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, parent, sampled } = self;
        write!(f, "00-{id:032x}-{parent:016x}-{:02x}", u8::from(*sampled))
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct NotATraceparent;

impl FromStr for Trace {
    type Err = NotATraceparent;

    fn from_str(text: &str) -> Result<Self, NotATraceparent> {
        let mut fields = text.split('-');
        let mut next = |digits| hex(fields.next(), digits);
        let (version, id, parent, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        // Later versions may append fields; 255 is forbidden, and so are ids of zero.
        let is_known = version != 255 && (version > 0 || fields.next().is_none());
        if !is_known || id == 0 || parent == 0 {
            return Err(NotATraceparent);
        }
        // `parent` has sixteen digits, which are 64 bits.
        Ok(Self { id, parent: parent as u64, sampled: flags & 1 == 1 })
    }
}

fn hex(field: Option<&str>, digits: usize) -> Result<u128, NotATraceparent> {
    let field = field.filter(|text| text.len() == digits).ok_or(NotATraceparent)?;
    // `from_str_radix` would also take a sign and capitals.
    let is_hex = field.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let number = u128::from_str_radix(field, 16).map_err(|_| NotATraceparent)?;
    is_hex.then_some(number).ok_or(NotATraceparent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_sent_within_a_trace_carries_it_on() {
        let trace = Trace::start();
        let sent = trace.around(async { Trace::onwards() }).await;
        assert_eq!(sent.id(), trace.id());
        assert_ne!(sent, trace);
        assert_ne!(Trace::onwards().id(), trace.id());
    }

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_specifications_example_is_read_and_written() {
        let trace: Trace = EXAMPLE.parse().expect("a traceparent");
        assert_eq!(trace.id(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(trace.to_string(), EXAMPLE);
    }

    #[test]
    fn a_trace_is_continued_under_its_id_by_another_parent() {
        let came: Trace = EXAMPLE.parse().expect("a traceparent");
        let continued = Trace::continued(Some(EXAMPLE));
        assert_eq!(continued.id(), came.id());
        assert_ne!(continued.parent, came.parent);
        assert_eq!(continued.to_string().parse(), Ok(continued));
    }

    #[test]
    fn what_nobody_wanted_traced_stays_untraced() {
        let unsampled = EXAMPLE.replace("-01", "-00");
        assert!(Trace::continued(Some(&unsampled)).to_string().ends_with("-00"));
    }

    #[test]
    fn where_nothing_readable_came_a_trace_starts() {
        let started = [None, Some(""), Some("nonsense")].map(Trace::continued);
        assert_ne!(started[0].id(), started[1].id());
        assert_ne!(started[1].id(), started[2].id());
    }

    #[test]
    fn what_the_specification_forbids_is_no_trace() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(text.parse::<Trace>(), Err(NotATraceparent), "reading {text:?}");
        }
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
        assert_eq!(later.parse::<Trace>(), EXAMPLE.parse());
    }
}
