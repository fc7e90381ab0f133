//! How fast a run is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What the rate is the average of.
const RATE_OVER: Duration = Duration::from_secs(10);

/// Records a second, lately.
#[derive(Default)]
pub(super) struct Rate {
    seen: VecDeque<(Instant, i64)>,
}

impl Rate {
    pub(super) fn with(&mut self, now: Instant, records: i64) -> f64 {
        self.seen.push_back((now, records));
        while self.seen.len() > 2 && now - self.seen[1].0 >= RATE_OVER {
            self.seen.pop_front();
        }
        let (since, before) = self.seen[0];
        let seconds = (now - since).as_secs_f64();
        if seconds > 0.0 { (records - before) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        let start = Instant::now();
        let mut at = |second, records| rate.with(start + Duration::from_secs(second), records);
        assert_eq!(at(0, 500), 0.0);
        assert_eq!(at(2, 700), 100.0);
        assert_eq!(at(10, 700), 20.0);
        assert_eq!(at(12, 700), 0.0);
    }
}
