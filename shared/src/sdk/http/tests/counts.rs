use futures_util::future::join;
use metrics_exporter_prometheus::PrometheusBuilder;
use wiremock::matchers::any;

use super::*;

#[tokio::test]
async fn the_requests_of_concurrent_futures_are_counted_together() {
    let (_server, client) = platform(ResponseTemplate::new(500)).await;
    let both = join(comment_from(&client), comment_from(&client));
    let ((one, two), requests) = counting_requests(both).await;

    assert!(one.is_err() && two.is_err());
    assert_eq!(requests, 2, "a 500 is not tried again here");
}

#[tokio::test]
async fn two_counts_do_not_see_each_other() {
    let (_server, client) = platform(ResponseTemplate::new(404)).await;
    let two_requests = async {
        comment_from(&client).await.expect_err("a 404");
        comment_from(&client).await.expect_err("a 404");
    };
    let ((_, one), (_, two)) =
        join(counting_requests(comment_from(&client)), counting_requests(two_requests)).await;
    assert_eq!((one, two), (1, 2));
}

#[tokio::test]
async fn every_attempt_is_counted_by_kind_and_class_of_status() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);

    for status in [200, 201, 404, 500] {
        let (server, client) = platform(ResponseTemplate::new(status)).await;
        comment_from(&client).await.expect_err("no comment in it");
        drop(server);
    }
    let (server, client) =
        platform(ResponseTemplate::new(302).insert_header("location", "/8")).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(410)).mount(&server).await;
    comment_from(&client).await.expect_err("a 410");
    let silent = socket(|_, stream| async move { drop(stream) }).await;
    comment_from(&client_of(&silent)).await.expect_err("no answer");

    let mut lines: Vec<_> = recorder.handle().render().lines().map(String::from).collect();
    lines.retain(|line| line.starts_with("provider_requests_total{"));
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    provider_requests_total{kind="forum",status="2xx"} 2
    provider_requests_total{kind="forum",status="3xx"} 1
    provider_requests_total{kind="forum",status="4xx"} 2
    provider_requests_total{kind="forum",status="5xx"} 1
    provider_requests_total{kind="forum",status="error"} 3
    "#);
}
