//! The AWS client: who we are, where SQS is, and how long we wait for it.

use std::time::Duration;

use anyhow::ensure;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{Builder, Credentials};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// For the whole of a call, besides what a receive waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A client for AWS, or for whatever else speaks SQS at `endpoint_url`.
///
/// Credentials come from where AWS's tools look for them: the environment, the profile files, the
/// web identity token of a Kubernetes service account, the container's (ECS, EKS pod identity) and
/// the instance's metadata. An endpoint over plain `http` is an emulator, and spared that search.
pub async fn client(endpoint_url: Option<&str>, region: Option<&str>) -> anyhow::Result<Client> {
    let region = region.map(|region| Region::new(region.to_owned()));
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let loader = match endpoint_url {
        Some(url) if !url.starts_with("https:") => for_emulator(loader, region),
        _ => for_aws(loader, region),
    };
    let environment = loader.load().await;
    ensure!(environment.region().is_some(), "no AWS region is given; set AWS_REGION");

    let mut config = Builder::from(&environment)
        .retry_config(RetryConfig::disabled())
        .timeout_config(answer_after(Duration::ZERO));
    config.set_endpoint_url(endpoint_url.map(str::to_owned));
    Ok(Client::from_conf(config.build()))
}

fn for_aws(loader: ConfigLoader, region: Option<Region>) -> ConfigLoader {
    let ring = Provider::Rustls(CryptoMode::Ring);
    // Panics when first used where the system has no CA certificates.
    let https = aws_smithy_http_client::Builder::new().tls_provider(ring).build_https();
    let loader = loader.http_client(https);
    match region {
        Some(region) => loader.region(region),
        // The loader looks in the environment, the profile files and the instance's metadata.
        None => loader,
    }
}

/// Emulators take any region and any credentials; without TLS no CA certificates are needed either,
/// which a bare container lacks.
fn for_emulator(loader: ConfigLoader, region: Option<Region>) -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let environment = EnvironmentVariableCredentialsProvider::new();
    let placeholder = Credentials::new("emulator", "emulator", None, None, "placeholder");
    let credentials = CredentialsProviderChain::first_try("environment", environment)
        .or_else("placeholder", placeholder);
    let region = RegionProviderChain::first_try(region)
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(Region::from_static("us-east-1"));
    loader.http_client(http).credentials_provider(credentials).region(region)
}

pub(super) fn answer_after(wait: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_timeout(wait + ANSWER_WITHIN).build()
}
