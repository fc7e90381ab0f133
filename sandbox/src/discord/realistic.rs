//! A guild as one finds it: a busy channel or two, quiet ones, a help forum, an archive of threads,
//! a private channel, bots, and people who have left.
//!
//! The seed decides everything.

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::community::Community;
use super::records::{Id, Kind, MessageKind};

const CHANNELS: &[(&str, Kind)] = &[
    ("announcements", Kind::Announcement),
    ("general", Kind::Text),
    ("rust", Kind::Text),
    ("off-topic", Kind::Text),
    ("introductions", Kind::Text),
    ("Lounge", Kind::Voice),
];

const SENTENCES: &[&str] = &[
    "Does anybody know why the wheel stops at night?",
    "It works on my machine 🔥",
    "Vec<String> is fine & fast enough, I'd say: a < b",
    "Dziękuję! To pomogło.",
    "水車が回らない…",
    "```rust\nfn main() {}\n```",
    "Same here since the last release.",
    "Have you tried turning the river off and on again?",
    "شكرا جزيلا",
    "+1",
];

const NAMES: &[&str] = &["ada", "bjorn", "chidi", "dinh", "elif", "farid", "grace", "hana", "ivo"];

impl Community {
    /// A guild with so many people and, in channels and threads together, about so many messages.
    pub fn realistic(seed: u64, people: usize, messages: usize) -> Self {
        let mut growth = Growth {
            rng: StdRng::seed_from_u64(seed),
            community: Self::empty(),
            people: Vec::new(),
            written: 0,
        };
        growth.invite(people.max(3));
        growth.fill_channels(messages * 3 / 5);
        growth.fill_forum(messages / 5);
        growth.fill_threads(messages / 5);
        growth.let_some_go();
        growth.community
    }
}

struct Growth {
    rng: StdRng,
    community: Community,
    people: Vec<Id>,
    written: usize,
}

impl Growth {
    fn invite(&mut self, people: usize) {
        for number in 0..people {
            let name = self.one_of(NAMES);
            let user = self.community.add_user(&format!("{name}{number}"));
            let account = self.community.user_mut(user);
            account.global_name = (number % 3 == 0).then(|| name.to_uppercase());
            account.avatar = (number % 4 == 0).then(|| format!("a{number:031x}"));
            self.community.join(user);
            self.people.push(user);
        }
        let helper = self.community.add_bot("helper");
        self.community.join(helper);
        self.people.push(helper);
    }

    /// The second is the busiest.
    fn fill_channels(&mut self, messages: usize) {
        self.community.add_channel(Kind::Category, "Community");
        for (index, (name, kind)) in CHANNELS.iter().enumerate() {
            let channel = self.community.add_channel(*kind, name);
            let share = if index == 1 { messages / 2 } else { messages / 10 };
            self.talk(channel, share);
        }
        let private = self.community.add_channel(Kind::Text, "moderators");
        self.talk(private, 5);
        self.community.hide(private);
        self.community.add_channel(Kind::Text, "empty");
    }

    /// Most posts are archived.
    fn fill_forum(&mut self, messages: usize) {
        let forum = self.community.add_channel(Kind::Forum, "help");
        for number in 0..messages.div_ceil(12) {
            let author = self.somebody();
            let content = self.sentence();
            let name = format!("Question {number}");
            let post = self.community.start_post(forum, author, &name, &content);
            self.talk(post, 11);
            self.archive_mostly(post);
        }
    }

    /// Each about a message of some text channel.
    fn fill_threads(&mut self, messages: usize) {
        let text: Vec<_> = self.community.channels().filter(|it| it.kind == Kind::Text).collect();
        let busy = text.iter().filter(|it| !it.messages.is_empty() && it.name != "moderators");
        let busy: Vec<_> = busy.map(|it| it.id).collect();
        for number in 0..messages.div_ceil(15) {
            let Some(&channel) = busy.choose(&mut self.rng) else { return };
            let author = self.somebody();
            let begun = self.community.post(channel, author, "Let us take this to a thread.");
            let thread = self.community.start_thread(begun, &format!("Thread {number}"));
            self.talk(thread, 14);
            self.archive_mostly(thread);
        }
    }

    fn archive_mostly(&mut self, thread: Id) {
        if self.rng.random_bool(0.8) {
            self.community.pass(TimeDelta::days(1));
            self.community.archive(thread);
        }
    }

    /// A third answers somebody; now and then something is mentioned, shown or applauded.
    fn talk(&mut self, place: Id, messages: usize) {
        let mut said: Vec<Id> = Vec::new();
        for _ in 0..messages {
            self.community.pass(TimeDelta::seconds(self.rng.random_range(5..900)));
            let (author, content) = (self.somebody(), self.sentence());
            let id = match said.choose(&mut self.rng) {
                Some(&to) if self.rng.random_bool(0.33) => {
                    self.community.reply(to, author, &content)
                }
                _ => self.community.post(place, author, &content),
            };
            said.push(id);
            self.decorate(id);
        }
        if self.rng.random_bool(0.3) {
            let somebody = self.somebody();
            self.community.write(place, somebody, MessageKind::Welcome, "");
        }
    }

    fn decorate(&mut self, message: Id) {
        let mentioned = self.somebody();
        let (has_attachment, reactions) =
            (self.rng.random_bool(0.05), self.rng.random_range(0..4) / 3);
        let mentions = self.rng.random_bool(0.1);
        let message = self.community.message_mut(message);
        message.has_attachment = has_attachment;
        message.reactions = reactions;
        if mentions {
            message.content = format!("<@{mentioned}> {}", message.content);
            message.mentions.push(mentioned);
        }
    }

    /// One in twenty has deleted the account, another has left.
    fn let_some_go(&mut self) {
        for pair in self.people.chunks(20).map(<[Id]>::to_vec) {
            if let [deleted, left, _, ..] = pair.as_slice() {
                self.community.delete_user(*deleted);
                self.community.leave(*left);
            }
        }
    }

    fn somebody(&mut self) -> Id {
        *self.people.choose(&mut self.rng).expect("people were invited")
    }

    /// The number makes it unlike every other.
    fn sentence(&mut self) -> String {
        self.written += 1;
        format!("{} #{}", self.one_of(SENTENCES), self.written)
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words.choose(&mut self.rng).expect("the vocabulary has no empty list")
    }
}
