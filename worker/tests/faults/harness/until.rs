//! Waiting for other processes.

use std::time::{Duration, Instant};

/// Looks every 20 ms until there is something to see, for as long as `limit`; what was seen.
///
/// The only place in these tests that sleeps and looks again: what another process does can only be
/// asked for, at its port, in the database or in its log. `what` completes "waited in vain for …".
pub(crate) async fn until<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    until_good(what, limit, async || look().await.ok_or_else(|| "nothing".to_owned())).await
}

/// The same; while there is nothing good to see, `look` says what there is instead.
pub(crate) async fn until_good<T>(
    what: &str,
    limit: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(instead) if Instant::now() >= deadline => {
                panic!("waited {limit:?} in vain for {what}; seen instead: {instead}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Lets time pass where no signal could say when: between two faults that come at random.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Says how long each part of a test took.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Ends a part, prints how long it took, and begins the next.
    pub(crate) fn part(&mut self, what: &str) -> Duration {
        let took = self.0.elapsed();
        println!("{what}: {:.1} s", took.as_secs_f64());
        self.0 = Instant::now();
        took
    }
}
