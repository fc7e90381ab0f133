//! Integrations of which nothing matters but their schedule.

use serde::{Deserialize, Serialize};
use shared::sdk::{CheckSchedule, Connection, Integration, Registry, Result, Run, StreamOutput};

/// Those a story can connect, by kind.
pub(crate) fn registry() -> Registry {
    Registry::default().with(Onboarded).with(Restless).with(Regular).with(Patient)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(crate) enum Stream {
    Page,
}

macro_rules! toy {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $checks:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Integration for $name {
            const KIND: &'static str = $kind;
            const CHECKS: CheckSchedule = $checks;

            type Settings = ();
            type State = ();
            type Prepared = ();
            type Stream = Stream;

            async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
                Ok(())
            }

            async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
                Ok(Vec::new())
            }

            async fn process_stream(&self, _: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
                Ok(StreamOutput::empty())
            }
        }
    };
}

toy!(
    /// Never checked by a tick.
    Onboarded,
    "onboarded",
    CheckSchedule::OnboardingOnly
);
toy!(
    /// Checked at each tick.
    Restless,
    "restless",
    CheckSchedule::EveryTick
);
toy!(
    /// Checked at every third tick.
    Regular,
    "regular",
    CheckSchedule::EveryTicks(3)
);
toy!(
    /// Checked at every twentieth tick.
    Patient,
    "patient",
    CheckSchedule::EveryTicks(20)
);
