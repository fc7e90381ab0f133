//! The promises of `Queue`, one function each, asked of every implementation.
//!
//! A queue in memory runs on a clock that is turned, the others on the system's; [`within`] lets
//! time pass for both. No property looks at how long something took, except to bound it.

use std::sync::Arc;
use std::time::Duration;

use shared::clock::Clock;
use shared::queue::{
    LONGEST_BODY, LONGEST_DELAY, MOST_AT_ONCE, Outgoing, Queue, Received, Redelivery,
};

use crate::gate::Gate;

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

pub(crate) async fn a_message_arrives_as_it_was_sent(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = [
        Outgoing {
            trace: Some(trace.into()), ..message(r#"{"name":"Zürich 東京 🚀 \"a\tb\n"}"#)
        },
        Outgoing { group: "another".into(), ..message("{}") },
        message(&"x".repeat(LONGEST_BODY)),
    ];
    queue.send(&sent).await.expect("all are sent");

    let mut received = all(examinee, &*queue, sent.len()).await;
    received.sort_by_key(|message| sent.iter().position(|sent| sent.body == message.body));
    for (sent, received) in sent.iter().zip(&received) {
        assert!(sent.body == received.body, "the body changed on the way");
        assert_eq!(Some(&sent.group), received.group.as_ref());
        assert_eq!(sent.trace, received.trace);
        assert_eq!(received.receives, 1);
    }
}

pub(crate) async fn a_delayed_message_comes_when_its_delay_is_over(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    let delay = Duration::from_secs(2);
    let before = examinee.clock().now();
    queue.send(&[Outgoing { delay, ..message("late") }, message("now")]).await.expect("sent");

    assert_eq!(one(examinee, &*queue).await.body, "now");
    assert_eq!(one(examinee, &*queue).await.body, "late");
    assert!(examinee.clock().now() - before >= chrono::TimeDelta::seconds(2));
}

pub(crate) async fn a_received_message_is_invisible_to_others(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    queue.send(&[message("mine")]).await.expect("sent");
    one(examinee, &*queue).await;
    assert_none(within(Duration::from_secs(1), examinee, &*queue).await);
}

pub(crate) async fn an_acknowledged_message_never_comes_again(examinee: &impl Examinee) {
    let queue = examinee.open(BRIEF).await;
    queue.send(&[message("done")]).await.expect("sent");
    let received = one(examinee, &*queue).await;
    queue.acknowledge(&received.receipt).await.expect("acknowledged");
    assert_none(within(Duration::from_secs(3), examinee, &*queue).await);
    assert_eq!(queue.dead_letters(1).await.expect("listed"), []);
}

pub(crate) async fn an_unacknowledged_message_comes_again_with_a_new_receipt_and_a_higher_count(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(BRIEF).await;
    queue.send(&[message("again")]).await.expect("sent");
    let first = one(examinee, &*queue).await;
    let second = one(examinee, &*queue).await;
    assert_eq!((first.receives, second.receives), (1, 2));
    assert_eq!(first.body, second.body);
    assert_ne!(first.receipt, second.receipt);
}

pub(crate) async fn a_message_kept_invisible_does_not_come_meanwhile(examinee: &impl Examinee) {
    let redelivery = Redelivery { visibility: Duration::from_secs(2), ..BRIEF };
    let queue = examinee.open(redelivery).await;
    queue.send(&[message("long")]).await.expect("sent");
    let received = one(examinee, &*queue).await;
    queue.keep_invisible(&received.receipt, Duration::from_secs(600)).await.expect("kept");
    assert_none(within(Duration::from_secs(4), examinee, &*queue).await);

    queue.keep_invisible(&received.receipt, Duration::from_secs(1)).await.expect("kept");
    assert_eq!(one(examinee, &*queue).await.receives, 2);
}

pub(crate) async fn a_message_given_back_comes_at_once(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    queue.send(&[message("yours")]).await.expect("sent");
    let received = one(examinee, &*queue).await;
    let (second, given_back) = tokio::join!(
        queue.receive(1, SOON),
        queue.keep_invisible(&received.receipt, Duration::ZERO)
    );
    given_back.expect("given back");
    assert_eq!(second.expect("received")[0].receives, 2);
}

pub(crate) async fn a_stale_receipt_is_not_an_error(examinee: &impl Examinee) {
    let queue = examinee.open(BRIEF).await;
    queue.send(&[message("slow")]).await.expect("sent");
    let slow = one(examinee, &*queue).await;
    let fast = one(examinee, &*queue).await;
    queue.keep_invisible(&slow.receipt, Duration::from_secs(1)).await.expect("ignored");
    queue.acknowledge(&fast.receipt).await.expect("acknowledged");
    queue.acknowledge(&fast.receipt).await.expect("ignored");
    queue.acknowledge(&slow.receipt).await.expect("ignored");
    queue.keep_invisible(&slow.receipt, Duration::ZERO).await.expect("ignored");
}

pub(crate) async fn a_message_received_too_often_becomes_a_dead_letter(examinee: &impl Examinee) {
    let queue = examinee.open(Redelivery { max_receives: 2, ..BRIEF }).await;
    queue.send(&[message("poison")]).await.expect("sent");
    assert_eq!(one(examinee, &*queue).await.receives, 1);
    assert_eq!(one(examinee, &*queue).await.receives, 2);
    assert_none(within(Duration::from_secs(3), examinee, &*queue).await);
    assert_eq!(dead_letters(&*queue, 10).await, [("poison".into(), None)]);
}

pub(crate) async fn a_message_nobody_understands_becomes_a_dead_letter_with_the_reason(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(BRIEF).await;
    queue.send(&[message("gibberish")]).await.expect("sent");
    let received = one(examinee, &*queue).await;
    queue.dead_letter(&received, "expected value at line 1").await.expect("moved");
    queue.acknowledge(&received.receipt).await.expect("ignored");
    assert_none(within(Duration::from_secs(3), examinee, &*queue).await);
    let reason = Some("expected value at line 1".into());
    assert_eq!(dead_letters(&*queue, 10).await, [("gibberish".into(), reason)]);
}

pub(crate) async fn dead_letters_are_listed_and_stay(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    bury(&["one", "two", "three"], examinee, &*queue).await;
    assert_eq!(dead_letters(&*queue, 2).await.len(), 2);
    assert_eq!(dead_letters(&*queue, 10).await.len(), 3);
    assert_eq!(dead_letters(&*queue, 10).await.len(), 3);
}

pub(crate) async fn dead_letters_are_sent_again_as_if_new(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    bury(&["one", "two", "three"], examinee, &*queue).await;

    assert_eq!(queue.requeue_dead_letters(2).await.expect("sent again"), 2);
    let mut back = all(examinee, &*queue, 2).await;
    assert!(back.iter().all(|message| message.receives == 1));
    assert!(back.iter().all(|message| message.group.as_deref() == Some("tenant")));
    assert_eq!(dead_letters(&*queue, 10).await.len(), 1);

    assert_eq!(queue.requeue_dead_letters(10).await.expect("sent again"), 1);
    back.push(one(examinee, &*queue).await);
    assert_eq!(dead_letters(&*queue, 10).await, []);
    let mut bodies: Vec<_> = back.into_iter().map(|message| message.body).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["one", "three", "two"]);
}

