//! A worker that is absent for longer than its lease, stopped like a suspended container or cut off
//! from PostgreSQL, and then comes back: it finds its run in other hands, writes nothing, and is of
//! use again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sandbox::devto::Community;
use sandbox::process::Signal;
use sandbox::proxy::Proxy;
use shared::domain::{RunId, RunState};
use sqlx::{PgConnection, PgPool};

use crate::harness::{Service, Stage, Stopwatch, audit, until};

const LEASE: TimeDelta = TimeDelta::seconds(2);
const SOON: Duration = Duration::from_secs(20);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stopped_worker_writes_nothing_when_it_wakes_and_is_of_use_again(pool: PgPool) {
    let stage = Stage::set(pool, community()).await;
    let worker = stage.worker().start().await;
    Absence::Stopped.of(worker, &stage).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_cut_off_from_postgres_writes_nothing_late_and_is_of_use_again(pool: PgPool) {
    let stage = Stage::set(pool, community()).await;
    let proxy = Proxy::to(stage.database_address()).await.expect("a proxy");
    let worker = stage.with_database_at(stage.worker(), proxy.addr()).start().await;
    Absence::CutOff(proxy).of(worker, &stage).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_worker_stopped_in_the_middle_of_a_commit_holds_nobody_up(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set(pool, Community::realistic(13, 40, 150)).await;
    let _generator = stage.generator().start().await;
    let mut sleeper = stage.worker().with("--streams-per-run", 1).start().await;
    let mut gate = Gate::before_commits_of(&stage, &sleeper.name).await;
    let run = stage.connect().await.onboarding;
    gate.until_somebody_waits().await;
    let _other = stage.worker().start().await;

    // The gate opens for a process that does not hear of it: its transaction stays open.
    sleeper.signal(Signal::SIGSTOP);
    let stopped = Utc::now();
    gate.open().await;
    let took = until_taken_over(&stage, run, &sleeper, stopped).await - stopped;
    assert!(took <= LEASE + TimeDelta::seconds(5), "the takeover took {took}");
    watch.part("taken over");
    sleeper.signal(Signal::SIGCONT);
    stage.check().await;
    watch.part("the rest");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_stopped_worker_with_runs_of_all_six_platforms_writes_nothing_late(pool: PgPool) {
    let mut watch = Stopwatch::start();
    let stage = Stage::set_mixed(pool).await;
    stage.set_latency(Duration::from_millis(150));
    let _generator = stage.generator().start().await;
    let mut sleeper = stage.worker().with("--streams-per-run", 1).start().await;
    stage.connect_all().await;
    until("a dozen pages", SOON, async || {
        let pages = stage.count("integration_streams where state = 'processed'").await;
        (pages >= 12).then_some(())
    })
    .await;
    let other = stage.worker().start().await;

    sleeper.signal(Signal::SIGSTOP);
    let stopped = Utc::now();
    let taken_over = until("all its runs to be taken over", 2 * SOON, async || {
        let runs = audit::taken_over(stage.pool(), &sleeper.name, stopped).await;
        runs.into_iter().map(|(_, at)| at).collect::<Option<Vec<_>>>()
    });
    let slowest = taken_over.await.into_iter().max().expect("it held a run") - stopped;
    println!("the slowest takeover took {} ms", slowest.num_milliseconds());
    assert!(slowest <= LEASE + TimeDelta::seconds(5), "a takeover took {slowest}");
    sleeper.signal(Signal::SIGCONT);
    sleeper.until_printed("the run is somebody else's now", SOON).await;
    watch.part("absent");
    stage.set_latency(Duration::ZERO);
    stage.check_again().await;
    assert_eq!(audit::stale_writes(stage.pool(), &sleeper.name).await, 0);

    other.terminate(SOON).await;
    stage.check_again().await;
    watch.part("of use again");
}

fn community() -> Community {
    Community::realistic(13, 120, 400)
}

enum Absence {
    /// By SIGSTOP, until SIGCONT.
    Stopped,
    /// What it says to PostgreSQL is held back, and arrives late.
    CutOff(Proxy),
}

impl Absence {
    async fn of(self, mut sleeper: Service, stage: &Stage) {
        let mut watch = Stopwatch::start();
        stage.devto.set_latency(Duration::from_millis(60));
        let _generator = stage.generator().start().await;
        let run = stage.connect().await.onboarding;
        until_pages_of(stage, run, &sleeper, 20).await;
        let other = stage.worker().start().await;

        self.begins(&mut sleeper).await;
        let takeover = until_taken_over(stage, run, &sleeper, Utc::now()).await;
        until_pages_of(stage, run, &other, 10).await;
        assert_eq!(stage.run(run).await.state, RunState::Processing, "too late to be in the way");
        self.ends(&mut sleeper).await;
        sleeper.until_printed("the run is somebody else's now", SOON).await;
        watch.part("absent");
        stage.devto.set_latency(Duration::ZERO);
        let ended =
            until("the onboarding to end", SOON, async || stage.run(run).await.processed_at);
        let ended = ended.await;
        let written = audit::writes_of(stage.pool(), &sleeper.name, takeover, ended).await;
        assert!(written.is_empty(), "after the takeover the sleeper wrote {written:#?}");

        other.terminate(SOON).await;
        let next = stage.connect().await.onboarding;
        stage.check().await;
        assert_eq!(audit::holders(stage.pool(), next).await, [sleeper.name.as_str()]);
        watch.part("of use again");
    }

    async fn begins(&self, worker: &mut Service) {
        match self {
            Self::Stopped => worker.signal(Signal::SIGSTOP),
            Self::CutOff(proxy) => proxy.black_hole().await,
        }
    }

    async fn ends(&self, worker: &mut Service) {
        match self {
            Self::Stopped => worker.signal(Signal::SIGCONT),
            Self::CutOff(proxy) => proxy.restore().await,
        }
    }
}

async fn until_pages_of(stage: &Stage, run: RunId, worker: &Service, pages: usize) {
    let what = format!("{pages} pages of {}", worker.name);
    until(&what, SOON, async || {
        let committed = audit::pages_of(stage.pool(), run, &worker.name).await;
        (committed >= pages as i64).then_some(())
    })
    .await;
}

/// When somebody else went on with the run.
async fn until_taken_over(
    stage: &Stage,
    run: RunId,
    from: &Service,
    since: DateTime<Utc>,
) -> DateTime<Utc> {
    let takeover = until("a takeover", 2 * SOON, async || {
        audit::next_progress(stage.pool(), run, &from.name, since).await
    });
    let at = takeover.await;
    println!("the takeover took {} ms", (at - since).num_milliseconds());
    at
}

/// A lock that every page of one process waits for, once its transaction has begun.
struct Gate(PgConnection);

impl Gate {
    async fn before_commits_of(stage: &Stage, process: &str) -> Self {
        let mut keeper = stage.connection().await;
        let gate = format!(
            "create function faults.gate() returns trigger language plpgsql as $$
             begin
                 if current_setting('faults.process', true) = '{process}' then
                     perform pg_advisory_xact_lock_shared(1);
                 end if;
                 return null;
             end $$;
             create trigger gate after insert on activities
             for each statement execute function faults.gate();
             select pg_advisory_lock(1)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(gate)).execute(&mut keeper).await.expect("a gate");
        Self(keeper)
    }

    async fn until_somebody_waits(&mut self) {
        until("a transaction at the gate", SOON, async || {
            let waiting =
                "select count(*) from pg_locks where locktype = 'advisory' and not granted
                and database = (select oid from pg_database where datname = current_database())";
            let waiting: i64 =
                sqlx::query_scalar(waiting).fetch_one(&mut self.0).await.expect("a count");
            (waiting > 0).then_some(())
        })
        .await;
    }

    async fn open(&mut self) {
        sqlx::query("select pg_advisory_unlock(1)").execute(&mut self.0).await.expect("it opens");
    }
}
