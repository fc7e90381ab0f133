//! Threads and the posts of a forum: how they begin, and are put away.

use super::community::Community;
use super::records::{Id, Kind, MessageKind, ThreadState};

impl Community {
    /// A thread about a message, which bears its id.
    pub fn start_thread(&mut self, message: Id, name: &str) -> Id {
        let channel = self.message(message).place;
        let kind = match self.channel(channel).kind {
            Kind::Announcement => Kind::AnnouncementThread,
            _ => Kind::PublicThread,
        };
        self.insert_thread(message, kind, name, channel);
        self.write(message, self.owner, MessageKind::ThreadStarter(message), "");
        message
    }

    /// A post in a forum: a thread that begins with a message of the same id.
    pub fn start_post(&mut self, forum: Id, author: Id, name: &str, content: &str) -> Id {
        let id = self.next_id();
        self.insert_thread(id, Kind::PublicThread, name, forum);
        self.insert_message(id, id, author, MessageKind::Said, content);
        self.channel_mut(forum).last_message = Some(id);
        id
    }

    /// The bot is not invited.
    pub fn start_private_thread(&mut self, channel: Id, name: &str) -> Id {
        let id = self.next_id();
        self.insert_thread(id, Kind::PrivateThread, name, channel);
        id
    }

    fn insert_thread(&mut self, id: Id, kind: Kind, name: &str, channel: Id) {
        self.insert_channel(id, kind, name, Some(channel));
        let turned_at = self.now();
        let state = ThreadState { archived: false, turned_at, joined: false };
        self.channel_mut(id).thread = Some(state);
    }

    pub fn invite_bot(&mut self, thread: Id) {
        self.thread_mut(thread).joined = true;
    }

    pub fn archive(&mut self, thread: Id) {
        self.turn(thread, true);
    }

    pub fn unarchive(&mut self, thread: Id) {
        self.turn(thread, false);
    }

    fn turn(&mut self, thread: Id, archived: bool) {
        self.next_id();
        let turned_at = self.now();
        let state = self.thread_mut(thread);
        state.archived = archived;
        state.turned_at = turned_at;
    }
}
