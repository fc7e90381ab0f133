//! A page of messages: which of them people did, and who they are.
//!
//! | subtype | is |
//! |---|---|
//! | none, `file_share`, `me_message`, `file_comment` | a message |
//! | `thread_broadcast`, `reply_broadcast` | a message, and it stands in its thread too, where it is read |
//! | `channel_join`, `group_join` | a join, unless it is an app's: those join wherever they are invited |
//! | `bot_message`, or written by a bot | nothing; what people reply to it is read |
//! | `tombstone`: deleted, but answered | nothing, and its thread is read |
//! | any other: leaving, topics, pins, calls | nothing that a person said |

use std::collections::{BTreeSet, HashMap};

use super::answers::{Message, SLACKBOT};
use super::records::{Scene, ThreadOf};
use super::{Channel, Prepared, Slack, Stream, text};
use crate::sdk::{Activity, Operation, Result, Run, StreamOutput};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    /// Sent to a thread and to the channel, too.
    Broadcast,
    Join,
    Other,
}

impl Message {
    pub(super) fn kind(&self) -> Kind {
        match self.subtype.as_deref() {
            None | Some("file_share" | "me_message" | "file_comment") => Kind::Message,
            Some("thread_broadcast" | "reply_broadcast") => Kind::Broadcast,
            Some("channel_join" | "group_join") => Kind::Join,
            Some(_) => Kind::Other,
        }
    }
}

impl Slack {
    /// What people did, in this channel or in a thread of it, and streams for those we do not know.
    pub(super) async fn acts(
        &self,
        messages: Vec<Message>,
        channel: &Channel,
        thread: Option<ThreadOf<'_>>,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let by_people = self.by_people(messages, run).await?;
        if by_people.is_empty() {
            return Ok(StreamOutput::empty());
        }
        let names = self.names(&by_people, thread, run).await?;
        let workspace = self.workspace(run).await?;
        let scene = Scene { workspace, channel };
        let authors = by_people.iter().map(|(user, _)| user.clone()).collect();
        let strangers = run.prepared.people.unknown(authors, &run.connection).await?;
        let activities =
            by_people.into_iter().map(|(user, act)| activity(&scene, &user, act, thread, &names));
        Ok(StreamOutput {
            operations: vec![Operation::UpsertActivities(activities.collect())],
            new_streams: strangers.into_iter().map(|user| Stream::Member { user }).collect(),
            ..StreamOutput::empty()
        })
    }

    /// Each with its author. A person may write by an app, and then the message names both: only
    /// the user tells whether it is a person.
    async fn by_people(
        &self,
        messages: Vec<Message>,
        run: &Run<Self>,
    ) -> Result<Vec<(String, Message)>> {
        let Prepared { people, .. } = &run.prepared;
        let joining = self.joining_programs(&messages, run).await?;
        let mut by_people = Vec::new();
        for message in messages {
            let Some(user) = message.user.clone() else { continue };
            if user == SLACKBOT || message.kind() == Kind::Other {
                continue;
            }
            if message.kind() == Kind::Join && joining.contains(&user) {
                continue;
            }
            let by_app = message.bot_id.is_some();
            if by_app && !people.is_person(&user, &self.api, &run.connection).await? {
                continue;
            }
            by_people.push((user, message));
        }
        Ok(by_people)
    }

    /// A join does not say what it is that joins. Members are people; of the app itself we know.
    async fn joining_programs(
        &self,
        messages: &[Message],
        run: &Run<Self>,
    ) -> Result<BTreeSet<String>> {
        let Prepared { people, .. } = &run.prepared;
        let joins = messages.iter().filter(|message| message.kind() == Kind::Join);
        let joined = joins.filter_map(|join| join.user.clone()).collect();
        let strangers = people.unknown(joined, &run.connection).await?;
        if strangers.is_empty() {
            return Ok(BTreeSet::new());
        }
        let app = self.workspace(run).await?.app();
        let (own, others): (Vec<_>, Vec<_>) =
            strangers.into_iter().partition(|user| Some(user.as_str()) == app);
        let mut programs = people.programs(others, &self.api, &run.connection).await?;
        programs.extend(own);
        Ok(programs)
    }

    async fn names(
        &self,
        by_people: &[(String, Message)],
        thread: Option<ThreadOf<'_>>,
        run: &Run<Self>,
    ) -> Result<HashMap<String, String>> {
        let said = by_people.iter().filter(|(_, act)| act.kind() != Kind::Join);
        let texts = said.map(|(_, message)| message.text.as_str());
        let texts = texts.chain(thread.and_then(|thread| thread.text));
        let mentioned: BTreeSet<_> = texts.flat_map(text::mentioned).collect();
        run.prepared.people.names(mentioned, &self.api, &run.connection).await
    }
}

fn activity(
    scene: &Scene<'_>,
    user: &str,
    message: Message,
    thread: Option<ThreadOf<'_>>,
    names: &HashMap<String, String>,
) -> Activity {
    if message.kind() == Kind::Join {
        return scene.joined(message.ts, user);
    }
    let named = |text: &str| text::with_names(text, |id| names.get(id).map(String::as_str));
    let body = named(&message.text);
    let text = thread.and_then(|thread| thread.text).map(named);
    let thread = thread.map(|thread| ThreadOf { text: text.as_deref(), ..thread });
    scene.message(message, user, body, thread)
}
