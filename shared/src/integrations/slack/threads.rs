//! A page of a thread: the replies to one message.

use serde::{Deserialize, Serialize};

use super::api::OfChannel;
use super::records::ThreadOf;
use super::ts::Ts;
use super::{Channel, Slack, Stream};
use crate::sdk::{LastRecord, Place, Result, Run, StreamOutput};

/// A page of the replies to a message, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadPage {
    pub(super) channel: Channel,
    pub(super) root: Ts,
    /// Older replies we have; `None`: we have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Ts>,
    /// What the first message says, once a page has shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
}

impl Slack {
    /// The first message comes with the replies. It was read in the channel, and it is not a reply
    /// to itself.
    pub(super) async fn thread_page(
        &self,
        page: &ThreadPage,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let of = OfChannel {
            app: run.connection.settings.app,
            channel: &page.channel.id,
            oldest: page.since,
            place: page.place.as_ref(),
        };
        let Some(read) = self.api.replies(&run.connection.access, page.root, of).await? else {
            return Ok(StreamOutput::empty());
        };
        let first = read.items.iter().find(|message| message.ts != page.root);
        let place =
            read.place_after(page.place.as_ref(), first.map(|reply| reply.ts.to_string()))?;
        let (root, replies): (Vec<_>, Vec<_>) =
            read.items.into_iter().partition(|message| message.ts == page.root);
        let root_text = root.into_iter().next().map(|root| root.text);
        let text = root_text.or_else(|| page.text.clone());
        let last = replies.last().map(|reply| reply.ts);

        let thread = ThreadOf { root: page.root, text: text.as_deref() };
        let output = self.acts(replies, &page.channel, Some(thread), run).await?;
        let next = |place| ThreadPage { text, place: Some(place), ..page.clone() };
        Ok(StreamOutput {
            last_record: last.map(|ts| LastRecord { id: ts.to_string(), at: ts.second() }),
            next_page: place.map(|place| Stream::Thread(next(place))),
            mark: last.map(|ts| ts.to_string()),
            ..output
        })
    }
}
