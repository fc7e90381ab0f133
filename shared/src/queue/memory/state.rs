//! What the queue in memory holds, and what becomes of it when somebody receives or sends.

use chrono::{DateTime, Utc};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::queue::{Outgoing, Receipt, Received, Redelivery};

/// Of a hundred messages, how many a mischievous queue delivers twice.
const PERCENT_DUPLICATED: u32 = 25;

#[derive(Default)]
pub(super) struct State {
    /// In order of arrival.
    pub(super) messages: Vec<Message>,
    /// In order of death.
    pub(super) dead: Vec<(Message, Option<String>)>,
    pub(super) receipts_given: u64,
    pub(super) mischief: Option<StdRng>,
    pub(super) away: bool,
    pub(super) to_lose: usize,
    pub(super) to_refuse: usize,
}

#[derive(Clone)]
pub(super) struct Message {
    pub(super) body: String,
    pub(super) group: String,
    pub(super) trace: Option<String>,
    pub(super) sent_at: DateTime<Utc>,
    pub(super) visible_at: DateTime<Utc>,
    pub(super) receives: u32,
    /// Of the last receive.
    pub(super) receipt: Option<Receipt>,
}

impl State {
    pub(super) fn receive(
        &mut self,
        max: usize,
        redelivery: Redelivery,
        now: DateTime<Utc>,
    ) -> Vec<Received> {
        self.bury_the_exhausted(redelivery, now);
        let mut visible: Vec<usize> = (0..self.messages.len())
            .filter(|index| self.messages[*index].visible_at <= now)
            .collect();
        if let Some(mischief) = &mut self.mischief {
            visible.shuffle(mischief);
        }
        visible.truncate(max);
        visible.into_iter().map(|index| self.deliver(index, now + redelivery.visibility)).collect()
    }

    fn bury_the_exhausted(&mut self, redelivery: Redelivery, now: DateTime<Utc>) {
        let exhausted = self.messages.extract_if(.., |message| {
            message.visible_at <= now && message.receives >= redelivery.max_receives
        });
        self.dead.extend(exhausted.map(|message| (message, None)));
    }

    fn deliver(&mut self, index: usize, visible_at: DateTime<Utc>) -> Received {
        self.receipts_given += 1;
        let receipt = Receipt(format!("receipt {}", self.receipts_given));
        let message = &mut self.messages[index];
        message.visible_at = visible_at;
        message.receives += 1;
        message.receipt = Some(receipt.clone());
        Received {
            body: message.body.clone(),
            receipt,
            receives: message.receives,
            group: Some(message.group.clone()),
            trace: message.trace.clone(),
            sent_at: Some(message.sent_at),
        }
    }

    pub(super) fn store(
        &mut self,
        outgoing: &Outgoing,
        redelivery: Redelivery,
        now: DateTime<Utc>,
    ) {
        if self.to_lose > 0 {
            self.to_lose -= 1;
            return;
        }
        let message = Message {
            body: outgoing.body.clone(),
            group: outgoing.group.clone(),
            trace: outgoing.trace.clone(),
            sent_at: now,
            visible_at: now + outgoing.delay,
            receives: 0,
            receipt: None,
        };
        if let Some(mischief) = &mut self.mischief
            && mischief.random_ratio(PERCENT_DUPLICATED, 100)
        {
            let late = redelivery.visibility.mul_f64(mischief.random());
            self.messages
                .push(Message { visible_at: message.visible_at + late, ..message.clone() });
        }
        self.messages.push(message);
    }

    pub(super) fn current(&mut self, receipt: &Receipt) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.receipt.as_ref() == Some(receipt))
    }

    pub(super) fn take(&mut self, receipt: &Receipt) -> Option<Message> {
        let of_receipt = |message: &Message| message.receipt.as_ref() == Some(receipt);
        let index = self.messages.iter().position(of_receipt)?;
        Some(self.messages.remove(index))
    }

    pub(super) fn next_visible(&self) -> Option<DateTime<Utc>> {
        self.messages.iter().map(|message| message.visible_at).min()
    }
}
