//! The lists that a run begins with: the workspace's users, and its channels.

use std::collections::BTreeSet;

use super::answers::{Conversation, User};
use super::{Channel, Slack, Stream, records, state};
use crate::sdk::{Connection, Operation, Place, Result, Run, RunMode, StreamOutput};

impl Slack {
    pub(super) async fn members(
        &self,
        place: Option<&Place>,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let page = self.api.users(&run.connection.access, place, None).await?;
        let first = page.items.first().map(|user| user.id.clone());
        let next_page = page.place_after(place, first)?;
        let people = page.items.into_iter().filter(User::is_person);
        let members = people.map(records::member).collect();
        let new_streams = if next_page.is_none() { vec![channels(run)] } else { Vec::new() };
        Ok(StreamOutput {
            operations: vec![Operation::UpsertMembers(members)],
            new_streams,
            next_page: next_page.map(|place| Stream::Members { place: Some(place) }),
            ..StreamOutput::empty()
        })
    }

    pub(super) async fn channels(
        &self,
        place: Option<&Place>,
        wanted: &BTreeSet<String>,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let Connection { access, settings, .. } = &run.connection;
        let page = self.api.conversations(access, settings, place).await?;
        let first = page.items.first().map(|channel| channel.id.clone());
        let next = page.place_after(place, first)?;
        let shown: BTreeSet<_> = page.items.iter().map(|channel| channel.id.clone()).collect();
        let wanted: BTreeSet<_> = wanted.difference(&shown).cloned().collect();
        let to_read = page.items.into_iter().filter(|channel| is_to_be_read(channel, run));
        let mut new_streams: Vec<_> =
            to_read.flat_map(|channel| read(&Channel::from(channel), run)).collect();
        if next.is_none() {
            // Not listed to us. Slack says why when they are read, and the run does not say "done".
            let unlisted =
                |id: &String| Channel { id: id.clone(), name: id.clone(), archived: false };
            new_streams.extend(wanted.iter().flat_map(|id| read(&unlisted(id), run)));
        }
        let next_page = next.map(|place| Stream::Channels { place: Some(place), wanted });
        Ok(StreamOutput { new_streams, next_page, ..StreamOutput::empty() })
    }

    pub(super) async fn member(&self, user: &str, run: &Run<Self>) -> Result<StreamOutput<Stream>> {
        let user = self.api.user(&run.connection.access, user).await?;
        let person = user.filter(User::is_person);
        let members = person.into_iter().map(records::member).collect();
        Ok(StreamOutput {
            operations: vec![Operation::UpsertMembers(members)],
            ..StreamOutput::empty()
        })
    }
}

impl From<Conversation> for Channel {
    fn from(Conversation { id, name, is_archived, .. }: Conversation) -> Self {
        Self { id, name, archived: is_archived }
    }
}

/// The first page of the channels.
pub(super) fn channels(run: &Run<Slack>) -> Stream {
    let wanted = run.connection.units.iter().cloned().collect();
    Stream::Channels { place: None, wanted }
}

/// Those that were chosen, or all that the app is in. Nothing happens any more in an archived one, so
/// it is read once more and then left alone; so is one that the app is not in any more, either.
fn is_to_be_read(channel: &Conversation, run: &Run<Slack>) -> bool {
    let Connection { mode, units, state, .. } = &run.connection;
    let is_chosen = match units.is_empty() {
        true => channel.is_member,
        false => units.contains(&channel.id),
    };
    let is_finished = match channel.is_member {
        true => state.was_read_archived(&channel.id),
        false => state.was_read(&channel.id),
    };
    is_chosen && !(*mode == RunMode::Check && channel.is_archived && is_finished)
}

fn read(channel: &Channel, run: &Run<Slack>) -> Vec<Stream> {
    let Connection { mode, settings, state, started_at, .. } = &run.connection;
    match mode {
        RunMode::Onboarding => vec![state::whole(channel)],
        RunMode::Check => state.streams(channel, settings.app, *started_at),
    }
}
