//! A world as one finds it: two owners, repositories of unequal fame, a few who do most of the work,
//! many who pass by, bots, and some who are gone.
//!
//! The seed decides everything.

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::acts::Step;
use super::node::Id;
use super::world::World;

const NAMES: &[(&str, &str)] = &[
    ("graceokafor", "Grace Okafor"),
    ("jmunoz", "José Muñoz"),
    ("ines-goncalves", "Inês Gonçalves"),
    ("zoemw", "Zoë Müller-Weiß"),
    ("lukaszw", "Łukasz Wiśniewski"),
    ("olenashev", "Олена Шевченко"),
    ("layla-k", "ليلى الخوري"),
    ("ananya", "अनन्या शर्मा"),
    ("wsakura", "渡辺さくら"),
    ("ducng", "Nguyễn Đức"),
];

const COMPANIES: &[&str] =
    &["@brightloom", "Kestrel Data", "@kestrel-data @brightloom", "Freelance"];

const SENTENCES: &[&str] = &[
    "Thanks for looking into this! 🙌",
    "Does it hold under load? We saw `retries` climb without bound.",
    "LGTM, except for the name.",
    "Merci, c’est très clair.",
    "とても助かりました。",
    "Дякую! Саме це я шукав.",
    "Could this be two commits? The rename hides the change.",
    "I can reproduce it on main:\n\n  thread 'main' panicked",
];

const SUBJECTS: &[&str] = &[
    "Resume an interrupted crawl",
    "Panic on an empty page",
    "Document the state machine",
    "Wait for rate limits, not for luck",
    "Unicode in channel names 🦄",
    "Speed up the next-stream query",
];

impl World {
    /// One repository with a dozen people, in which some dozens of things have happened.
    pub fn village(seed: u64) -> Self {
        let mut growth = Growth::from(seed);
        growth.found_companies();
        growth.invite(12);
        let anvil = growth.world.add_repository("acme", "anvil");
        growth.live(anvil, 12);
        growth.lose_accounts();
        growth.world
    }

    /// Three repositories with some hundred people, in which a few hundred things have happened.
    pub fn realistic(seed: u64) -> Self {
        let mut growth = Growth::from(seed);
        growth.found_companies();
        growth.invite(60);
        let anvil = growth.world.add_repository("acme", "anvil");
        let rockets = growth.world.add_repository("acme", "rockets");
        // Another one of the same name.
        let other = growth.world.add_repository("brightloom", "anvil");
        for (repository, size) in [(anvil, 60), (rockets, 20), (other, 8)] {
            growth.live(repository, size);
        }
        growth.lose_accounts();
        growth.world
    }
}

struct Growth {
    rng: StdRng,
    world: World,
    people: Vec<Id>,
    bot: Option<Id>,
}

impl From<u64> for Growth {
    fn from(seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { rng, world: World::empty(), people: Vec::new(), bot: None }
    }
}

impl Growth {
    fn found_companies(&mut self) {
        self.world.add_organization("brightloom", "Brightloom");
        self.world.add_organization("kestrel-data", "Kestrel Data");
        self.bot = Some(self.world.add_bot("dependabot"));
    }

    fn invite(&mut self, count: usize) {
        for number in 0..count {
            let (login, name) = NAMES[number % NAMES.len()];
            let login = format!("{login}{}", number / NAMES.len());
            let id = self.world.add_user(&login);
            let company = self.rng.random_bool(0.5).then(|| self.one_of(COMPANIES));
            let has_name = self.rng.random_bool(0.8);
            let followers = self.rng.random_range(0..4);
            let user = self.world.node_mut(id);
            user.set("company", json!(company));
            user.set("name", if has_name { json!(name) } else { json!(null) });
            user.set("location", "Remote");
            user.set("twitterUsername", login);
            for _ in 0..followers {
                let fan = self.anybody_or(id);
                self.world.follow(id, fan);
            }
            self.people.push(id);
        }
    }

