//! The floor: what the same work costs without an engine. A bare HTTP client fetches the same pages,
//! decodes them into the same types, and has them written by the very statements of the sink, page
//! by page. No stream is stored, no lease is held, nothing is resumed or retried.

use std::time::Instant;

use reqwest::Client;
use shared::domain::{IntegrationId, TenantId};
use shared::store::Store;
use tokio::task::JoinSet;

use super::figures::{Figure, Measured};
use super::millrace::connect;
use super::place::Place;
use super::{comments, wire};

pub(super) async fn measure(place: &Place) -> anyhow::Result<Measured> {
    // An error says only that there is a provider already.
    rustls::crypto::ring::default_provider().install_default().ok();
    let (tenant, connected) = connect(&place.store, comments::PLATFORM).await?;
    let reader = Reader {
        http: Client::builder().no_proxy().build()?,
        url: place.provider_url.clone(),
        store: place.store.clone(),
        tenant,
        integration: connected.integration.id,
    };
    let meter = place.meter()?;
    let began = Instant::now();
    let mut lists = JoinSet::new();
    for list in 0..place.size.lists {
        lists.spawn(reader.clone().read(list));
    }
    while let Some(read) = lists.join_next().await {
        read??;
    }
    let took = began.elapsed();
    let usage = meter.read()?;
    let records = place.size.records();
    place.expect_activities(records).await?;
    let speed = Figure::new("records/s", None).of(records as f64 / took.as_secs_f64());
    Ok(Measured { figures: vec![speed], usage })
}

#[derive(Clone)]
struct Reader {
    http: Client,
    url: String,
    store: Store,
    tenant: TenantId,
    integration: IntegrationId,
}

impl Reader {
    /// A list to its end.
    async fn read(self, list: usize) -> anyhow::Result<()> {
        let mut next = Some(0);
        while let Some(number) = next {
            let page = self.page(list, number).await?;
            next = page.next_page;
            let operations = comments::operations(page.comments);
            self.store.apply_operations(self.tenant, self.integration, &operations).await?;
        }
        Ok(())
    }

    async fn page(&self, list: usize, number: usize) -> anyhow::Result<wire::Page> {
        let url = format!("{}/lists/{list}/pages/{number}", self.url);
        let answer = self.http.get(url).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}
