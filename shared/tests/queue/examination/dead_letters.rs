//! What becomes of messages that are given up.

use std::time::Duration;

use chrono::TimeDelta;
use shared::clock::Clock;
use shared::queue::{Queue, Redelivery};

use super::{BRIEF, Examinee, PATIENT, all, assert_none, message, one, within};

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

    let clock = examinee.clock();
    if let Clock::Turned(_) = clock {
        clock.advance(Duration::from_secs(3600));
    }
    // Those beyond a network have a clock of their own.
    let sent_again = clock.now() - TimeDelta::seconds(2);
    assert_eq!(queue.requeue_dead_letters(2).await.expect("sent again"), 2);
    let mut back = all(examinee, &*queue, 2).await;
    assert!(back.iter().all(|message| message.receives == 1));
    assert!(back.iter().all(|message| message.group.as_deref() == Some("tenant")));
    assert!(back.iter().all(|message| message.sent_at >= Some(sent_again)));
    assert_eq!(dead_letters(&*queue, 10).await.len(), 1);

    assert_eq!(queue.requeue_dead_letters(10).await.expect("sent again"), 1);
    back.push(one(examinee, &*queue).await);
    assert_eq!(dead_letters(&*queue, 10).await, []);
    let mut bodies: Vec<_> = back.into_iter().map(|message| message.body).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["one", "three", "two"]);
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
