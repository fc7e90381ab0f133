//! What a tenant enters: which guild.

use serde::Deserialize;

use super::Snowflake;

/// Entered as `{"guild_id": "81384788765712384"}`. The channels are chosen as external sync units.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    guild_id: GuildId,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
struct GuildId(Snowflake);

impl Settings {
    pub(super) fn guild(&self) -> Snowflake {
        self.guild_id.0
    }
}

/// Discord shows the id only to developers; what people have at hand is the address of a channel:
/// `https://discord.com/channels/81384788765712384/381887113391505410`.
impl TryFrom<String> for GuildId {
    type Error = String;

    fn try_from(entered: String) -> Result<Self, String> {
        let text = entered.trim();
        let id = match text.split_once("/channels/") {
            Some((_, path)) => path.split('/').next().unwrap_or_default(),
            None => text,
        };
        let all_digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let guild = id.parse().ok().filter(|_| all_digits);
        guild.map(Self).ok_or_else(|| {
            format!(
                "{entered:?} is no id of a guild (a Discord server), such as \"81384788765712384\""
            )
        })
    }
}
