//! The promises of `Queue`, one function each, asked of every implementation.
//!
//! A queue in memory runs on a clock that is turned, the others on the system's; [`within`] lets
//! time pass for both. No property looks at how long something took, except to bound it.

mod dead_letters;
mod redelivery;
mod sending;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use shared::clock::Clock;
use shared::queue::{MOST_AT_ONCE, Outgoing, Queue, Received, Redelivery};

pub(crate) use self::dead_letters::*;
pub(crate) use self::redelivery::*;
pub(crate) use self::sending::*;
pub(crate) use self::waiting::*;

/// What can be examined.
pub(crate) trait Examinee {
    /// The queue's time.
    fn clock(&self) -> Clock;
    /// A new and empty queue.
    async fn open(&self, redelivery: Redelivery) -> Arc<dyn Queue>;
    fn go_away(&self);
    fn come_back(&self);
}

/// Names the properties to a macro that makes tests of them.
macro_rules! each_property {
    ($examine:ident) => {
        $examine! {
            a_message_arrives_as_it_was_sent
            a_message_says_when_it_was_sent
            a_delayed_message_comes_when_its_delay_is_over
            a_received_message_is_invisible_to_others
            an_acknowledged_message_never_comes_again
            an_unacknowledged_message_comes_again_with_a_new_receipt_and_a_higher_count
            a_message_kept_invisible_does_not_come_meanwhile
            a_message_given_back_comes_at_once
            a_stale_receipt_is_not_an_error
            a_message_received_too_often_becomes_a_dead_letter
            a_message_nobody_understands_becomes_a_dead_letter_with_the_reason
            dead_letters_are_listed_and_stay
            dead_letters_are_sent_again_as_if_new
            more_messages_than_fit_a_request_are_all_sent
            what_cannot_be_sent_is_named_by_position_and_the_rest_is_sent
            a_body_of_a_mebibyte_is_refused
            a_waiting_receive_returns_as_soon_as_a_message_arrives
            a_receive_without_messages_returns_empty_after_its_wait
            a_queue_that_went_away_is_an_error_and_comes_back_as_it_was
            the_depth_is_that_of_the_visible_messages
        }
    };
}
pub(crate) use each_property;

/// Nothing becomes visible by itself while a property runs.
const PATIENT: Redelivery = Redelivery { visibility: Duration::from_secs(600), max_receives: 50 };
/// The shortest visibility that SQS knows; emulators tick once a second.
const BRIEF: Redelivery = Redelivery { visibility: Duration::from_secs(1), max_receives: 50 };
/// Far above what anything that has to come takes.
const SOON: Duration = Duration::from_secs(15);

/// Fails where something takes much too long, or for ever.
async fn bounded<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, call).await.expect("it took too long")
}

fn message(body: &str) -> Outgoing {
    Outgoing { body: body.into(), group: "tenant".into(), delay: Duration::ZERO, trace: None }
}

/// What is received while this much time passes, or earlier.
async fn within(time: Duration, examinee: &impl Examinee, queue: &dyn Queue) -> Vec<Received> {
    let (received, ()) = tokio::join!(queue.receive(MOST_AT_ONCE, time), async {
        if let clock @ Clock::Turned(_) = examinee.clock() {
            clock.advance(time);
        }
    });
    received.expect("received")
}

/// The only message that is visible now or soon.
async fn one(examinee: &impl Examinee, queue: &dyn Queue) -> Received {
    let mut received = queue.receive(MOST_AT_ONCE, Duration::ZERO).await.expect("received");
    if received.is_empty() {
        received = within(SOON, examinee, queue).await;
    }
    assert_eq!(received.len(), 1, "one message was expected");
    received.remove(0)
}

/// That many messages, in as many receives as it takes.
async fn all(examinee: &impl Examinee, queue: &dyn Queue, count: usize) -> Vec<Received> {
    let mut all = Vec::new();
    while all.len() < count {
        let received = within(SOON, examinee, queue).await;
        assert!(!received.is_empty(), "{} of {count} messages came", all.len());
        assert!(received.len() <= MOST_AT_ONCE);
        all.extend(received);
    }
    assert_eq!(all.len(), count);
    all
}

fn assert_none(received: Vec<Received>) {
    let bodies: Vec<_> = received.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, [""; 0], "no message was expected");
}
