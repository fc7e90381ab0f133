//! The progress of a run, until it ends: a bar for people at a terminal, a line whenever something
//! changed for everybody else.
//!
//! It only looks, now and then, at what the database says, and costs no more than a tenth of a
//! connection however long a look takes. So it sees what every worker does, and may miss what lasts
//! for less than a moment.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::domain::{RunId, RunState};
use shared::explain::{Explanation, Reason, explain};
use shared::store::{RunFacts, Store, StoreError};

use crate::moment::{relative, seconds};

/// The shortest rest between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What the rate is the average of.
const RATE_OVER: Duration = Duration::from_secs(10);

/// Shows the run's progress until it ends; how it ended. While the database is away it says so, and
/// looks again.
pub(crate) async fn follow(
    store: &Store,
    run: RunId,
    mut output: Output,
) -> anyhow::Result<RunState> {
    loop {
        let looked_at = Instant::now();
        match Progress::look(store, run).await {
            Ok(progress) => {
                output.show(&progress)?;
                if progress.state().is_finished() {
                    output.end();
                    return Ok(progress.state());
                }
            }
            Err(error) if is_away(&error) => output.show_absence()?,
            Err(error) => return Err(error),
        }
        tokio::time::sleep(LOOK_EVERY.max(looked_at.elapsed() * 9)).await;
    }
}

fn is_away(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(StoreError::is_away)
}

const ABSENCE: &str = "the database is away; looking again";

/// Where progress is shown.
pub(crate) enum Output {
    Bar(Bar),
    Lines(Lines),
}

impl Output {
    /// A bar if a terminal shows it, else lines.
    pub(crate) fn of_stdout() -> Self {
        let target = ProgressDrawTarget::stdout();
        if target.is_hidden() {
            Self::Lines(Lines::of("", Box::new(io::stdout())))
        } else {
            Self::Bar(Bar::drawn_on("", target))
        }
    }

    /// The same for one of several runs that are followed side by side.
    pub(crate) fn of_stdout_among(bars: &MultiProgress, name: &str) -> Self {
        match Self::of_stdout() {
            Self::Lines(_) => Self::Lines(Lines::of(name, Box::new(io::stdout()))),
            Self::Bar(_) => {
                let Bar { bar, rate } = Bar::drawn_on(name, ProgressDrawTarget::hidden());
                Self::Bar(Bar { bar: bars.add(bar), rate })
            }
        }
    }

    fn show(&mut self, progress: &Progress) -> io::Result<()> {
        match self {
            Self::Bar(bar) => bar.show(progress),
            Self::Lines(lines) => lines.show(progress)?,
        }
        Ok(())
    }

    fn show_absence(&mut self) -> io::Result<()> {
        match self {
            Self::Bar(bar) => bar.bar.set_message(ABSENCE),
            Self::Lines(lines) => lines.show_absence()?,
        }
        Ok(())
    }

    /// What is shown stays.
    fn end(&self) {
        if let Self::Bar(Bar { bar, .. }) = self {
            bar.abandon();
        }
    }
}

pub(crate) struct Lines {
    /// Before each line, with a space; empty for a run that is followed alone.
    name: String,
    to: Box<dyn Write + Send>,
    last: Shown,
}

/// What the last line said.
#[derive(PartialEq)]
enum Shown {
    Nothing,
    Absence,
    Progress(Seen),
}

impl Lines {
    fn of(name: &str, to: Box<dyn Write + Send>) -> Self {
        Self { name: before(name), to, last: Shown::Nothing }
    }

    fn show(&mut self, progress: &Progress) -> io::Result<()> {
        if !self.is_news(Shown::Progress(progress.seen())) {
            return Ok(());
        }
        let (ended, known) = (progress.ended_streams(), progress.known_streams());
        let (now, words) = (seconds(progress.facts.now), progress.yield_in_words());
        let state = progress.state_in_words();
        let name = &self.name;
        writeln!(self.to, "{name}{now} {ended} of {known} streams, {words}; {state}")?;
        self.to.flush()
    }

    fn show_absence(&mut self) -> io::Result<()> {
        if self.is_news(Shown::Absence) {
            writeln!(self.to, "{}{ABSENCE}", self.name)?;
        }
        self.to.flush()
    }

