//! A workspace as one finds it: a few channels, much talk, every fifth message answered, most
//! answers soon and some after months.
//!
//! The seed decides everything.

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::records::{ChannelId, MessageId, UserId};
use super::words::{CHANNELS, PEOPLE, REACTIONS, SENTENCES, TITLES};
use super::workspace::Workspace;

/// How long people have been talking when we find them.
const SPAN: TimeDelta = TimeDelta::days(300);

impl Workspace {
    /// With about so many messages in five channels, one of them private, and some more that the
    /// app was not invited to. There are bots, people who have gone, edits, deletions, topics, and
    /// a stranger from another workspace.
    pub fn realistic(seed: u64, messages: usize) -> Self {
        let mut talk = Talk::begin(seed, messages);
        for _ in 0..messages {
            talk.happen();
        }
        talk.grow_old();
        talk.workspace
    }
}

struct Talk {
    rng: StdRng,
    workspace: Workspace,
    people: Vec<UserId>,
    bot: UserId,
    channels: Vec<ChannelId>,
    /// First messages, the latest last.
    roots: Vec<MessageId>,
    step: TimeDelta,
}

impl Talk {
    fn begin(seed: u64, messages: usize) -> Self {
        let mut workspace = Workspace::empty();
        let bot = workspace.add_bot("deploys");
        let step = SPAN / i32::try_from(messages.max(1)).unwrap_or(i32::MAX);
        let rng = StdRng::seed_from_u64(seed);
        let (people, channels, roots) = (Vec::new(), Vec::new(), Vec::new());
        let mut talk = Self { rng, workspace, people, bot, channels, roots, step };
        talk.open_channels();
        for number in 0..PEOPLE.len().max(messages / 40) {
            talk.arrive(number);
        }
        let stranger = talk.workspace.add_stranger("guest", "A Guest");
        talk.people.push(stranger);
        talk
    }

    fn open_channels(&mut self) {
        for (name, purpose) in CHANNELS {
            let id = self.workspace.add_channel(name);
            (*purpose).clone_into(&mut self.workspace.channel_mut(&id).purpose);
            self.channels.push(id);
        }
        let plugins = self.channels.last().expect("there are five").clone();
        self.workspace.channel_mut(&plugins).is_private = true;
        for (name, is_private) in [("sales", false), ("board", true)] {
            let closed = self.workspace.add_channel(name);
            let closed = self.workspace.channel_mut(&closed);
            (closed.has_app, closed.is_private) = (false, is_private);
        }
    }

    fn arrive(&mut self, number: usize) {
        let (name, real_name) = PEOPLE[number % PEOPLE.len()];
        let name = match number / PEOPLE.len() {
            0 => name.to_owned(),
            again => format!("{name}{}", again + 1),
        };
        let id = self.workspace.add_user(&name, real_name);
        let title = *TITLES.choose(&mut self.rng).expect("titles");
        title.clone_into(&mut self.workspace.user_mut(&id).title);
        self.people.push(id.clone());
        let joined = self.rng.random_range(1..=self.channels.len());
        for channel in &self.channels[..joined] {
            self.workspace.join(channel, &id);
        }
    }

    fn happen(&mut self) {
        self.workspace.turn_to(self.workspace.now() + self.step);
        let user = self.person();
        let text = self.sentence();
        match self.rng.random_range(0..100) {
            0..=1 => self.say_by_bot(&text),
            2..=60 if !self.roots.is_empty() => self.answer(&user, &text),
            61 => drop(self.workspace.post_everywhere(&self.channels[..2], &user, &text)),
            62 => drop(self.workspace.set_topic(&self.channels[1], &user, &text)),
            _ => {
                let channel = self.channel();
                let root = self.workspace.post(&channel, &user, &text);
                self.roots.push(root);
            }
        }
    }

    fn say_by_bot(&mut self, text: &str) {
        let channel = self.channel();
        let root = match self.rng.random_bool(0.5) {
            true => self.workspace.post_by_app(&channel, &self.bot, text),
            false => self.workspace.post_by_webhook(&channel, text),
        };
        self.roots.push(root);
    }

    /// Mostly one of the last few, so that threads grow; seldom an old one.
    fn answer(&mut self, user: &UserId, text: &str) {
        let reach = if self.rng.random_bool(0.05) { self.roots.len() } else { 4 };
        let ago = self.rng.random_range(0..reach.min(self.roots.len()));
        let root = self.roots[self.roots.len() - 1 - ago].clone();
        let reply = match self.rng.random_range(0..20) {
            0 => self.workspace.broadcast(&root, user, text),
            _ => self.workspace.reply(&root, user, text),
        };
        if self.rng.random_bool(0.1) {
            let name = REACTIONS.choose(&mut self.rng).expect("reactions");
            self.workspace.react(&reply, user, name);
        }
    }

    /// Some messages are edited or deleted since, and somebody has gone. Then all are silent for an
    /// hour.
    fn grow_old(&mut self) {
        for root in self.roots.clone() {
            match self.rng.random_range(0..50) {
                0 => self.workspace.edit(&root, "edited: never mind"),
                1 => self.workspace.delete(&root),
                _ => {}
            }
        }
        let gone = self.people[1].clone();
        self.workspace.user_mut(&gone).deleted = true;
        self.workspace.turn_to(self.workspace.now() + TimeDelta::hours(1));
    }

    fn person(&mut self) -> UserId {
        self.people.choose(&mut self.rng).expect("people").clone()
    }

    fn channel(&mut self) -> ChannelId {
        self.channels.choose(&mut self.rng).expect("channels").clone()
    }

    fn sentence(&mut self) -> String {
        let mentioned = format!("<@{}>", self.person());
        let sentence = SENTENCES.choose(&mut self.rng).expect("sentences");
        sentence.replace("{}", &mentioned)
    }
}
