//! A message comes again until it is acknowledged.

use std::time::Duration;

use shared::queue::Redelivery;

use super::{BRIEF, Examinee, PATIENT, SOON, assert_none, message, one, within};

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
