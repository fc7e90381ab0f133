//! The dead-letter queue: putting messages there by hand, looking, and sending them again.

use std::collections::HashSet;

use anyhow::Context;
use aws_sdk_sqs::types::{
    Message, MessageSystemAttributeName as SystemAttribute, QueueAttributeName,
};
use futures_util::future::{join_all, try_join_all};
use serde::Deserialize;

use super::send::text;
use super::{SqsQueue, TRACE, attribute_of, string_attribute};
use crate::queue::limits::{self, MOST_AT_ONCE};
use crate::queue::{DeadLetter, Received};

/// The message attribute that carries the reason.
const REASON: &str = "reason";
/// Longer reasons are cut, in characters.
const LONGEST_REASON: usize = 1000;
/// SQS's limit for a body and its attributes together, in bytes.
const LONGEST_MESSAGE: usize = 1 << 20;
/// How long a dead letter is kept from others while it is looked at or sent again, in seconds.
const LOOKED_AT: i32 = 30;

impl SqsQueue {
    pub(super) async fn send_to_dead_letters(
        &self,
        message: &Received,
        reason: &str,
    ) -> anyhow::Result<()> {
        let reason = presentable(reason);
        let mut attributes = vec![(REASON, reason.as_str())];
        attributes.extend(message.trace.as_deref().map(|trace| (TRACE, trace)));
        // Whoever posted it by hand may have used the whole mebibyte.
        let length = |(name, value): &(&str, &str)| name.len() + "String".len() + value.len();
        if message.body.len() + attributes.iter().map(length).sum::<usize>() > LONGEST_MESSAGE {
            attributes.clear();
        }
        let mut request = self
            .client
            .send_message()
            .queue_url(self.dead_letter_url().await?)
            .message_body(&message.body)
            .set_message_group_id(message.group.clone());
        for (name, value) in attributes.into_iter().filter(|(_, value)| !value.is_empty()) {
            request = request.message_attributes(name, text(value));
        }
        request.send().await.context("sending to the dead-letter queue")?;
        Ok(())
    }

    /// SQS cannot list: they are received, and given back.
    pub(super) async fn peek_at_dead_letters(&self, max: usize) -> anyhow::Result<Vec<DeadLetter>> {
        let mut seen = HashSet::new();
        let mut letters = Vec::new();
        while letters.len() < max {
            let received = self.receive_dead_letters(max - letters.len()).await?;
            let before = letters.len();
            letters.extend(received.into_iter().filter(|it| seen.insert(it.message_id.clone())));
            // Nothing more, or those that were looked at first are visible again.
            if letters.len() == before {
                break;
            }
        }
        for ten in letters.chunks(MOST_AT_ONCE) {
            // One that cannot be given back is visible again a little later.
            join_all(ten.iter().map(|letter| self.give_back(letter))).await;
        }
        letters.sort_by_cached_key(sent_at);
        Ok(letters.into_iter().map(dead_letter).collect())
    }

    /// One by one rather than in batches, so that each is removed exactly if it was sent.
    pub(super) async fn send_dead_letters_again(&self, max: usize) -> anyhow::Result<usize> {
        let mut requeued = 0;
        while requeued < max {
            let letters = self.receive_dead_letters(max - requeued).await?;
            if letters.is_empty() {
                break;
            }
            try_join_all(letters.iter().map(|letter| self.send_again(letter))).await?;
            requeued += letters.len();
        }
        Ok(requeued)
    }

    async fn send_again(&self, letter: &Message) -> anyhow::Result<()> {
        let attributes =
            string_attribute(letter, TRACE).map(|it| [(TRACE.into(), text(&it))].into());
        self.client
            .send_message()
            .queue_url(&self.url)
            .set_message_body(letter.body.clone())
            .set_message_group_id(system_attribute(letter, SystemAttribute::MessageGroupId))
            .set_message_attributes(attributes)
            .send()
            .await
            .context("sending a dead letter again")?;
        self.client
            .delete_message()
            .queue_url(self.dead_letter_url().await?)
            .set_receipt_handle(letter.receipt_handle.clone())
            .send()
            .await
            .context("removing a dead letter that was sent again")?;
        Ok(())
    }

    async fn receive_dead_letters(&self, max: usize) -> anyhow::Result<Vec<Message>> {
        let request = self
            .client
            .receive_message()
            .queue_url(self.dead_letter_url().await?)
            .max_number_of_messages(max.clamp(1, MOST_AT_ONCE) as i32)
            // Without a wait SQS asks only some of its servers, and misses messages.
            .wait_time_seconds(1)
            .visibility_timeout(LOOKED_AT)
            .message_system_attribute_names(SystemAttribute::SentTimestamp)
            .message_system_attribute_names(SystemAttribute::MessageGroupId)
            .message_attribute_names(REASON)
            .message_attribute_names(TRACE);
        let answer = request.send().await.context("receiving from the dead-letter queue")?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn give_back(&self, letter: &Message) -> anyhow::Result<()> {
        self.client
            .change_message_visibility()
            .queue_url(self.dead_letter_url().await?)
            .set_receipt_handle(letter.receipt_handle.clone())
            .visibility_timeout(0)
            .send()
            .await?;
        Ok(())
    }

    async fn dead_letter_url(&self) -> anyhow::Result<&str> {
        let url = self.dead_letter_url.get_or_try_init(|| self.url_of_redrive_policy()).await?;
        Ok(url)
    }

    async fn url_of_redrive_policy(&self) -> anyhow::Result<String> {
        let policy = attribute_of(&self.client, &self.url, QueueAttributeName::RedrivePolicy).await;
        let policy = policy.context("looking for the dead-letter queue")?;
        let arn = dead_letter_arn(&policy)?;
        let (account, name) = account_and_name(&arn).with_context(|| format!("reading {arn}"))?;
        let question =
            self.client.get_queue_url().queue_name(name).queue_owner_aws_account_id(account);
        let answer =
            question.send().await.with_context(|| format!("looking up the URL of {arn}"))?;
        answer.queue_url.with_context(|| format!("SQS knows no URL of {arn}"))
    }
}

fn dead_letter_arn(redrive_policy: &str) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RedrivePolicy {
        dead_letter_target_arn: String,
    }
    let policy: RedrivePolicy = serde_json::from_str(redrive_policy)
        .with_context(|| format!("reading the redrive policy {redrive_policy:?}"))?;
    Ok(policy.dead_letter_target_arn)
}

/// Of `arn:aws:sqs:region:account:name`.
fn account_and_name(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.rsplitn(3, ':');
    let (name, account) = (parts.next()?, parts.next()?);
    parts.next()?;
    Some((account, name))
}

fn dead_letter(message: Message) -> DeadLetter {
    let reason = string_attribute(&message, REASON);
    DeadLetter { body: message.body.unwrap_or_default(), reason }
}

fn sent_at(message: &Message) -> Option<u64> {
    system_attribute(message, SystemAttribute::SentTimestamp)?.parse().ok()
}

fn system_attribute(message: &Message, name: SystemAttribute) -> Option<String> {
    message.attributes.as_ref()?.get(&name).cloned()
}

/// SQS takes no control characters, and neither does whoever reads the reason.
fn presentable(reason: &str) -> String {
    let shown = reason.chars().take(LONGEST_REASON);
    shown.map(|c| if limits::is_allowed(c) { c } else { '\u{FFFD}' }).collect()
}
