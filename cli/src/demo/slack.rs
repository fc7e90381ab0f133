//! Slack: a workspace with channels and threads.

use std::sync::Mutex;

use async_trait::async_trait;
use sandbox::slack::{ChannelId, MessageId, Pace, Slack, TOKEN, UserId, Workspace};
use serde_json::{Value, json};
use shared::clock::Clock;

use super::cast::{Act, Written};

const SEED: u64 = 20_260_512;
/// Every thread costs a request, and Slack answers fifty of those a minute.
const MESSAGES: usize = 120;

pub(super) struct SlackAct {
    slack: Slack,
    /// What was asked in the first round, to be answered in the second.
    question: Mutex<Option<MessageId>>,
}

impl SlackAct {
    pub(super) async fn begin() -> anyhow::Result<Self> {
        let slack = Slack::serve(Workspace::realistic(SEED, MESSAGES)).await?;
        slack.limit(Some(Pace::Clock));
        Ok(Self { slack, question: Mutex::default() })
    }
}

#[async_trait]
impl Act for SlackAct {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn url(&self) -> String {
        self.slack.url()
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn credential(&self) -> Option<Value> {
        Some(json!({ "type": "secret", "secret": TOKEN }))
    }

    /// A question, and in the second round an answer to it.
    async fn write_upstream(&self, _: usize) -> Written {
        let mut question = self.question.lock().expect("nobody panics while holding it");
        self.slack.edit(|workspace| {
            workspace.turn_to(Clock::System.now());
            let (channel, person) = somewhere(workspace);
            let answered = question.take();
            if let Some(asked) = &answered {
                workspace.reply(asked, &person, "It does, by index.");
            }
            *question = Some(workspace.post(&channel, &person, "Does it resume after a crash?"));
            match answered {
                Some(_) => Written { said: "a question was answered and one asked".into(), new: 2 },
                None => Written { said: "somebody asked a question".into(), new: 1 },
            }
        })
    }

    fn requests(&self) -> u64 {
        self.slack.request_count()
    }
}

/// A channel that the app is in, and a person of the workspace.
fn somewhere(workspace: &Workspace) -> (ChannelId, UserId) {
    let channel = workspace.channels().find(|it| it.has_app && !it.is_archived);
    let person = workspace.users().rev().find(|it| workspace.is_person(&it.id));
    let (channel, person) = channel.zip(person).expect("people talk in channels");
    (channel.id.clone(), person.id.clone())
}
