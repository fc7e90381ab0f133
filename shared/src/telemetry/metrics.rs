//! What Millrace counts, in one list, and the recorder that keeps it for Prometheus.

use anyhow::Context;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The process's recorder. Without one, counting costs nothing and goes nowhere.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Once per process, before anything is counted.
    pub fn install() -> anyhow::Result<Self> {
        let handle = recorder()?.install_recorder().context("installing the metrics recorder")?;
        METRICS.iter().for_each(Metric::describe);
        Ok(Self { handle })
    }

    /// In Prometheus' text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// What was observed since is folded into the buckets. To be called every few seconds, or
    /// histograms that nobody scrapes grow without bound.
    pub fn fold(&self) {
        self.handle.run_upkeep();
    }

    #[cfg(test)]
    pub(crate) fn of(handle: PrometheusHandle) -> Self {
        Self { handle }
    }
}

fn recorder() -> anyhow::Result<PrometheusBuilder> {
    let waits = Matcher::Full("provider_wait_seconds".to_owned());
    // A second to a day: what `sdk::rate_limit` lets through.
    let seconds = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0];
    // In place, or asleep; on the way, or behind others.
    let short = [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0];
    let turns = Matcher::Full("quota_wait_seconds".to_owned());
    let lags = Matcher::Full("message_lag_seconds".to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(waits, &seconds)
        .and_then(|builder| builder.set_buckets_for_metric(turns, &short))
        .and_then(|builder| builder.set_buckets_for_metric(lags, &short))
        .context("the buckets of waits")
}

/// One thing counted.
#[derive(Debug)]
pub struct Metric {
    pub name: &'static str,
    pub shape: Shape,
    pub unit: Unit,
    pub meaning: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Counter,
    Gauge,
    Histogram,
}

/// Everything that is counted anywhere in Millrace. Labels stand in braces; every label has few
/// values, so none is ever an id.
pub const METRICS: &[Metric] = &[
    counter("api_requests_total", "Requests to the API by their answer {method, route, status}"),
    counter("runs_started_total", "Runs whose first streams are known {kind, mode}"),
    counter("runs_finished_total", "Runs that reached their end {kind, mode, outcome}"),
    counter("stream_outcomes_total", "Steps of streams by how they ended {kind, outcome}"),
    counter("discoveries_total", "Discoveries by how they ended {kind, outcome}"),
    counter("records_total", "Records fetched and stored {kind}"),
    counter("operations_total", "Operations carried out by the sink {kind, operation}"),
    counter("cleaned_values_total", "Values that had to be cleaned to be stored {what}"),
    counter(
        "provider_requests_total",
        "Requests sent to platforms, attempts and redirects included {kind, status}",
    ),
    counter("credential_renewals_total", "Renewals of credentials by how they ended {outcome}"),
    histogram("provider_wait_seconds", Unit::Seconds, "Waits that platforms asked for {kind}"),
    gauge(
        "quota_left",
        "Left of a limit when it was last asked for: requests, points or, of a kind, records {platform, class}",
    ),
    histogram(
        "quota_wait_seconds",
        Unit::Seconds,
        "Waits for a share of a limit, in place or asleep {platform, class}",
    ),
    counter("ticks_total", "Ticks fired by this process"),
    gauge("scheduler_leader", "1 in the generator that holds the scheduler lease, otherwise 0"),
    gauge(
        "outbox_backlog",
        "Runs whose message is due and not sent, once a tick by each generator",
    ),
    gauge("queue_depth", "Messages waiting in the queue, about, once a tick by each generator"),
    histogram(
        "message_lag_seconds",
        Unit::Seconds,
        "From a message's sending to its first receiving",
    ),
    counter("messages_total", "Messages received by how they ended {outcome}"),
    counter("dead_letters_total", "Messages given up {reason}"),
    counter("lease_steals_total", "Runs taken over from a worker whose lease had expired"),
];

const fn counter(name: &'static str, meaning: &'static str) -> Metric {
    Metric { name, shape: Shape::Counter, unit: Unit::Count, meaning }
}

const fn gauge(name: &'static str, meaning: &'static str) -> Metric {
    Metric { name, shape: Shape::Gauge, unit: Unit::Count, meaning }
}

const fn histogram(name: &'static str, unit: Unit, meaning: &'static str) -> Metric {
    Metric { name, shape: Shape::Histogram, unit, meaning }
}

