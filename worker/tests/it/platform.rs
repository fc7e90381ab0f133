//! A platform that is a function of the test's: which page is asked for, how often it has been asked
//! for before; what comes back. It can be told to fail, to hang and to wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use shared::sdk::{EndedStream, LastRecord, Result, SyncError};
use tokio::sync::watch;

use crate::toy::{Output, Stream, comments, page};

/// One asking of the platform.
pub(crate) struct Asked {
    pub(crate) list: String,
    pub(crate) page: u32,
    /// How often this page had been asked for before.
    pub(crate) before: usize,
}

type Answer = dyn Fn(&Asked) -> Result<Output> + Send + Sync;
type Troubles = Mutex<Vec<Trouble>>;

/// What happens to a call besides going well.
enum Trouble {
    Fails(SyncError),
    Panics,
    /// Until the platform is dropped.
    Hangs,
}

/// What the platform answers, and what it was asked.
#[derive(Clone)]
pub(crate) struct Platform(Arc<Inner>);

struct Inner {
    first: Vec<Stream>,
    answer: Box<Answer>,
    preprocess: Troubles,
    listing: Troubles,
    postprocess: Troubles,
    /// How many calls hang, for tests that wait.
    hanging: watch::Sender<usize>,
    asked: Mutex<HashMap<Stream, usize>>,
    /// How many pages have been asked for, all in all; for tests that wait.
    count: watch::Sender<usize>,
    /// How many pages are neither answered nor given up by who asked.
    under_way: watch::Sender<usize>,
    /// Pages are answered while this is true.
    open: watch::Sender<bool>,
    seen_by_stop_rule: Mutex<Vec<(usize, Option<LastRecord>)>>,
    ended: Mutex<Vec<EndedStream<Stream>>>,
}

impl Platform {
    pub(crate) fn new(
        first: impl IntoIterator<Item = Stream>,
        answer: impl Fn(&Asked) -> Result<Output> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            first: first.into_iter().collect(),
            answer: Box::new(answer),
            preprocess: Mutex::default(),
            listing: Mutex::default(),
            postprocess: Mutex::default(),
            hanging: watch::Sender::new(0),
            asked: Mutex::default(),
            count: watch::Sender::new(0),
            under_way: watch::Sender::new(0),
            open: watch::Sender::new(true),
            seen_by_stop_rule: Mutex::default(),
            ended: Mutex::default(),
        }))
    }

    /// On which one comment is news.
    pub(crate) fn with_news() -> Self {
        Self::new([page("news", 1)], |asked| Ok(comments(asked, 1)))
    }

    /// The next `preprocess` fails with this; called twice, the next two do.
    pub(crate) fn fail_preprocess(&self, error: SyncError) {
        trouble(&self.0.preprocess, Trouble::Fails(error));
    }

    pub(crate) fn fail_listing(&self, error: SyncError) {
        trouble(&self.0.listing, Trouble::Fails(error));
    }

    pub(crate) fn fail_postprocess(&self, error: SyncError) {
        trouble(&self.0.postprocess, Trouble::Fails(error));
    }

    /// The next `preprocess`, `streams` and `postprocess` panic.
    pub(crate) fn panic_outside_of_streams(&self) {
        for calls in [&self.0.preprocess, &self.0.listing, &self.0.postprocess] {
            trouble(calls, Trouble::Panics);
        }
    }

    pub(crate) fn hang_in_preprocess(&self) {
        trouble(&self.0.preprocess, Trouble::Hangs);
    }

    pub(crate) fn hang_in_listing(&self) {
        trouble(&self.0.listing, Trouble::Hangs);
    }

    pub(crate) fn hang_in_postprocess(&self) {
        trouble(&self.0.postprocess, Trouble::Hangs);
    }

    /// Waits until so many calls hang, or have hung.
    pub(crate) async fn until_hanging(&self, calls: usize) {
        self.0.hanging.subscribe().wait_for(|hanging| *hanging >= calls).await.unwrap();
    }

    /// From now on pages hang, until [`Platform::open`].
    pub(crate) fn close(&self) {
        self.0.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.0.open.send_replace(true);
    }

    /// Waits until so many pages have been asked for since the beginning.
    pub(crate) async fn until_asked(&self, pages: usize) {
        self.0.count.subscribe().wait_for(|count| *count >= pages).await.unwrap();
    }

    /// Waits until nobody waits for a page any more.
    pub(crate) async fn until_let_go(&self) {
        self.0.under_way.subscribe().wait_for(|pages| *pages == 0).await.unwrap();
    }

    pub(crate) fn asked(&self) -> usize {
        *self.0.count.borrow()
    }

    pub(crate) fn asked_for(&self, stream: &Stream) -> usize {
        self.0.asked.lock().unwrap().get(stream).copied().unwrap_or(0)
    }

    /// What the stop rule was shown: how many records, and the last of them.
    pub(crate) fn seen_by_stop_rule(&self) -> Vec<(usize, Option<LastRecord>)> {
        self.0.seen_by_stop_rule.lock().unwrap().clone()
    }

    /// What `postprocess` was told, last time: each stream, and whether it failed.
    pub(crate) fn ended(&self) -> Vec<(Stream, bool)> {
        let ended = self.0.ended.lock().unwrap();
        let mut ended: Vec<_> =
            ended.iter().map(|ended| (ended.stream.clone(), ended.failed)).collect();
        ended.sort();
        ended
    }

    pub(crate) async fn preprocess(&self) -> Result<()> {
        self.call(&self.0.preprocess).await
    }

    pub(crate) async fn first(&self) -> Result<Vec<Stream>> {
        self.call(&self.0.listing).await?;
        Ok(self.0.first.clone())
    }

    pub(crate) fn note_seen_by_stop_rule(&self, seen: (usize, Option<LastRecord>)) {
        self.0.seen_by_stop_rule.lock().unwrap().push(seen);
    }

    pub(crate) async fn postprocess(&self, ended: Vec<EndedStream<Stream>>) -> Result<()> {
        *self.0.ended.lock().unwrap() = ended;
        self.call(&self.0.postprocess).await
    }

    /// A call outside of any stream.
    async fn call(&self, troubles: &Troubles) -> Result<()> {
        let trouble = troubles.lock().unwrap().pop();
        match trouble {
            None => Ok(()),
            Some(Trouble::Fails(error)) => Err(error),
            Some(Trouble::Panics) => panic!("nobody thought of that"),
            Some(Trouble::Hangs) => {
                self.0.hanging.send_modify(|hanging| *hanging += 1);
                std::future::pending().await
            }
        }
    }

    pub(crate) async fn ask(&self, stream: &Stream) -> Result<Output> {
        let (Stream::Page { list, page } | Stream::Reply { list, page }) = stream.clone();
        let before = {
            let mut asked = self.0.asked.lock().unwrap();
            let count = asked.entry(stream.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let _under_way = UnderWay::begin(&self.0.under_way);
        self.0.count.send_modify(|count| *count += 1);
        self.0.open.subscribe().wait_for(|open| *open).await.unwrap();
        (self.0.answer)(&Asked { list, page, before })
    }
}

/// Counts a page, also when who asked for it gives it up.
struct UnderWay<'a>(&'a watch::Sender<usize>);

impl<'a> UnderWay<'a> {
    fn begin(pages: &'a watch::Sender<usize>) -> Self {
        pages.send_modify(|pages| *pages += 1);
        Self(pages)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|pages| *pages -= 1);
    }
}

fn trouble(calls: &Troubles, trouble: Trouble) {
    calls.lock().unwrap().insert(0, trouble);
}
