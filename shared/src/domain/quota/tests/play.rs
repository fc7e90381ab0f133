//! A play for books: tenants with work, a platform that counts, a clock that jumps from one thing
//! that happens to the next. The seed decides everything.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::super::{Answer, Ask, Book, Settled, SliceId, Terms};
use crate::domain::{RunMode, TenantId};

pub(super) const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Someone with requests to send.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) tenant: TenantId,
    pub(super) mode: RunMode,
    pub(super) backlog: u64,
    /// Requests in flight at the most.
    pub(super) concurrency: u64,
    pub(super) begins: DateTime<Utc>,
    /// When its last request was answered.
    pub(super) ended: Option<DateTime<Utc>>,
    /// The longest that a request was wanted and not sent.
    pub(super) longest_wait: TimeDelta,
    wants_since: Option<DateTime<Utc>>,
    told_to_wait: DateTime<Utc>,
    size: u64,
    slices: Vec<Held>,
    in_flight: u64,
    dead: bool,
}

#[derive(Clone, Debug)]
struct Held {
    id: SliceId,
    left: u64,
    spent: u64,
    in_flight: u64,
    ends: DateTime<Utc>,
    answered: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wakes(usize),
    Answered(usize, u64),
    Dies(usize),
}

pub(super) struct Play {
    pub(super) book: Book,
    pub(super) terms: Terms,
    pub(super) actors: Vec<Actor>,
    /// When the platform counted a request.
    pub(super) counted: Vec<DateTime<Utc>>,
    /// How often a book was written.
    pub(super) asked: usize,
    pub(super) now: DateTime<Utc>,
    /// Longest time to an answer.
    pub(super) latency: Duration,
    events: BinaryHeap<Reverse<(DateTime<Utc>, u64, Event)>>,
    rng: StdRng,
    number: u64,
}

impl Actor {
    pub(super) fn with(tenant: u128, mode: RunMode, backlog: u64) -> Self {
        Self {
            tenant: TenantId(Uuid::from_u128(tenant)),
            mode,
            backlog,
            concurrency: 4,
            begins: START,
            ended: None,
            longest_wait: TimeDelta::zero(),
            wants_since: None,
            told_to_wait: START,
            size: 1,
            slices: Vec::new(),
            in_flight: 0,
            dead: false,
        }
    }

    pub(super) fn from(self, begins: Duration) -> Self {
        Self { begins: START + begins, ..self }
    }

    /// So many requests at a time.
    pub(super) fn sending(self, concurrency: u64) -> Self {
        Self { concurrency, ..self }
    }

    pub(super) fn took(&self) -> TimeDelta {
        self.ended.expect("it has ended") - self.begins
    }
}

impl Play {
    pub(super) fn of(terms: Terms, seed: u64, actors: Vec<Actor>) -> Self {
        let mut play = Self {
            book: Book::default(),
            terms,
            actors: Vec::new(),
            counted: Vec::new(),
            asked: 0,
            now: START,
            latency: Duration::from_millis(300),
            events: BinaryHeap::new(),
            rng: StdRng::seed_from_u64(seed),
            number: 0,
        };
        for actor in actors {
            play.happens(actor.begins, Event::Wakes(play.actors.len()));
            play.actors.push(actor);
        }
        play
    }

    pub(super) fn dies(&mut self, actor: usize, after: Duration) {
        self.happens(START + after, Event::Dies(actor));
    }

    /// Until nothing happens any more, or until then.
    pub(super) fn until(&mut self, end: DateTime<Utc>) {
        while let Some(Reverse((at, number, event))) = self.events.pop() {
            if at > end {
                self.events.push(Reverse((at, number, event)));
                self.now = end;
                return;
            }
            self.now = at;
            match event {
                Event::Wakes(actor) => self.act(actor),
                Event::Answered(actor, slice) => self.answered(actor, slice),
                Event::Dies(actor) => self.actors[actor].dead = true,
            }
            self.book_outlives_being_stored();
        }
    }

    pub(super) fn play_out(&mut self) {
        self.until(DateTime::<Utc>::MAX_UTC);
    }

