//! The port for operators that both services open beside their work.
//!
//! * `/livez` answers as long as the process can answer at all. It depends on nothing, since no
//!   restart mends a database.
//! * `/readyz` asks every check and says which are missing, or that the service is draining: 200 when
//!   it should be given work, 503 otherwise.
//! * `/metrics` is for Prometheus.
//!
//! It wants no token and says what fails in the words of the error: keep it off the public network.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// A check that takes longer is as good as failed: whoever probes waits little longer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often histograms are folded, scraped or not.
const FOLD_EVERY: Duration = Duration::from_secs(5);
/// For answers under way when the service ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves until cancelled, which should be the last thing a service does: a draining service still
/// answers.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    until: CancellationToken,
) -> io::Result<()> {
    let server = axum::serve(listener, router(readiness, metrics.clone()))
        .with_graceful_shutdown(until.clone().cancelled_owned());
    tokio::select! {
        served = server.into_future() => served,
        () = until.cancelled().then(|()| sleep(FAREWELL)) => Ok(()),
        never = keep_folding(&metrics) => never,
    }
}

fn router(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get("ok"))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(rendered).with_state(metrics))
}

async fn readyz(State(readiness): State<Readiness>) -> impl IntoResponse {
    let report = readiness.report().await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}

async fn rendered(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render())
}

async fn keep_folding(metrics: &Metrics) -> ! {
    let mut pace = interval(FOLD_EVERY);
    loop {
        pace.tick().await;
        metrics.fold();
    }
}

/// What a service needs to do its work.
#[derive(Clone)]
pub struct Readiness {
    draining: CancellationToken,
    checks: Vec<(&'static str, Check)>,
    check_timeout: Duration,
}

type Check = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

impl Readiness {
    /// Ready until `draining` is cancelled.
    pub fn new(draining: CancellationToken) -> Self {
        Self { draining, checks: Vec::new(), check_timeout: CHECK_TIMEOUT }
    }

    /// Adds something that has to work. The check is dropped in the middle when it takes too long,
    /// so it must not begin a transaction.
    #[must_use]
    pub fn with<F, R>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || check().boxed())));
        self
    }

    async fn report(&self) -> Report {
        let checks =
            self.checks.iter().map(async |(name, check)| (*name, self.verdict(check).await));
        let verdicts = join_all(checks).await;
        let draining = self.draining.is_cancelled();
        let ready = !draining && verdicts.iter().all(|(_, verdict)| verdict.is_ok());
        let words = |verdict: Result<(), String>| verdict.err().unwrap_or_else(|| "ok".to_owned());
        let checks = verdicts.into_iter().map(|(name, verdict)| (name, words(verdict))).collect();
        Report { ready, draining, checks }
    }

    async fn verdict(&self, check: &Check) -> Result<(), String> {
        match timeout(self.check_timeout, check()).await {
            Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("no answer within {:?}", self.check_timeout)),
        }
    }
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    draining: bool,
    /// "ok", or why not.
    checks: BTreeMap<&'static str, String>,
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::net::SocketAddr;

    use anyhow::anyhow;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;

    struct Served {
        address: SocketAddr,
        draining: CancellationToken,
        until: CancellationToken,
        server: JoinHandle<io::Result<()>>,
    }

    /// A service with the given checks and one count of a tick.
    async fn served(checks: impl FnOnce(Readiness) -> Readiness) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (draining, until) = (CancellationToken::new(), CancellationToken::new());
        let readiness = checks(Readiness::new(draining.clone()));
        let server = tokio::spawn(serve(listener, readiness, one_tick(), until.clone()));
        Served { address, draining, until, server }
    }

    fn one_tick() -> Metrics {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || metrics::counter!("ticks_total").increment(1));
        Metrics::of(recorder.handle())
    }

    impl Served {
        /// The status and the body.
        async fn get(&self, path: &str) -> (u16, String) {
            let mut stream = TcpStream::connect(self.address).await.expect("a connection");
            let request = format!("GET {path} HTTP/1.0\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
            let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
            (status, body.to_owned())
        }

        async fn readyz(&self) -> (u16, Value) {
            let (status, body) = self.get("/readyz").await;
            (status, serde_json::from_str(&body).expect("JSON"))
        }
    }

    #[tokio::test]
    async fn a_service_is_ready_when_every_check_passes() {
        let service = served(|ready| ready.with("database", async || Ok(()))).await;
        let expected = json!({"ready": true, "draining": false, "checks": {"database": "ok"}});
        assert_eq!(service.readyz().await, (200, expected));
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_the_process_still_lives() {
        let service = served(|ready| {
            let queue = async || Err(anyhow!("connection refused").context("asking the queue"));
            ready.with("database", async || Ok(())).with("queue", queue)
        })
        .await;
        let checks = json!({"database": "ok", "queue": "asking the queue: connection refused"});
        let expected = json!({"ready": false, "draining": false, "checks": checks});
        assert_eq!(service.readyz().await, (503, expected));
        assert_eq!(service.get("/livez").await, (200, "ok".to_owned()));
    }

    #[tokio::test]
    async fn a_check_that_hangs_is_missing() {
        let service = served(|ready| {
            let ready = Readiness { check_timeout: Duration::from_millis(20), ..ready };
            ready.with("database", pending)
        })
        .await;
        let (status, report) = soon(service.readyz()).await;
        assert_eq!((status, &report["checks"]["database"]), (503, &json!("no answer within 20ms")));
    }

    #[tokio::test]
    async fn a_draining_service_lives_and_is_not_ready() {
        let service = served(|ready| ready.with("database", async || Ok(()))).await;
        service.draining.cancel();
        let expected = json!({"ready": false, "draining": true, "checks": {"database": "ok"}});
        assert_eq!(service.readyz().await, (503, expected));
        assert_eq!(service.get("/livez").await, (200, "ok".to_owned()));
    }

    #[tokio::test]
    async fn metrics_are_rendered() {
        let (status, body) = served(|ready| ready).await.get("/metrics").await;
        assert_eq!((status, body.trim_end()), (200, "# TYPE ticks_total counter\nticks_total 1"));
    }

    #[tokio::test]
    async fn an_answer_that_takes_too_long_does_not_hold_up_the_end() {
        let asked = Arc::new(Notify::new());
        let service = served(|ready| {
            let asked = asked.clone();
            let ready = Readiness { check_timeout: Duration::MAX, ..ready };
            ready.with("database", move || {
                asked.notify_one();
                pending()
            })
        })
        .await;
        let mut prober = TcpStream::connect(service.address).await.expect("a connection");
        prober.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await.expect("a request");
        asked.notified().await;
        service.until.cancel();

        soon(service.server).await.expect("no panic").expect("no error");
    }

    async fn soon<T>(future: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(5), future).await.expect("an end within 5 s")
    }
}
