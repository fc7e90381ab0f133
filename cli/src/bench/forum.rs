//! The platform as an integration, on the SDK's client like every other: lists of pages, each page
//! naming the next.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::sdk::{ApiClient, CheckSchedule, Connection, Integration, Result, Run, StreamOutput};

use super::{comments, wire};

pub(super) struct Forum {
    api: ApiClient,
    lists: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
pub(super) enum Stream {
    Page { list: usize, page: usize },
}

impl Forum {
    pub(super) fn at(url: &str, lists: usize) -> anyhow::Result<Self> {
        Ok(Self { api: ApiClient::new(Self::KIND, url)?, lists })
    }
}

impl Integration for Forum {
    const KIND: &'static str = comments::PLATFORM;
    const CHECKS: CheckSchedule = CheckSchedule::OnboardingOnly;

    type Settings = IgnoredAny;
    type State = ();
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok((0..self.lists).map(|list| Stream::Page { list, page: 0 }).collect())
    }

    async fn process_stream(&self, stream: &Stream, _: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let Stream::Page { list, page } = *stream;
        let request = self.api.get(&format!("lists/{list}/pages/{page}"));
        let answer = request.json::<wire::Page>().await?;
        let wire::Page { comments, next_page } = answer.body;
        Ok(StreamOutput {
            last_record: comments::last_record(&comments),
            operations: comments::operations(comments),
            next_page: next_page.map(|page| Stream::Page { list, page }),
            ..StreamOutput::empty()
        })
    }
}
