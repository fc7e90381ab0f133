//! What no queue takes. The limits are SQS's; the other implementations keep to them too, so that
//! what works on one queue works on each.

use std::time::Duration;

use anyhow::anyhow;

use super::{Outgoing, SendError};

/// Bytes of a message's body: SQS's mebibyte, less room for the attributes that count against it.
pub const LONGEST_BODY: usize = (1 << 20) - 1024;
/// How long a message can be delayed by the queue. Longer delays live in the database.
pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// How long a receive can wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Messages in one receive, or in one request to send.
pub const MOST_AT_ONCE: usize = 10;

const LONGEST_GROUP: usize = 128;

/// The positions of the messages that can be sent at all; the others are noted as unsent.
pub(super) fn acceptable(messages: &[Outgoing], unsent: &mut Unsent) -> Vec<usize> {
    let mut acceptable = Vec::with_capacity(messages.len());
    for (position, message) in messages.iter().enumerate() {
        match refusal(message) {
            None => acceptable.push(position),
            Some(reason) => unsent.note([position], anyhow!(reason)),
        }
    }
    acceptable
}

fn refusal(message: &Outgoing) -> Option<String> {
    let Outgoing { body, group, delay, .. } = message;
    if body.is_empty() {
        return Some("the body is empty".into());
    }
    if body.len() > LONGEST_BODY {
        return Some(format!("the body has {} bytes, {LONGEST_BODY} are allowed", body.len()));
    }
    if let Some(character) = body.chars().find(|c| !is_allowed(*c)) {
        return Some(format!("the body contains the character {character:?}"));
    }
    if group.is_empty()
        || group.len() > LONGEST_GROUP
        || !group.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Some(format!("the group {group:?} is not 1 to 128 letters, digits or marks"));
    }
    if *delay > LONGEST_DELAY {
        return Some(format!("a delay of {delay:?} is longer than {LONGEST_DELAY:?}"));
    }
    None
}

/// What XML 1.0 allows, which SQS still goes by. JSON escapes the rest.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The messages of one `send` that were not stored, and why the first of them was not.
#[derive(Default)]
pub(super) struct Unsent {
    positions: Vec<usize>,
    because: Option<anyhow::Error>,
}

impl Unsent {
    pub(super) fn note(
        &mut self,
        positions: impl IntoIterator<Item = usize>,
        because: anyhow::Error,
    ) {
        self.positions.extend(positions);
        self.because.get_or_insert(because);
    }

    pub(super) fn into_result(mut self) -> Result<(), SendError> {
        self.positions.sort_unstable();
        match self.because {
            None => Ok(()),
            Some(source) => Err(SendError { unsent: self.positions, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Outgoing {
        Outgoing { body: body.into(), group: "tenant".into(), delay: Duration::ZERO, trace: None }
    }

    #[test]
    fn what_sqs_takes_is_acceptable() {
        for body in ["{}", "tab\t newline\n", "Zürich 東京 🚀", &"x".repeat(LONGEST_BODY)] {
            assert_eq!(refusal(&message(body)), None);
        }
        let delayed = Outgoing { delay: LONGEST_DELAY, ..message("{}") };
        assert_eq!(refusal(&delayed), None);
    }

    #[test]
    fn what_sqs_refuses_is_refused_with_a_sentence() {
        let refused = |message: &Outgoing| refusal(message).expect("refused");
        assert_eq!(refused(&message("")), "the body is empty");
        assert_eq!(refused(&message("a\0b")), "the body contains the character '\\0'");
        let long = message(&"x".repeat(LONGEST_BODY + 1));
        assert_eq!(refused(&long), "the body has 1047553 bytes, 1047552 are allowed");
        let late = Outgoing { delay: Duration::from_secs(901), ..message("{}") };
        assert_eq!(refused(&late), "a delay of 901s is longer than 900s");
        for group in ["", "two words", &"g".repeat(129)] {
            let grouped = Outgoing { group: group.into(), ..message("{}") };
            assert!(refused(&grouped).ends_with("is not 1 to 128 letters, digits or marks"));
        }
    }
}