    fn is_news(&mut self, shown: Shown) -> bool {
        let before = std::mem::replace(&mut self.last, shown);
        before != self.last
    }
}

pub(crate) struct Bar {
    bar: ProgressBar,
    rate: Rate,
}

impl Bar {
    fn drawn_on(name: &str, target: ProgressDrawTarget) -> Self {
        let template =
            format!("{}{{bar:30}} {{pos}} of {{len}} streams, {{prefix}}\n{{msg}}", before(name));
        let style = ProgressStyle::with_template(&template)
            .expect("the template is written here, and a test draws it");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        Self { bar, rate: Rate::default() }
    }

    fn show(&mut self, progress: &Progress) {
        let rate = self.rate.with(Instant::now(), progress.facts.streams.records);
        self.bar.set_length(progress.known_streams().unsigned_abs());
        self.bar.set_position(progress.ended_streams().unsigned_abs());
        self.bar.set_prefix(format!("{} ({rate:.0}/s)", progress.yield_in_words()));
        self.bar.set_message(progress.state_in_words());
    }
}

/// Names stand in a column.
fn before(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name:<13} ") }
}

/// Records a second, lately.
#[derive(Default)]
struct Rate {
    seen: VecDeque<(Instant, i64)>,
}

impl Rate {
    fn with(&mut self, now: Instant, records: i64) -> f64 {
        self.seen.push_back((now, records));
        while self.seen.len() > 2 && now - self.seen[1].0 >= RATE_OVER {
            self.seen.pop_front();
        }
        let (since, before) = self.seen[0];
        let seconds = (now - since).as_secs_f64();
        if seconds > 0.0 { (records - before) as f64 / seconds } else { 0.0 }
    }
}

/// One look at a run.
struct Progress {
    facts: RunFacts,
    explanation: Explanation,
}

/// What makes a new line when it changes.
#[derive(Clone, Copy, PartialEq)]
struct Seen {
    state: RunState,
    reason: Reason,
    delayed_until: Option<DateTime<Utc>>,
    ended_streams: i64,
    failed_streams: i64,
    known_streams: i64,
    records: i64,
}

impl Progress {
    async fn look(store: &Store, run: RunId) -> anyhow::Result<Self> {
        // Why a run waits can be told without its kind's limit.
        let facts = store.run_facts(run, None).await?;
        let facts = facts.with_context(|| format!("there is no run {run}"))?;
        Ok(Self { explanation: explain(&facts), facts })
    }

    fn state(&self) -> RunState {
        self.facts.run.state
    }

    fn seen(&self) -> Seen {
        Seen {
            state: self.state(),
            reason: self.explanation.reason,
            delayed_until: self.facts.run.delayed_until,
            ended_streams: self.ended_streams(),
            failed_streams: self.facts.streams.failed,
            known_streams: self.known_streams(),
            records: self.facts.streams.records,
        }
    }

    fn ended_streams(&self) -> i64 {
        self.facts.streams.processed + self.facts.streams.failed
    }

    fn known_streams(&self) -> i64 {
        self.ended_streams() + self.facts.streams.pending + self.facts.streams.processing
    }

    /// `1 failed, 120 records`
    fn yield_in_words(&self) -> String {
        let records = self.facts.streams.records;
        match self.facts.streams.failed {
            0 => format!("{records} records"),
            failed => format!("{failed} failed, {records} records"),
        }
    }

    /// While it moves, its state is enough; else what it waits for and until when, or why it ended
    /// as it did.
    fn state_in_words(&self) -> String {
        let (state, why) = (self.state().as_str(), &self.explanation);
        match (why.reason, why.goes_on_at) {
            (Reason::Held | Reason::Processed, _) => format!("{state}{}", self.end_in_words()),
            (Reason::Failed, _) => {
                format!("{state}: {}", self.facts.run.error.as_deref().unwrap_or_default())
            }
            (_, Some(at)) if at > self.facts.now => {
                let (goes_on, end) = (relative(at, self.facts.now), self.end_in_words());
                format!("{state}, goes on {goes_on}{end}: {}", why.sentence)
            }
            _ => format!("{state}: {}", why.sentence),
        }
    }