pub(crate) async fn more_messages_than_fit_a_request_are_all_sent(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    let group = |number| format!("tenant-{}", number % 3);
    let outgoing =
        |number: usize| Outgoing { group: group(number), ..message(&number.to_string()) };
    let sent: Vec<_> = (0..25).map(outgoing).collect();
    queue.send(&sent).await.expect("all are sent");

    let received = all(examinee, &*queue, 25).await;
    let mut numbers: Vec<usize> =
        received.iter().map(|message| message.body.parse().expect("a number")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(0..25));
    for message in received {
        let number = message.body.parse().expect("a number");
        assert_eq!(message.group, Some(group(number)));
        queue.acknowledge(&message.receipt).await.expect("acknowledged");
    }
    assert_none(queue.receive(MOST_AT_ONCE, Duration::ZERO).await.expect("received"));
}

pub(crate) async fn what_cannot_be_sent_is_named_by_position_and_the_rest_is_sent(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(PATIENT).await;
    let error = queue
        .send(&[
            message("good"),
            message(""),
            message("better"),
            message("\u{0}"),
            Outgoing { group: "two words".into(), ..message("{}") },
            Outgoing { delay: LONGEST_DELAY + Duration::from_secs(1), ..message("{}") },
            message("best"),
        ])
        .await
        .expect_err("four of them cannot be sent");
    assert_eq!(error.unsent, [1, 3, 4, 5]);
    assert_eq!(error.to_string(), "4 messages were not sent: the body is empty");

    let mut bodies: Vec<_> =
        all(examinee, &*queue, 3).await.into_iter().map(|message| message.body).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["best", "better", "good"]);
    assert_none(queue.receive(MOST_AT_ONCE, Duration::ZERO).await.expect("received"));
}

pub(crate) async fn a_body_of_a_mebibyte_is_refused(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    let error = queue.send(&[message(&"x".repeat(1 << 20))]).await.expect_err("too long");
    assert_eq!(error.unsent, [0]);
    assert_none(queue.receive(1, Duration::ZERO).await.expect("received"));
}

