//! Making the queues: for emulators, tests and whoever has no other tool for it.

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

use super::{attribute_of, seconds};
use crate::queue::{QueueError, Redelivery};

/// Dead letters are kept as long as SQS keeps anything: 14 days, in seconds.
const LONGEST_RETENTION: &str = "1209600";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    pub queue_url: String,
    pub dead_letter_queue_url: String,
}

/// Makes the queue `name` and its dead-letter queue `name-dead-letters`, or brings those that exist
/// in line with `redelivery`; their messages stay.
pub async fn create_queues(
    client: &Client,
    name: &str,
    redelivery: Redelivery,
) -> Result<QueueUrls, QueueError> {
    let dead_letter_queue_url = create(client, &format!("{name}-dead-letters")).await?;
    let retention =
        HashMap::from([(QueueAttributeName::MessageRetentionPeriod, LONGEST_RETENTION.to_owned())]);
    set_attributes(client, &dead_letter_queue_url, retention).await?;

    let dead_letter_arn =
        attribute_of(client, &dead_letter_queue_url, QueueAttributeName::QueueArn).await?;
    let redrive =
        json!({"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": redelivery.max_receives});
    let queue_url = create(client, name).await?;
    let attributes = HashMap::from([
        (QueueAttributeName::VisibilityTimeout, seconds(redelivery.visibility).to_string()),
        (QueueAttributeName::RedrivePolicy, redrive.to_string()),
    ]);
    set_attributes(client, &queue_url, attributes).await?;
    Ok(QueueUrls { queue_url, dead_letter_queue_url })
}

/// Without attributes, since SQS refuses to create a queue that exists with others.
async fn create(client: &Client, name: &str) -> anyhow::Result<String> {
    let answer = client.create_queue().queue_name(name).send().await;
    let url = answer.with_context(|| format!("creating the queue {name}"))?.queue_url;
    url.with_context(|| format!("SQS told no URL of the queue {name}"))
}

async fn set_attributes(
    client: &Client,
    queue_url: &str,
    attributes: HashMap<QueueAttributeName, String>,
) -> anyhow::Result<()> {
    let request = client.set_queue_attributes().queue_url(queue_url);
    let answer = request.set_attributes(Some(attributes)).send().await;
    answer.with_context(|| format!("setting the attributes of {queue_url}"))?;
    Ok(())
}
