//! Streams that bring nothing and ask for nothing: what is left is the engine alone.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::sdk::{CheckSchedule, Connection, Integration, Result, Run, StreamOutput};

use super::size::Size;

/// A platform on which nothing ever happens.
pub(super) struct Silence {
    pub(super) streams: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(super) enum Stream {
    Nothing { number: usize },
}

impl Integration for Silence {
    const KIND: &'static str = "bench_silence";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTicks(Size::TICKS_BETWEEN_CHECKS);

    type Settings = IgnoredAny;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok((0..self.streams).map(|number| Stream::Nothing { number }).collect())
    }

    async fn process_stream(&self, _: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        Ok(StreamOutput::empty())
    }
}
