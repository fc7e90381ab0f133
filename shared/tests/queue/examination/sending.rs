//! Messages arrive as they were sent, and what cannot be sent is named.

use std::time::Duration;

use shared::queue::{LONGEST_BODY, LONGEST_DELAY, MOST_AT_ONCE, Outgoing};

use super::{BRIEF, Examinee, PATIENT, all, assert_none, message, one};

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

pub(crate) async fn a_message_says_when_it_was_sent(examinee: &impl Examinee) {
    // Those beyond a network have a clock of their own, and some count whole milliseconds.
    let slack = chrono::TimeDelta::seconds(2);
    let queue = examinee.open(BRIEF).await;
    let before = examinee.clock().now() - slack;
    queue.send(&[message("timed")]).await.expect("sent");
    let after = examinee.clock().now() + slack;

    let first = one(examinee, &*queue).await;
    let sent_at = first.sent_at.expect("a time");
    assert!(before <= sent_at && sent_at <= after, "{sent_at} is not {before} to {after}");
    assert_eq!(one(examinee, &*queue).await.sent_at, Some(sent_at), "however often it comes");
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
    assert_eq!(
        format!("{:#}", anyhow::Error::from(error)),
        "4 messages were not sent: the body is empty"
    );

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