impl Metric {
    fn describe(&self) {
        let Self { name, shape, unit, meaning } = self;
        match shape {
            Shape::Counter => describe_counter!(*name, *unit, *meaning),
            Shape::Gauge => describe_gauge!(*name, *unit, *meaning),
            Shape::Histogram => describe_histogram!(*name, *unit, *meaning),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use metrics::{counter, histogram};

    use super::*;

    /// What is rendered after `count`, in a recorder of the test's own.
    fn rendered(count: impl FnOnce()) -> String {
        let recorder = recorder().expect("a recorder").build_recorder();
        metrics::with_local_recorder(&recorder, || {
            METRICS.iter().for_each(Metric::describe);
            count();
        });
        Metrics::of(recorder.handle()).render()
    }

    #[test]
    fn what_was_counted_is_rendered_with_its_meaning() {
        let text = rendered(|| counter!("ticks_total").increment(3));
        assert!(text.contains("# HELP ticks_total Ticks fired by this process\n"), "{text}");
        assert!(text.contains("# TYPE ticks_total counter\nticks_total 3\n"), "{text}");
    }

    #[test]
    fn waits_fall_into_buckets_from_a_second_to_a_day() {
        let text = rendered(|| histogram!("provider_wait_seconds", "kind" => "slack").record(60.0));
        assert!(text.contains(r#"provider_wait_seconds_bucket{kind="slack",le="15"} 0"#), "{text}");
        assert!(text.contains(r#"provider_wait_seconds_bucket{kind="slack",le="60"} 1"#), "{text}");
    }

    #[test]
    fn names_say_what_prometheus_expects_of_them() {
        for metric in METRICS {
            let total = metric.name.ends_with("_total");
            assert_eq!(total, metric.shape == Shape::Counter, "{}", metric.name);
            let seconds = metric.name.ends_with("_seconds");
            assert_eq!(seconds, metric.unit == Unit::Seconds, "{}", metric.name);
        }
    }

    #[test]
    fn whatever_is_counted_anywhere_is_in_the_list() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let sources = ["shared", "job-generator", "worker", "cli"]
            .into_iter()
            .flat_map(|member| rust_files(&workspace.join(member).join("src")));
        let mut found = 0;
        for file in sources {
            let source = fs::read_to_string(&file).expect("a source file");
            for one in counted(&source) {
                let known = METRICS.iter().any(|known| one.is(known));
                assert!(known, "{} counts {one:?}, which is not in the list", file.display());
                found += 1;
            }
        }
        assert!(found > 0, "nothing is counted anywhere");
    }

    fn rust_files(directory: &Path) -> Vec<PathBuf> {
        let entries =
            fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("one"));
        entries
            .flat_map(|entry| match entry.path() {
                path if path.is_dir() => rust_files(&path),
                path if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
                _ => vec![],
            })
            .collect()
    }

    /// A call of one of the macros of `metrics`, by what it says literally.
    #[derive(Debug)]
    struct Counted<'a> {
        name: &'a str,
        shape: Shape,
        labels: BTreeSet<&'a str>,
    }

    impl<'a> Counted<'a> {
        /// What stands behind the macro's opening parenthesis.
        fn read(call: &'a str, shape: Shape) -> Option<Self> {
            let (name, rest) = call.trim_start().strip_prefix('"')?.split_once('"')?;
            let arguments = rest.split_once(';').map_or(rest, |(arguments, _)| arguments);
            let arrows = arguments.match_indices("=>");
            let label = |(at, _)| arguments[..at].trim_end().strip_suffix('"')?.rsplit('"').next();
            Some(Self { name, shape, labels: arrows.filter_map(label).collect() })
        }

        fn is(&self, listed: &Metric) -> bool {
            (self.name, self.shape) == (listed.name, listed.shape)
                && self.labels == labels_of(listed)
        }
    }

    /// Those in the braces at its end.
    fn labels_of(listed: &Metric) -> BTreeSet<&str> {
        let braces = listed.meaning.strip_suffix('}').and_then(|text| text.rsplit('{').next());
        braces.into_iter().flat_map(|labels| labels.split(", ")).collect()
    }

    fn counted(source: &str) -> Vec<Counted<'_>> {
        let macros =
            [("counter", Shape::Counter), ("gauge", Shape::Gauge), ("histogram", Shape::Histogram)];
        let calls = macros.into_iter().flat_map(|(name, shape)| {
            let calls: Vec<_> = source.split(&format!("{name}!(")).skip(1).collect();
            calls.into_iter().map(move |call| (call, shape))
        });
        calls.filter_map(|(call, shape)| Counted::read(call, shape)).collect()
    }
}
