//! What Millrace tells about itself: logs (here), the traces that join them, and metrics.
//!
//! A log line is a sentence with the fields one would search by, named as the SQL columns are. Lines
//! go to standard error, so that standard output belongs to what a command prints. The lines of one
//! causal chain, from a tick or a request to the last page of the run it started, share a
//! `trace_id`: open a span with [`Trace::id`] around what a message causes.

mod metrics;
mod trace;

use std::io::{IsTerminal, stderr};
use std::str::FromStr;

use anyhow::Context;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

pub use metrics::{METRICS, Metric, Metrics, Shape};
pub use trace::{NotATraceparent, Trace};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    #[default]
    Auto,
    Human,
    /// One object per line, the enclosing spans in `spans`.
    Json,
}

/// What is logged, in the words of `RUST_LOG`: known to be readable.
#[derive(Clone, Debug, Default)]
pub struct LogDirectives(String);

/// Starts logging, once per process: what `RUST_LOG` says, `info` where it says nothing.
pub fn init(format: LogFormat) -> anyhow::Result<()> {
    let directives = std::env::var("RUST_LOG").unwrap_or_default();
    let directives = directives.parse().with_context(|| format!("RUST_LOG={directives}"))?;
    init_with(format, &directives)
}

/// The same, for whoever has read the environment.
pub fn init_with(format: LogFormat, directives: &LogDirectives) -> anyhow::Result<()> {
    let json = format.is_json(stderr().is_terminal());
    subscriber(json, filter(&directives.0)?, stderr).try_init().context("starting the log")
}

impl FromStr for LogDirectives {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        filter(text).map(|_| Self(text.to_owned()))
    }
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" | "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("it is one of auto, human, json"),
        }
    }
}

impl LogFormat {
    fn is_json(self, on_a_terminal: bool) -> bool {
        match self {
            Self::Auto => !on_a_terminal,
            Self::Human => false,
            Self::Json => true,
        }
    }
}

/// PostgreSQL's notices are of what went as it should: "already exists, skipping".
const WITHOUT_DIRECTIVES: &str = "info,sqlx::postgres::notice=warn";

/// The defaults stand in front, so that `RUST_LOG=sqlx=debug` adds to it instead of silencing the rest.
fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{WITHOUT_DIRECTIVES},{directives}"))
}

fn subscriber<W>(json: bool, filter: EnvFilter, to: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(to);
    if json {
        let objects = lines.json().flatten_event(true);
        Box::new(objects.with_current_span(false).with_span_list(true).finish())
    } else {
        Box::new(lines.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::{debug, info, info_span, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic while writing").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged by `log`, line by line.
    fn lines(json: bool, directives: &str, log: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let to = written.clone();
        let filter = filter(directives).expect("directives");
        tracing::subscriber::with_default(subscriber(json, filter, move || to.clone()), log);
        let bytes = written.0.lock().expect("no panic while writing").clone();
        String::from_utf8(bytes).expect("text").lines().map(String::from).collect()
    }

    #[test]
    fn a_json_line_has_its_fields_on_top_and_the_trace_in_its_spans() {
        let trace = Trace::start();
        let lines = lines(true, "", || {
            let _message = info_span!("message", trace_id = trace.id()).entered();
            let _stream = info_span!("stream", run.id = 7).entered();
            info!(pages = 2, "stored 2 pages");
        });
        let line: Value = serde_json::from_str(&lines[0]).expect("an object per line");

        assert_eq!(line["message"], "stored 2 pages");
        assert_eq!(line["pages"], 2);
        assert_eq!(line["level"], "INFO");
        assert_eq!(
            line["spans"],
            json!([{"name": "message", "trace_id": trace.id()}, {"name": "stream", "run.id": 7}]),
        );
    }

    #[test]
    fn a_line_for_people_is_a_sentence() {
        let lines = lines(false, "", || warn!(run.id = 7, "nobody answers"));
        assert!(lines[0].contains("nobody answers"), "{lines:?}");
        assert!(serde_json::from_str::<Value>(&lines[0]).is_err(), "{lines:?}");
    }

    #[test]
    fn without_directives_the_log_starts_at_info() {
        let log = || {
            debug!("fine");
            info!("plain");
            info!(target: "sqlx::postgres::notice", "already exists, skipping");
        };
        assert_eq!(lines(false, "", log).len(), 1);
        assert_eq!(lines(false, "warn", log).len(), 0);
        assert_eq!(lines(false, "other=trace", log).len(), 1, "info stays for the rest");
        assert_eq!(lines(false, "shared=debug", log).len(), 2);
    }

    #[test]
    fn directives_that_cannot_be_read_are_refused() {
        for readable in ["", "warn", "shared=debug,sqlx=off"] {
            assert!(readable.parse::<LogDirectives>().is_ok(), "{readable:?}");
        }
        assert!("shared=loud".parse::<LogDirectives>().is_err(), "there is no such level");
    }

    #[test]
    fn json_is_for_whoever_is_no_terminal() {
        assert!(LogFormat::Auto.is_json(false));
        assert!(!LogFormat::Auto.is_json(true));
        assert!(LogFormat::Json.is_json(true));
        assert!(!LogFormat::Human.is_json(false));
    }
}
