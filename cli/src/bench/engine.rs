//! The engine: from connecting an integration to its onboarding being processed.

use shared::sdk::{Integration, Registry};

use super::figures::{Aim, Figure, Measured};
use super::forum::Forum;
use super::millrace::Millrace;
use super::place::Place;
use super::silence::Silence;

/// The same pages as [`super::floor`], through the engine.
pub(super) async fn pages(place: &Place) -> anyhow::Result<Measured> {
    let forum = Forum::at(&place.provider_url, place.size.lists)?;
    let records = place.size.records();
    let speed = Figure::new("records/s", None);
    let measured = onboard(place, forum, records, speed).await?;
    place.expect_activities(records).await?;
    Ok(measured)
}

/// One run of many streams that bring nothing.
pub(super) async fn empty_streams(place: &Place) -> anyhow::Result<Measured> {
    let streams = place.size.empty_streams;
    let speed = Figure::new("streams/s", Some(Aim::AtLeast(2_000.0)));
    onboard(place, Silence { streams }, streams, speed).await
}

/// `speed` is of so many a second.
async fn onboard<I: Integration>(
    place: &Place,
    integration: I,
    many: usize,
    speed: Figure,
) -> anyhow::Result<Measured> {
    let registry = Registry::default().with(integration);
    let meter = place.meter()?;
    let millrace = Millrace::start(&place.store, registry).await?;
    let took = millrace.onboard(I::KIND).await?;
    let usage = meter.read()?;
    millrace.stop().await;
    Ok(Measured { figures: vec![speed.of(many as f64 / took.as_secs_f64())], usage })
}