    fn live(&mut self, repository: Id, size: usize) {
        for number in 0..size {
            let now = self.world.now() + TimeDelta::hours(self.rng.random_range(1..9));
            self.world.turn_to(now);
            self.watch(repository);
            match number % 4 {
                0 | 1 => self.propose(repository),
                2 => self.ask(repository),
                _ => self.discuss(repository),
            }
        }
    }

    fn watch(&mut self, repository: Id) {
        for _ in 0..3 {
            let fan = self.anybody();
            let starred = self.world.node(repository).list("stargazers");
            let again = starred.iter().any(|star| self.world.node(*star).link("node") == Some(fan));
            if !again {
                self.world.star(repository, fan);
            }
        }
        if self.rng.random_bool(0.2) {
            let into = self.anybody();
            self.world.fork(repository, into);
        }
    }

    fn propose(&mut self, repository: Id) {
        let author = match self.bot {
            Some(bot) if self.rng.random_bool(0.15) => bot,
            _ => self.regular(),
        };
        let title = self.one_of(SUBJECTS);
        let pull = self.world.open_pull(repository, author, title);
        let (reviewer, other) = (self.regular(), self.anybody());
        self.world.label(pull, "enhancement");
        for _ in 0..self.rng.random_range(1..4) {
            let author = if self.rng.random_bool(0.9) { Ok(other) } else { Err("ci@example.com") };
            self.world.commit(pull, author, "Mend it");
        }
        self.world.step(pull, author, Step::RequestReview(reviewer));
        self.world.step(pull, reviewer, Step::Assign(author));
        let thread_body = self.one_of(SENTENCES);
        let thread = self.world.start_thread(pull, reviewer, thread_body);
        for _ in 0..self.rng.random_range(0..4) {
            let (who, body) = (self.anybody(), self.one_of(SENTENCES));
            self.world.comment(pull, who, body);
            let (who, body) = (self.regular(), self.one_of(SENTENCES));
            self.world.reply_in_thread(thread, who, body);
        }
        self.world.review(pull, reviewer, "Fine by me.");
        if self.rng.random_bool(0.7) {
            self.world.step(pull, reviewer, Step::Merge);
            self.world.step(pull, reviewer, Step::Close);
        }
    }

    fn ask(&mut self, repository: Id) {
        let (who, title) = (self.anybody(), self.one_of(SUBJECTS));
        let issue = self.world.open_issue(repository, who, title);
        for _ in 0..self.rng.random_range(0..7) {
            let (who, body) = (self.anybody(), self.one_of(SENTENCES));
            self.world.comment(issue, who, body);
        }
        if self.rng.random_bool(0.6) {
            let who = self.regular();
            self.world.step(issue, who, Step::Close);
        }
    }

    fn discuss(&mut self, repository: Id) {
        let (who, title) = (self.anybody(), self.one_of(SUBJECTS));
        let discussion = self.world.start_discussion(repository, who, title);
        for _ in 0..self.rng.random_range(0..4) {
            let (who, body) = (self.regular(), self.one_of(SENTENCES));
            let comment = self.world.answer(discussion, who, body);
            let (who, body) = (self.anybody(), self.one_of(SENTENCES));
            self.world.reply(comment, who, body);
            if self.rng.random_bool(0.2) {
                self.world.choose_answer(comment);
            }
        }
    }

    /// Two who did something, and are nobody now.
    fn lose_accounts(&mut self) {
        for _ in 0..2 {
            let gone = self.people.swap_remove(1);
            self.world.delete_account(gone);
        }
    }

    /// One of the few who do most.
    fn regular(&mut self) -> Id {
        self.people[self.rng.random_range(0..6)]
    }

    fn anybody(&mut self) -> Id {
        self.people[self.rng.random_range(0..self.people.len())]
    }

    fn anybody_or(&mut self, id: Id) -> Id {
        if self.people.is_empty() { id } else { self.anybody() }
    }

    fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.rng.random_range(0..texts.len())]
    }
}
