//! The platform: forums whose posts are written, edited and replied to, and what is true of them at
//! any time.
//!
//! A board lists its posts by their last activity, newest first, as most platforms do. A post that
//! is edited or replied to moves to the front, so a check that reads until it meets what it has seen
//! misses nothing, and one that forgets where it was, or says it was further than it was, does.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use shared::clock::Clock;
use shared::sdk::{Result, SyncError};

/// Posts on a page.
const PAGE: usize = 2;

/// How the platform fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A 500, a socket that closed, JSON that ends in the middle.
    Broken,
    /// A 429, with how long to wait in seconds.
    Limited(u64),
    /// A 401.
    Unauthorized,
    /// A 404.
    Gone,
    /// It answers, and the integration has a bug.
    Bug,
}

/// A post or a reply, with the times its versions were written: the first is version 1.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) source_id: String,
    pub(super) parent: Option<String>,
    pub(super) author: String,
    pub(super) versions: Vec<DateTime<Utc>>,
}

/// A post with its replies.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) post: Record,
    pub(super) replies: Vec<Record>,
    /// Counts every activity on the forum, so that no two are at the same place.
    bumped: u64,
}

pub(super) struct Forum {
    name: String,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    boards: Vec<Vec<Post>>,
    activities: u64,
    /// The next calls fail like these.
    to_fail: Vec<Failure>,
    /// How often a call failed in a way that costs an attempt, by what was asked for.
    failed: HashMap<String, usize>,
}

/// A page of a board.
pub(super) struct Page {
    pub(super) posts: Vec<Post>,
    pub(super) is_last: bool,
}

impl Forum {
    /// Two boards, with three posts and none.
    pub(super) fn new(name: &str, clock: Clock) -> Self {
        let state = State { boards: vec![Vec::new(), Vec::new()], ..State::default() };
        let forum = Self { name: name.to_owned(), clock, state: Mutex::new(state) };
        for _ in 0..3 {
            forum.write(0);
        }
        forum.reply(0);
        forum
    }

    // What people do.

    pub(super) fn write(&self, board: usize) {
        let mut state = self.lock();
        let board = board % state.boards.len();
        let number = state.boards[board].len();
        let source_id = format!("{}/{board}/{number}", self.name);
        let bumped = state.next_activity();
        let post = Post { post: self.record(source_id, None, number), replies: Vec::new(), bumped };
        state.boards[board].push(post);
    }

    /// Edits the post, and its last reply if there is one.
    pub(super) fn edit(&self, nth: usize) {
        let now = self.clock.now();
        self.touch(nth, |post| {
            post.post.versions.push(now);
            if let Some(reply) = post.replies.last_mut() {
                reply.versions.push(now);
            }
        });
    }

    pub(super) fn reply(&self, nth: usize) {
        self.touch(nth, |post| {
            let (parent, number) = (post.post.source_id.clone(), post.replies.len());
            let source_id = format!("{parent}/{number}");
            post.replies.push(self.record(source_id, Some(parent), number));
        });
    }

    fn touch(&self, nth: usize, change: impl FnOnce(&mut Post)) {
        let mut state = self.lock();
        let bumped = state.next_activity();
        let mut posts: Vec<&mut Post> = state.boards.iter_mut().flatten().collect();
        let nth = nth % posts.len();
        posts[nth].bumped = bumped;
        change(posts[nth]);
    }

    fn record(&self, source_id: String, parent: Option<String>, number: usize) -> Record {
        let author = format!("user{}", number % 3);
        Record { source_id, parent, author, versions: vec![self.clock.now()] }
    }

    // What the API says.

    /// The next calls, whatever they ask for, fail.
    pub(super) fn fail_next(&self, failure: Failure, times: usize) {
        self.lock().to_fail.extend(std::iter::repeat_n(failure, times));
    }

    pub(super) fn heal(&self) {
        self.lock().to_fail.clear();
    }

    /// A call that says nothing but whether it went well.
    pub(super) fn call(&self, what: &str) -> Result<()> {
        let mut state = self.lock();
        let Some(failure) = state.to_fail.pop() else { return Ok(()) };
        if matches!(failure, Failure::Broken | Failure::Gone | Failure::Bug) {
            *state.failed.entry(what.to_owned()).or_default() += 1;
        }
        drop(state);
        Err(match failure {
            Failure::Limited(seconds) => {
                SyncError::RateLimited { retry_after: Duration::from_secs(seconds) }
            }
            Failure::Unauthorized => SyncError::Unauthorized(anyhow!("the token is revoked")),
            Failure::Gone => SyncError::Permanent(anyhow!("it is gone")),
            Failure::Broken => SyncError::Other(anyhow!("the forum is on fire")),
            // As a panic, without the hook that would print it.
            Failure::Bug => std::panic::resume_unwind(Box::new("index out of bounds")),
        })
    }

    pub(super) fn boards(&self) -> usize {
        self.lock().boards.len()
    }

    pub(super) fn page(&self, board: usize, page: usize) -> Page {
        let mut posts = self.lock().boards[board].clone();
        posts.sort_by_key(|post| std::cmp::Reverse(post.bumped));
        let is_last = posts.len() <= (page + 1) * PAGE;
        Page { posts: posts.into_iter().skip(page * PAGE).take(PAGE).collect(), is_last }
    }

    pub(super) fn replies(&self, post: &str) -> Vec<Record> {
        let state = self.lock();
        let mut posts = state.boards.iter().flatten();
        posts
            .find(|known| known.post.source_id == post)
            .map_or(Vec::new(), |post| post.replies.clone())
    }

    // What is true.

    /// Every post and reply.
    pub(super) fn truth(&self) -> Vec<Record> {
        let state = self.lock();
        let posts = state.boards.iter().flatten();
        posts.flat_map(|post| post.replies.iter().chain([&post.post])).cloned().collect()
    }

    /// How often calls failed in a way that costs an attempt, by what was asked for.
    pub(super) fn failed(&self) -> HashMap<String, usize> {
        self.lock().failed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_activity(&mut self) -> u64 {
        self.activities += 1;
        self.activities
    }
}

impl Post {
    /// When it was last written, edited or replied to.
    pub(super) fn active_at(&self) -> DateTime<Utc> {
        let records = self.replies.iter().chain([&self.post]);
        records.flat_map(|record| &record.versions).copied().max().expect("a version")
    }
}

impl Record {
    pub(super) fn version(&self) -> usize {
        self.versions.len()
    }

    /// The version that everybody who was there before this instant has seen.
    pub(super) fn version_before(&self, at: DateTime<Utc>) -> usize {
        self.versions.iter().filter(|written| **written < at).count()
    }
}
