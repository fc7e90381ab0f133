//! What is drawn and printed, for a run that waits.

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
