//! The people of a guild, and its bots: how they come, go, and are given roles.

use std::collections::BTreeSet;

use super::community::{ADMINISTRATOR, Community, MANAGE_THREADS};
use super::records::{Id, Membership, User};

impl Community {
    pub fn add_user(&mut self, username: &str) -> Id {
        let id = self.next_id();
        let user = User {
            id,
            username: username.to_owned(),
            discriminator: "0".to_owned(),
            global_name: None,
            avatar: None,
            bot: false,
        };
        self.users.insert(id, user);
        id
    }

    pub fn add_bot(&mut self, username: &str) -> Id {
        let id = self.add_user(username);
        let bot = self.user_mut(id);
        bot.bot = true;
        bot.discriminator = "4242".to_owned();
        id
    }

    /// The account goes; what was written stays, under a name that many bear.
    pub fn delete_user(&mut self, id: Id) {
        self.members.remove(&id);
        let number = format!("{:04}", id.0 % 10_000);
        let user = self.user_mut(id);
        user.username = "Deleted User".to_owned();
        user.discriminator = number;
        user.global_name = None;
        user.avatar = None;
    }

    pub fn join(&mut self, user: Id) {
        self.next_id();
        let membership = Membership { joined_at: self.now(), nick: None, roles: BTreeSet::new() };
        self.members.insert(user, membership);
    }

    pub fn leave(&mut self, user: Id) {
        self.members.remove(&user).expect("who leaves is a member");
    }

    /// Gives a new role to one member.
    pub fn grant(&mut self, user: Id, permissions: u64) -> Id {
        let role = self.next_id();
        self.permissions.insert(role, permissions);
        self.members.get_mut(&user).expect("the member exists").roles.insert(role);
        role
    }

    pub fn let_bot_manage_threads(&mut self) {
        self.grant(self.bot, MANAGE_THREADS);
    }

    pub fn make_bot_administrator(&mut self) {
        self.grant(self.bot, ADMINISTRATOR);
    }
}