    /// Nothing, unless it can be told.
    fn end_in_words(&self) -> String {
        let about = self.explanation.about_ends_at.map(|at| relative(at, self.facts.now));
        about.map_or(String::new(), |about| format!(", done about {about}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;
    use serde_json::json;
    use shared::clock::Clock;
    use shared::domain::{DelayReason, RawStream, RequestedBy};
    use shared::store::{NewIntegration, SchedulerLease, StreamSetback};
    use sqlx::PgPool;
    use uuid::Uuid;

    use super::*;

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn a_bar_shows_how_far_the_run_is_and_what_it_waits_for(pool: PgPool) {
        let clock = Clock::standing_at("2026-11-20T18:57:00Z".parse().unwrap());
        let store = Store::new(pool, clock);
        let run = delayed_run(&store).await;
        let screen = Screen::default();
        let mut bar = Bar::drawn_on("", ProgressDrawTarget::term_like(Box::new(screen.clone())));

        bar.show(&Progress::look(&store, run).await.unwrap());

        insta::assert_snapshot!(screen.text(), @"
        ██████████░░░░░░░░░░░░░░░░░░░░ 1 of 3 streams, 1 failed, 0 records (0/s)
        delayed, goes on in 4 min: The platform's rate limit was reached: it goes on at 2026-11-20T19:01:00Z.
        ");
        bar.bar.abandon();
    }

    #[sqlx::test(migrator = "shared::store::MIGRATIONS")]
    async fn a_look_that_shows_nothing_new_prints_no_line(pool: PgPool) {
        let clock = Clock::standing_at("2026-11-20T18:57:00Z".parse().unwrap());
        let store = Store::new(pool, clock.clone());
        let run = delayed_run(&store).await;
        let screen = Screen::default();
        let mut lines = Lines::of("", Box::new(screen.clone()));
        let mut look = async || {
            lines.show(&Progress::look(&store, run).await.unwrap()).unwrap();
            screen.0.lock().unwrap().lines().count()
        };

        assert_eq!(look().await, 1);
        clock.advance(Duration::from_secs(10));
        assert_eq!(look().await, 1);
        store.continue_run(run).await.unwrap();
        assert_eq!(look().await, 2);
    }

    /// Of three streams one is given up, and two wait for the platform.
    async fn delayed_run(store: &Store) -> RunId {
        let tenant = store.add_tenant("acme", "a token").await.unwrap();
        let new = NewIntegration {
            tenant_id: tenant.id,
            kind: "devto".into(),
            settings: json!({}),
            units: Vec::new(),
            first_check: None,
            credential_id: None,
            member_attributes: Vec::new(),
        };
        let run = store.connect(&new, RequestedBy::Cli).await.unwrap().requested.run;
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let lease = store.claim_run(run, "worker-7", minutes(1)).await.unwrap().unwrap().lease;
        let article = |article| RawStream { name: "a".into(), payload: json!(article) };
        store.list_streams(lease, &[article(1), article(2), article(3)], 0).await.unwrap();
        let stream = &store.take_streams(lease, 1, false).await.unwrap()[0];
        let never = StreamSetback::Never { error: "404 Not Found".into() };
        store.set_back(lease, stream.id, &never, 0).await.unwrap();
        let reason = DelayReason::RateLimit;
        store.delay_run(lease, Some(minutes(4)), reason, None, 0).await.unwrap();
        let generator = SchedulerLease { token: Uuid::new_v4() };
        store.hold_scheduler(generator, "generator-1", minutes(1)).await.unwrap();
        run
    }

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

    /// A terminal that holds what was drawn last.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        /// Lines are drawn by filling them.
        fn text(&self) -> String {
            let drawn: Vec<char> = self.0.lock().unwrap().chars().collect();
            let lines = drawn.chunks(usize::from(self.width())).map(String::from_iter);
            lines.map(|line| line.trim_end().to_owned() + "\n").collect()
        }
    }

    impl Write for Screen {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push_str(str::from_utf8(text).unwrap());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }
}
