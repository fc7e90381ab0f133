//! A receive waits, and no call waits for ever.

use std::time::Duration;

use shared::queue::Outgoing;

use super::{BRIEF, Examinee, PATIENT, SOON, assert_none, bounded, message, one, within};
use crate::gate::Gate;

pub(crate) async fn a_waiting_receive_returns_as_soon_as_a_message_arrives(
    examinee: &impl Examinee,
) {
    let queue = examinee.open(PATIENT).await;
    let sending = [message("awaited")];
    let (received, sent) = bounded(async {
        tokio::join!(queue.receive(1, Duration::from_secs(20)), queue.send(&sending))
    })
    .await;
    sent.expect("sent");
    assert_eq!(received.expect("received")[0].body, "awaited");
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

    let (waiting, ()) = bounded(async {
        tokio::join!(queue.receive(1, Duration::from_secs(20)), async { examinee.go_away() })
    })
    .await;
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
    let void = [message("into the void")];
    let (received, sent) = bounded(async {
        tokio::join!(queue.receive(1, Duration::from_secs(1)), queue.send(&void))
    })
    .await;
    received.expect_err("nobody answers");
    assert_eq!(sent.expect_err("nobody answers").unsent, [0]);

    gate.open();
    queue.check().await.expect("it answers again");
    // What went into the void may arrive after all: the message, and the receive, whose answer then
    // is lost.
    queue.send(&[message("after")]).await.expect("sent");
    assert!(!within(SOON, examinee, &*queue).await.is_empty());
}
