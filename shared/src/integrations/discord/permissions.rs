//! What the bot may do in a channel, computed from what the guild says of roles and overwrites, by
//! the rules that Discord publishes.
//!
//! Asking instead would be the way to find out by mistake: a channel whose history is closed answers
//! with an empty list, and refusals count against our address.

use super::Snowflake;
use super::payloads::{Guild, GuildMember, ListedChannel, Overwrite};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permissions(u64);

const ALL: Permissions = Permissions(u64::MAX);
const ADMINISTRATOR: Permissions = Permissions(1 << 3);
pub(super) const VIEW_CHANNEL: Permissions = Permissions(1 << 10);
pub(super) const READ_MESSAGE_HISTORY: Permissions = Permissions(1 << 16);
/// Without it nobody reads what is written beside a voice channel.
pub(super) const CONNECT: Permissions = Permissions(1 << 20);
pub(super) const MANAGE_THREADS: Permissions = Permissions(1 << 34);

impl Permissions {
    /// Of a member, by its roles.
    pub(super) fn in_guild(id: Snowflake, guild: &Guild, member: &GuildMember) -> Self {
        if guild.owner_id == member.user.id {
            return ALL;
        }
        // The role that everybody has bears the guild's own id.
        let has = |role: Snowflake| role == id || member.roles.contains(&role);
        let roles = guild.roles.iter().filter(|role| has(role.id));
        let granted = Self(roles.fold(0, |bits, role| bits | role.permissions));
        if granted.include(ADMINISTRATOR) { ALL } else { granted }
    }

    /// Of the same member in one of the guild's channels. The narrower rule wins: everybody's, then
    /// those of the roles together, then the member's own.
    pub(super) fn in_channel(
        self,
        guild: Snowflake,
        channel: &ListedChannel,
        member: &GuildMember,
    ) -> Self {
        if self == ALL {
            return ALL;
        }
        let overwrites = &channel.permission_overwrites;
        let of = |wanted: &dyn Fn(Snowflake) -> bool| combined(overwrites, wanted);
        self.overwritten(of(&|id| id == guild))
            .overwritten(of(&|id| id != guild && member.roles.contains(&id)))
            .overwritten(of(&|id| id == member.user.id))
    }

    pub(super) fn include(self, permission: Self) -> bool {
        self.0 & permission.0 == permission.0
    }

    fn overwritten(self, (allow, deny): (u64, u64)) -> Self {
        Self(self.0 & !deny | allow)
    }
}

fn combined(overwrites: &[Overwrite], wanted: &dyn Fn(Snowflake) -> bool) -> (u64, u64) {
    let overwrites = overwrites.iter().filter(|overwrite| wanted(overwrite.id));
    overwrites.fold((0, 0), |(allow, deny), it| (allow | it.allow, deny | it.deny))
}
