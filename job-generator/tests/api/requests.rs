//! What is true of every request, whatever it asks for.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use shared::queue::Queue;
use shared::telemetry::Trace;
use sqlx::PgPool;
use tokio::time::timeout;

use crate::service::{Service, TOKEN, ask, asking, forum};
use crate::toy::Mood;

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_request_whose_client_goes_away_is_carried_to_its_end(pool: PgPool) {
    let mut service = Service::start(pool).await;
    service.platform.be(Mood::Hesitant);
    let request = asking(Method::POST, "/v1/integrations", TOKEN, Some(forum("acme")));
    let client = tokio::spawn(ask(service.router.clone(), request));
    service.asked.recv().await.expect("the platform is asked");
    client.abort();
    assert!(client.await.expect_err("the client went away").is_cancelled());

    service.platform.permits.add_permits(1);
    let patience = Duration::from_secs(20);
    let sent = timeout(patience, service.queue.receive(1, patience)).await;
    sent.expect("it was carried to its end").expect("a queue in memory");
    assert_eq!(service.count("integrations").await, 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_message_is_part_of_the_trace_that_caused_it(pool: PgPool) {
    let service = Service::start(pool).await;
    let trace = Trace::start();
    let mut request = asking(Method::POST, "/v1/integrations", TOKEN, Some(forum("acme")));
    request.headers_mut().insert("traceparent", trace.to_string().parse().expect("a header"));
    service.ask(request).await.expect(201);
    let sent = service.sent().await;
    let carried: Trace = sent[0].trace.as_deref().expect("a trace").parse().expect("a traceparent");
    assert_eq!(carried.id(), trace.id());
    assert_ne!(carried, trace, "one step on");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn requests_are_counted_by_template_and_status(pool: PgPool) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let service = Service::start(pool).await;

    let (id, _) = service.connected().await;
    service.get(&format!("/v1/integrations/{id}")).await.expect(200);
    service.get(&format!("/v1/integrations/{id}")).await.expect(200);
    service.get("/v1/integrations/7").await.problem(400, "invalid_parameter");
    service.get("/wp-login.php").await.problem(404, "not_found");
    let invented =
        asking(Method::from_bytes(b"INVENTED").expect("a method"), "/v1/runs", TOKEN, None);
    service.ask(invented).await.problem(405, "method_not_allowed");

    let text = counted.render();
    for line in [
        r#"api_requests_total{method="POST",route="/v1/integrations",status="201"} 1"#,
        r#"api_requests_total{method="GET",route="/v1/integrations/{id}",status="200"} 2"#,
        r#"api_requests_total{method="GET",route="/v1/integrations/{id}",status="400"} 1"#,
        r#"api_requests_total{method="GET",route="none",status="404"} 1"#,
        r#"api_requests_total{method="other",route="/v1/runs",status="405"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is missing in:\n{text}");
    }
    assert!(!text.contains(&id.to_string()), "{text}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn neither_tokens_nor_bodies_are_logged(pool: PgPool) {
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("job_generator=trace,shared=trace")
        .with_writer(move || to.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let service = Service::start(pool).await;

    service.post("/v1/integrations", forum("a-private-organization")).await.expect(201);
    service.post("/v1/integrations", json!({"kind": "a-private-kind"})).await.expect(422);
    service.get("/v1/runs?cursor=a-private-cursor").await.expect(400);

    let text = log.text();
    assert!(text.contains("method=\"POST\" route=\"/v1/integrations\""), "{text}");
    assert!(text.contains(&format!("tenant.id={}", service.tenant)), "{text}");
    assert!(
        text.contains("answered") && text.contains("status=422") && text.contains("ms="),
        "{text}"
    );
    assert!(!text.contains("a-private") && !text.contains(TOKEN), "{text}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no panic while writing").clone();
        String::from_utf8_lossy(&bytes)
            .replace("\u{1b}[3m", "")
            .replace("\u{1b}[0m", "")
            .replace("\u{1b}[2m", "")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while writing").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