    /// The most that was counted in any interval as long as a window.
    pub(super) fn most_in_a_window(&mut self) -> usize {
        self.counted.sort_unstable();
        let window = TimeDelta::from_std(self.terms.per).unwrap();
        let counted = &self.counted;
        let mut first = 0;
        let within = counted.iter().enumerate().map(|(last, at)| {
            while counted[first] <= *at - window {
                first += 1;
            }
            last - first + 1
        });
        within.max().unwrap_or(0)
    }

    pub(super) fn counted_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> usize {
        self.counted.iter().filter(|at| (from..to).contains(at)).count()
    }

    fn happens(&mut self, at: DateTime<Utc>, event: Event) {
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    fn act(&mut self, index: usize) {
        loop {
            let actor = &mut self.actors[index];
            if actor.dead || actor.backlog == 0 || actor.in_flight >= actor.concurrency {
                return;
            }
            let since = *actor.wants_since.get_or_insert(self.now);
            let now = self.now;
            if let Some(slice) = actor.slices.iter_mut().find(|s| s.left > 0 && s.ends > now) {
                slice.left -= 1;
                slice.spent += 1;
                slice.in_flight += 1;
                let id = slice.id.0;
                actor.longest_wait = actor.longest_wait.max(now - since);
                actor.wants_since = None;
                actor.backlog -= 1;
                actor.in_flight += 1;
                self.send(index, id);
                continue;
            }
            if now < actor.told_to_wait {
                return;
            }
            match self.ask(index) {
                Answer::Leased { units, life } => {
                    let slice = SliceId(self.number);
                    self.actors[index].slices.push(Held {
                        id: slice,
                        left: units,
                        spent: 0,
                        in_flight: 0,
                        ends: now + life,
                        answered: now,
                    });
                }
                Answer::Wait { until } => {
                    assert!(until > now, "no hot loop");
                    let late = if until - now > TimeDelta::seconds(5) {
                        Duration::from_millis(self.rng.random_range(0..1500))
                    } else {
                        Duration::ZERO
                    };
                    self.actors[index].told_to_wait = until + late;
                    return self.happens(until + late, Event::Wakes(index));
                }
            }
        }
    }

    fn send(&mut self, index: usize, slice: u64) {
        let takes = self.latency.mul_f64(self.rng.random_range(0.1..1.0));
        let arrives = takes.mul_f64(self.rng.random_range(0.0..1.0));
        self.counted.push(self.now + arrives);
        self.happens(self.now + takes, Event::Answered(index, slice));
    }

    fn answered(&mut self, index: usize, slice: u64) {
        let now = self.now;
        let actor = &mut self.actors[index];
        actor.in_flight -= 1;
        let slice = actor.slices.iter_mut().find(|held| held.id.0 == slice).unwrap();
        slice.in_flight -= 1;
        slice.answered = now;
        if actor.backlog == 0 && actor.in_flight == 0 {
            actor.ended = Some(now);
        }
        self.settle(index, self.actors[index].ended.is_some());
        self.act(index);
    }

    /// As the ledger does: settles what is over, and wants twice as much as was used up at once.
    fn ask(&mut self, index: usize) -> Answer {
        self.settle(index, false);
        self.number += 1;
        self.asked += 1;
        let actor = &self.actors[index];
        let ask = Ask {
            slice: SliceId(self.number),
            tenant: actor.tenant,
            mode: actor.mode,
            least: 1,
            wanted: actor.size.min(actor.backlog),
        };
        self.book.ask(&self.terms, &ask, self.now)
    }

    fn settle(&mut self, index: usize, all: bool) {
        let (now, actor) = (self.now, &mut self.actors[index]);
        let over = |held: &Held| held.in_flight == 0 && (all || held.left == 0 || held.ends <= now);
        for held in actor.slices.extract_if(.., |held| over(held)) {
            actor.size = if held.left == 0 { held.spent * 2 } else { held.spent.max(1) };
            let settled = Settled { slice: held.id, spent: held.spent, at: held.answered };
            self.book.settle(&self.terms, &settled, now);
        }
    }

    fn book_outlives_being_stored(&mut self) {
        if !self.number.is_multiple_of(64) {
            return;
        }
        let stored = serde_json::to_value(&self.book).unwrap();
        self.book = serde_json::from_value(stored).unwrap();
    }
}
