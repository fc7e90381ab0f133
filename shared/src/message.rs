//! What travels on the queue: identifiers, never data. The bodies are a public contract.
//!
//! ```json
//! {"type":"integration_process","runId":"…","streamId":"…"}
//! {"type":"integration_process","integrationId":"…","onboarding":true}
//! {"type":"integration_discover","discoveryId":"…"}
//! ```
//!
//! Names are camelCase, unknown fields are ignored, `streamId` and `onboarding` may be left out.

use serde::{Deserialize, Serialize};

use crate::domain::{DiscoveryId, IntegrationId, RunId, RunMode, StreamId};

/// Somebody should make progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Make progress on this run; with a stream, step exactly that one again.
    Process { run: RunId, stream: Option<StreamId> },
    /// Start a run of this integration, or join the live one.
    Start { integration: IntegrationId, mode: RunMode },
    /// List what a connection could sync.
    Discover { discovery: DiscoveryId },
}

/// Why a body is no message: it will never be one, so it belongs to the dead letters.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMessage {
    #[error("not a message: {0}")]
    NotAMessage(#[from] serde_json::Error),
    #[error("a message names either a runId or an integrationId")]
    NamesNothing,
    #[error("the body has {0} bytes; a message has less than {limit}", limit = Message::MAX_BYTES)]
    TooLong(usize),
}

impl Message {
    /// A message holds identifiers only; anything longer is not one.
    pub const MAX_BYTES: usize = 16 * 1024;

    pub fn decode(body: &str) -> Result<Self, InvalidMessage> {
        if body.len() >= Self::MAX_BYTES {
            return Err(InvalidMessage::TooLong(body.len()));
        }
        match serde_json::from_str(body)? {
            Body::IntegrationProcess(body) => body.try_into(),
            Body::IntegrationDiscover { discovery_id } => {
                Ok(Self::Discover { discovery: discovery_id })
            }
        }
    }

    pub fn encode(self) -> String {
        let body = match self {
            Self::Process { run, stream } => Body::IntegrationProcess(IntegrationProcess {
                run_id: Some(run),
                stream_id: stream,
                ..Default::default()
            }),
            Self::Start { integration, mode } => Body::IntegrationProcess(IntegrationProcess {
                integration_id: Some(integration),
                onboarding: Some(mode.is_onboarding()),
                ..Default::default()
            }),
            Self::Discover { discovery } => Body::IntegrationDiscover { discovery_id: discovery },
        };
        serde_json::to_string(&body).expect("ids and a flag always encode")
    }
}

impl TryFrom<IntegrationProcess> for Message {
    type Error = InvalidMessage;

    fn try_from(body: IntegrationProcess) -> Result<Self, InvalidMessage> {
        match (body.run_id, body.integration_id) {
            (Some(run), None) => Ok(Self::Process { run, stream: body.stream_id }),
            (None, Some(integration)) => {
                let mode = RunMode::from_onboarding(body.onboarding.unwrap_or(false));
                Ok(Self::Start { integration, mode })
            }
            _ => Err(InvalidMessage::NamesNothing),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body {
    IntegrationProcess(IntegrationProcess),
    IntegrationDiscover {
        #[serde(rename = "discoveryId")]
        discovery_id: DiscoveryId,
    },
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntegrationProcess {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream_id: Option<StreamId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integration_id: Option<IntegrationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    onboarding: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190f0a0-0000-7000-8000-000000000001";

    #[test]
    fn the_published_bodies_decode() {
        let process = format!(
            r#"{{"type":"integration_process","runId":"{ID}","streamId":null,"fireCrowdWebhooks":true}}"#
        );
        assert_eq!(
            Message::decode(&process).unwrap(),
            Message::Process { run: ID.parse().unwrap(), stream: None }
        );
        let start =
            format!(r#"{{"type":"integration_process","integrationId":"{ID}","onboarding":true}}"#);
        let expected =
            Message::Start { integration: ID.parse().unwrap(), mode: RunMode::Onboarding };
        assert_eq!(Message::decode(&start).unwrap(), expected);
        let discover = format!(r#"{{"type":"integration_discover","discoveryId":"{ID}"}}"#);
        let expected = Message::Discover { discovery: ID.parse().unwrap() };
        assert_eq!(Message::decode(&discover).unwrap(), expected);
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let messages = [
            Message::Process { run: RunId::new(), stream: Some(StreamId::new()) },
            Message::Start { integration: IntegrationId::new(), mode: RunMode::Check },
            Message::Discover { discovery: DiscoveryId::new() },
        ];
        for message in messages {
            assert_eq!(Message::decode(&message.encode()).unwrap(), message);
        }
    }

    #[test]
    fn what_is_no_message_says_why() {
        let why = |body: &str| Message::decode(body).unwrap_err().to_string();
        assert!(why("hello").contains("expected value"));
        assert!(why(r#"{"type":"make_coffee"}"#).contains("unknown variant `make_coffee`"));
        assert!(why(r#"{"type":"integration_process","runId":"7"}"#).contains("UUID"));
        assert!(
            why(r#"{"type":"integration_process"}"#).contains("either a runId or an integrationId")
        );
        assert!(why(&"x".repeat(1 << 20)).contains("1048576 bytes"));
    }
}
