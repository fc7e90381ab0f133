//! What Discord sends, as far as we read it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::Snowflake;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: Snowflake,
    pub(super) username: String,
    /// What told people of one name apart; "0" since names are unique.
    pub(super) discriminator: Option<String>,
    /// What the user would rather be called.
    pub(super) global_name: Option<String>,
    pub(super) avatar: Option<String>,
    #[serde(default)]
    pub(super) bot: bool,
    #[serde(default)]
    pub(super) system: bool,
}

/// What a bot belongs to.
#[derive(Debug, Deserialize)]
pub(super) struct Application {
    #[serde(default)]
    pub(super) flags: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Guild {
    pub(super) owner_id: Snowflake,
    pub(super) roles: Vec<Role>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Role {
    pub(super) id: Snowflake,
    #[serde(deserialize_with = "bits")]
    pub(super) permissions: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct GuildMember {
    pub(super) user: User,
    pub(super) nick: Option<String>,
    pub(super) roles: Vec<Snowflake>,
    /// Guests have none.
    pub(super) joined_at: Option<DateTime<Utc>>,
}

/// A channel of a guild, or a thread.
#[derive(Debug, Deserialize)]
pub(super) struct ListedChannel {
    pub(super) id: Snowflake,
    #[serde(rename = "type")]
    pub(super) kind: u8,
    pub(super) name: String,
    /// A channel's category, or a thread's channel.
    pub(super) parent_id: Option<Snowflake>,
    /// The last that was written, whether it is still there or not; a forum's last post.
    pub(super) last_message_id: Option<Snowflake>,
    #[serde(default)]
    pub(super) permission_overwrites: Vec<Overwrite>,
    /// Of threads only.
    pub(super) thread_metadata: Option<ThreadMetadata>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Overwrite {
    /// Of a role or of a member.
    pub(super) id: Snowflake,
    #[serde(deserialize_with = "bits")]
    pub(super) allow: u64,
    #[serde(deserialize_with = "bits")]
    pub(super) deny: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ThreadMetadata {
    /// When it was last archived, or opened again.
    pub(super) archive_timestamp: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ThreadList {
    pub(super) threads: Vec<ListedChannel>,
    /// Of archived threads only: the others come all at once.
    #[serde(default)]
    pub(super) has_more: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: Snowflake,
    #[serde(rename = "type")]
    pub(super) kind: u8,
    pub(super) author: User,
    pub(super) content: String,
    pub(super) timestamp: DateTime<Utc>,
    #[serde(default)]
    pub(super) mentions: Vec<User>,
    #[serde(default)]
    pub(super) attachments: Vec<Attachment>,
    #[serde(default)]
    pub(super) reactions: Vec<Reaction>,
    pub(super) message_reference: Option<MessageReference>,
    /// Written by a program under some name.
    pub(super) webhook_id: Option<Snowflake>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MessageReference {
    pub(super) message_id: Option<Snowflake>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub(super) id: Snowflake,
    pub(super) filename: String,
    pub(super) content_type: Option<String>,
    pub(super) size: u64,
    pub(super) url: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reaction {
    pub(super) count: u64,
    pub(super) emoji: Emoji,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Emoji {
    /// None for those of Unicode.
    pub(super) id: Option<Snowflake>,
    pub(super) name: Option<String>,
}

/// Permissions are bits, written as text.
fn bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    // Bits above the 64th would be of permissions that we do not know.
    let bits = text.parse::<u128>().map_err(serde::de::Error::custom)?;
    Ok(bits as u64)
}

impl ListedChannel {
    /// The last message of a thread. A forum's post may have none but that which it began with,
    /// whose id is its own.
    pub(super) fn newest(&self) -> Snowflake {
        self.last_message_id.map_or(self.id, |last| last.max(self.id))
    }
}
