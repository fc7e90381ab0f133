//! A page of a channel: what was written there since we last looked, and which threads were
//! answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::answers::Message;
use super::api::OfChannel;
use super::looks::Looks;
use super::messages::Kind;
use super::threads::ThreadPage;
use super::ts::Ts;
use super::{Channel, Slack, Stream};
use crate::sdk::{LastRecord, Place, Result, Run, RunMode, StreamOutput};

/// A page of a channel's messages, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelPage {
    pub(super) channel: Channel,
    /// Where we stop; `None`: at the channel's beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
}

/// Threads that this page is the last to show, and when they were last answered: what a page leaves
/// for the end of the run.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fading(pub(super) Vec<(Ts, Ts)>);

impl Slack {
    pub(super) async fn channel_page(
        &self,
        page: &ChannelPage,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let of = OfChannel {
            app: run.connection.settings.app,
            channel: &page.channel.id,
            oldest: page.from.map(Ts::at),
            place: page.place.as_ref(),
        };
        let read = self.api.history(&run.connection.access, of).await?;
        let first = read.items.first().map(|message| message.ts.to_string());
        let place = read.place_after(page.place.as_ref(), first)?;
        let last_record = read.items.last().map(|last| record(last.ts));

        let known = Known::of(&page.channel, run);
        let threads = known.answered_threads(&page.channel, &read.items);
        let mark = known.fading(&read.items);
        let new = read.items.into_iter().filter(|message| known.is_news(message)).collect();
        let mut output = self.acts(new, &page.channel, None, run).await?;
        output.new_streams.extend(threads);
        output.next_page =
            place.map(|place| Stream::Channel(ChannelPage { place: Some(place), ..page.clone() }));
        Ok(StreamOutput { last_record, mark, ..output })
    }
}

fn record(ts: Ts) -> LastRecord {
    LastRecord { id: ts.to_string(), at: ts.second() }
}

/// What earlier runs have read of a channel; an onboarding knows nothing.
struct Known<'a> {
    looks: Option<&'a Looks>,
    /// Threads that began before this are not seen again.
    horizon: Ts,
}

impl<'a> Known<'a> {
    fn of(channel: &Channel, run: &'a Run<Slack>) -> Self {
        let connection = &run.connection;
        let looks = match connection.mode {
            RunMode::Onboarding => None,
            RunMode::Check => connection.state.looks(&channel.id),
        };
        let horizon = connection.started_at - connection.settings.app.horizon();
        Self { looks, horizon: Ts::at(horizon) }
    }

    fn until(&self, written: Ts) -> Option<Ts> {
        self.looks?.known_until(written)
    }

    fn has_not(&self, written: Ts, happened: Ts) -> bool {
        self.until(written).is_none_or(|known| happened >= known)
    }

    /// Written or edited since. What is said in a thread is read there.
    fn is_news(&self, message: &Message) -> bool {
        let last_change = message.edited.as_ref().map_or(message.ts, |edited| edited.ts);
        message.kind() != Kind::Broadcast && self.has_not(message.ts, last_change)
    }

    fn answered_threads(&self, channel: &Channel, page: &[Message]) -> Vec<Stream> {
        let roots = page.iter().filter_map(|message| self.answered_thread(message));
        let thread = |root| ThreadPage {
            channel: channel.clone(),
            root,
            since: self.until(root),
            text: None,
            place: None,
        };
        roots.map(|root| Stream::Thread(thread(root))).collect()
    }

    /// A broadcast tells of a thread that may have begun long before this page.
    fn answered_thread(&self, message: &Message) -> Option<Ts> {
        match message.answers() {
            Some(root) => self.has_not(message.ts, message.ts).then_some(root),
            None if !message.is_answered() => None,
            None => {
                let is_new = message.latest_reply.is_none_or(|at| self.has_not(message.ts, at));
                is_new.then_some(message.ts)
            }
        }
    }

    /// Threads in which nothing happened since, but which are alive: from now on they are looked at
    /// by themselves.
    fn fading(&self, page: &[Message]) -> Option<String> {
        let alive = |message: &Message| {
            let latest = message.latest_reply.filter(|&latest| latest >= self.horizon)?;
            (message.ts < self.horizon && message.is_answered()).then_some((message.ts, latest))
        };
        let fading = Fading(page.iter().filter_map(alive).collect());
        // Pairs of texts: there is nothing in them that JSON has not.
        (!fading.0.is_empty()).then(|| serde_json::to_string(&fading).expect("marks as JSON"))
    }
}
