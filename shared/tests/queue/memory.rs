//! The queue in memory: the examination, and what tests can make it do.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::DateTime;
use shared::clock::Clock;
use shared::queue::memory::MemoryQueue;
use shared::queue::{MOST_AT_ONCE, Outgoing, Queue, Redelivery};

use crate::examination::{self, Examinee, each_property};

struct Memory {
    clock: Clock,
    queue: OnceLock<Arc<MemoryQueue>>,
}

impl Memory {
    fn new() -> Self {
        Self { clock: Clock::standing_at(DateTime::UNIX_EPOCH), queue: OnceLock::new() }
    }

    fn queue(&self) -> &MemoryQueue {
        self.queue.get().expect("it was opened")
    }
}

impl Examinee for Memory {
    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    async fn open(&self, redelivery: Redelivery) -> Arc<dyn Queue> {
        let new = || Arc::new(MemoryQueue::new(self.clock.clone()).with_redelivery(redelivery));
        self.queue.get_or_init(new).clone()
    }

    fn go_away(&self) {
        self.queue().go_away();
    }

    fn come_back(&self) {
        self.queue().come_back();
    }
}

macro_rules! examine {
    ($($property:ident)*) => {$(
        #[tokio::test]
        async fn $property() {
            examination::$property(&Memory::new()).await;
        }
    )*};
}
each_property!(examine);

#[tokio::test]
async fn it_goes_by_the_systems_clock_as_well() {
    let redelivery = Redelivery { visibility: Duration::from_millis(20), max_receives: 50 };
    let queue = MemoryQueue::new(Clock::System).with_redelivery(redelivery);
    queue.send(&[numbered(0)]).await.expect("sent");
    for receives in 1..=3 {
        let received = queue.receive(1, Duration::from_secs(20)).await.expect("received");
        assert_eq!(received[0].receives, receives);
    }
}

#[tokio::test]
async fn an_old_receipt_does_nothing() {
    let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
    let queue = MemoryQueue::new(clock.clone());
    queue.send(&[numbered(0)]).await.expect("sent");
    let old = queue.receive(1, Duration::ZERO).await.expect("received").remove(0);
    clock.advance(Redelivery::default().visibility);
    queue.receive(1, Duration::ZERO).await.expect("received");

    queue.acknowledge(&old.receipt).await.expect("ignored");
    queue.keep_invisible(&old.receipt, Duration::ZERO).await.expect("ignored");
    queue.dead_letter(&old, "late").await.expect("ignored");
    assert_eq!(queue.bodies(), ["0"]);
    assert_eq!(queue.depth().await.expect("counted"), 0);
}

#[tokio::test]
async fn it_loses_what_it_is_told_to_lose() {
    let queue = MemoryQueue::new(Clock::System);
    queue.lose_next();
    queue.send(&[numbered(0), numbered(1)]).await.expect("sent, as far as one can tell");
    assert_eq!(queue.bodies(), ["1"]);
    queue.purge();
    assert!(queue.receive(1, Duration::ZERO).await.expect("received").is_empty());
}

#[tokio::test]
async fn mischief_reorders_and_duplicates_but_loses_nothing() {
    let order = deliveries(7).await;
    let mut counts = BTreeMap::new();
    for number in &order {
        *counts.entry(*number).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 100, "each message was delivered");
    let twice = counts.values().filter(|count| **count == 2).count();
    assert!((10..40).contains(&twice), "{twice} of 100 messages were delivered twice");
    assert_eq!(order.len(), 100 + twice, "none was delivered more often");
    assert!(!order.is_sorted());
}

#[tokio::test]
async fn the_same_seed_does_the_same_mischief() {
    assert_eq!(deliveries(7).await, deliveries(7).await);
    assert_ne!(deliveries(7).await, deliveries(8).await);
}

/// In which order a mischievous queue delivers a hundred messages that are acknowledged at once.
async fn deliveries(seed: u64) -> Vec<u32> {
    let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
    let queue = MemoryQueue::new(clock.clone()).mischievous(seed);
    let messages: Vec<_> = (0..100).map(numbered).collect();
    queue.send(&messages).await.expect("sent");
    let mut order = Vec::new();
    while !queue.bodies().is_empty() {
        for message in queue.receive(MOST_AT_ONCE, Duration::ZERO).await.expect("received") {
            order.push(message.body.parse().expect("a number"));
            queue.acknowledge(&message.receipt).await.expect("acknowledged");
        }
        clock.advance(Duration::from_secs(1));
    }
    order
}

fn numbered(number: u32) -> Outgoing {
    Outgoing {
        body: number.to_string(),
        group: "tenant".into(),
        delay: Duration::ZERO,
        trace: None,
    }
}
