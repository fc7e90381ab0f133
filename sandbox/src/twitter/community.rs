//! People on the simulated X, and everything they can do there.
//!
//! A scenario holds the community and acts in it: somebody posts, edits, follows, leaves, is
//! suspended, takes another name. Acting on something that is not there is a mistake in the
//! scenario, and panics.
//!
//! Time is the community's own, and the platform's: the recent search, access tokens and rate
//! limits all go by it. Every act takes a second of it, so the same acts make the same community.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::records::{Follow, Post, PostId, Standing, User, UserId};

/// When a community begins that is not told otherwise.
const FOUNDED_AT: &str = "2024-04-25T12:00:00Z";

/// How long a post is known before lists show it.
pub const INDEXING: TimeDelta = TimeDelta::seconds(10);

#[derive(Clone, Debug, PartialEq)]
pub struct Community {
    now: DateTime<Utc>,
    last_number: u64,
    pub(super) users: BTreeMap<UserId, User>,
    /// By the id that is shown.
    pub(super) posts: BTreeMap<PostId, Post>,
    /// The latest last.
    pub(super) follows: Vec<Follow>,
}

impl Community {
    pub fn empty() -> Self {
        Self::founded_at(FOUNDED_AT.parse().expect("the constant is an instant"))
    }

    pub fn founded_at(now: DateTime<Utc>) -> Self {
        Self {
            now,
            last_number: 1_000_000,
            users: BTreeMap::new(),
            posts: BTreeMap::new(),
            follows: Vec::new(),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets time pass until `now`. It never runs backwards.
    pub fn turn_to(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    pub fn pass(&mut self, time: TimeDelta) {
        self.turn_to(self.now + time);
    }

    pub fn add_user(&mut self, username: &str, name: &str) -> UserId {
        let id = UserId(self.act());
        let user = User {
            id,
            username: username.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            location: None,
            followers_count: 0,
            standing: Standing::Active,
        };
        self.users.insert(id, user);
        id
    }

    pub fn post(&mut self, author: UserId, text: &str) -> PostId {
        self.act();
        let id = self.free_post_id();
        let post = Post {
            id,
            versions: vec![id],
            author,
            text: text.to_owned(),
            created_at: self.now,
            listed_at: self.now + INDEXING,
            photo: false,
        };
        self.posts.insert(id, post);
        id
    }

    /// The old id leads nowhere any more; the new one says which it was.
    pub fn edit_post(&mut self, id: PostId, text: &str) -> PostId {
        let mut post = self.posts.remove(&id).expect("the post to edit exists");
        self.act();
        post.id = self.free_post_id();
        post.versions.push(post.id);
        post.text = text.to_owned();
        post.created_at = self.now;
        post.listed_at = self.now + INDEXING;
        let id = post.id;
        self.posts.insert(id, post);
        id
    }

    pub fn delete_post(&mut self, id: PostId) {
        self.act();
        self.posts.remove(&id).expect("the post to delete exists");
    }

    /// Nobody follows twice.
    pub fn follow(&mut self, follower: UserId, followed: UserId) {
        let number = self.act();
        self.follows.retain(|it| (it.follower, it.followed) != (follower, followed));
        self.follows.push(Follow { follower, followed, number });
        self.user_mut(followed).followers_count += 1;
    }

    pub fn unfollow(&mut self, follower: UserId, followed: UserId) {
        self.act();
        self.follows.retain(|it| (it.follower, it.followed) != (follower, followed));
        let user = self.user_mut(followed);
        user.followers_count = user.followers_count.saturating_sub(1);
    }

    pub fn rename_user(&mut self, id: UserId, username: &str) {
        self.act();
        self.user_mut(id).username = username.to_owned();
    }

    pub fn set_standing(&mut self, id: UserId, standing: Standing) {
        self.act();
        self.user_mut(id).standing = standing;
    }

    pub fn user_mut(&mut self, id: UserId) -> &mut User {
        self.users.get_mut(&id).expect("the user exists")
    }

    pub fn post_mut(&mut self, id: PostId) -> &mut Post {
        self.posts.get_mut(&id).expect("the post exists")
    }

    fn act(&mut self) -> u64 {
        self.now += TimeDelta::seconds(1);
        self.last_number += 1;
        self.last_number
    }

    fn free_post_id(&self) -> PostId {
        let mut id = PostId::at(self.now);
        while self.posts.contains_key(&id) {
            id.0 += 1;
        }
        id
    }
}