pub(crate) async fn a_waiting_receive_returns_as_soon_as_a_message_arrives(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(PATIENT).await;
    let begun = std::time::Instant::now();
    let sending = [message("awaited")];
    let (received, sent) =
        tokio::join!(queue.receive(1, Duration::from_secs(20)), queue.send(&sending));
    sent.expect("sent");
    assert_eq!(received.expect("received")[0].body, "awaited");
    assert!(begun.elapsed() < SOON, "it came after {:?}", begun.elapsed());
}

pub(crate) async fn a_receive_without_messages_returns_empty_after_its_wait(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(PATIENT).await;
    assert_none(queue.receive(1, Duration::ZERO).await.expect("received"));

    let before = examinee.clock().now();
    assert_none(within(Duration::from_secs(2), examinee, &*queue).await);
    let took = examinee.clock().now() - before;
    // Emulators count a little fast.
    assert!(took >= chrono::TimeDelta::milliseconds(1900), "it took {took}");
}

pub(crate) async fn a_queue_that_went_away_is_an_error_and_comes_back_as_it_was(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(PATIENT).await;
    queue.check().await.expect("it is there");
    queue.send(&[message("before")]).await.expect("sent");
    let before = one(examinee, &*queue).await;

    let (waiting, ()) =
        tokio::join!(queue.receive(1, Duration::from_secs(20)), async { examinee.go_away() });
    waiting.expect_err("it went away meanwhile");
    queue.check().await.expect_err("it is away");
    queue.receive(1, Duration::ZERO).await.expect_err("it is away");
    queue.acknowledge(&before.receipt).await.expect_err("it is away");
    let meanwhile = [message("meanwhile"), message(""), message("meanwhile")];
    let error = queue.send(&meanwhile).await.expect_err("it is away");
    assert_eq!(error.unsent, [0, 1, 2]);

    examinee.come_back();
    queue.check().await.expect("it is back");
    queue.keep_invisible(&before.receipt, Duration::ZERO).await.expect("given back");
    assert_eq!(one(examinee, &*queue).await.body, "before");
    queue.send(&[message("after")]).await.expect("sent");
    assert_eq!(one(examinee, &*queue).await.body, "after");
}

pub(crate) async fn the_depth_is_that_of_the_visible_messages(examinee: &impl Examinee) {
    let queue = examinee.open(PATIENT).await;
    assert_eq!(queue.depth().await.expect("counted"), 0);
    let later = Outgoing { delay: Duration::from_secs(600), ..message("later") };
    let sent = [message("one"), message("two"), later];
    queue.send(&sent).await.expect("sent");
    assert_eq!(queue.depth().await.expect("counted"), 2);
    let received = queue.receive(1, SOON).await.expect("received");
    assert_eq!(received.len(), 1);
    assert_eq!(queue.depth().await.expect("counted"), 1);
}

/// Only for queues beyond a network.
pub(crate) async fn a_queue_that_hangs_is_an_error_in_bounded_time(
    examinee: &impl Examinee,
    gate: &Gate,
) {
    let queue = examinee.open(BRIEF).await;
    queue.check().await.expect("it is there");

    gate.hang();
    let begun = std::time::Instant::now();
    let void = [message("into the void")];
    let (received, sent) =
        tokio::join!(queue.receive(1, Duration::from_secs(1)), queue.send(&void));
    received.expect_err("nobody answers");
    assert_eq!(sent.expect_err("nobody answers").unsent, [0]);
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());

    gate.open();
    queue.check().await.expect("it answers again");
    // What went into the void may arrive after all: the message, and the receive, whose answer then
    // is lost.
    queue.send(&[message("after")]).await.expect("sent");
    assert!(!within(SOON, examinee, &*queue).await.is_empty());
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

async fn bury(bodies: &[&str], examinee: &impl Examinee, queue: &dyn Queue) {
    let messages: Vec<_> = bodies.iter().map(|body| message(body)).collect();
    queue.send(&messages).await.expect("sent");
    for message in all(examinee, queue, bodies.len()).await {
        queue.dead_letter(&message, "no such type").await.expect("moved");
    }
}

/// Bodies and reasons.
async fn dead_letters(queue: &dyn Queue, max: usize) -> Vec<(String, Option<String>)> {
    let letters = queue.dead_letters(max).await.expect("listed").into_iter();
    letters.map(|letter| (letter.body, letter.reason)).collect()
}

fn assert_none(received: Vec<Received>) {
    let bodies: Vec<_> = received.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, [""; 0], "no message was expected");
}
