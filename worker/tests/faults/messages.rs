//! Messages that come twice, in the wrong order, late, or never: they change when a result comes, and
//! never the result.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use sandbox::devto::Community;
use shared::domain::{RunId, RunMode};
use sqlx::PgPool;

use crate::harness::{Connected, Stage, Stopwatch, chance, pause, sqs_emulator};

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn messages_duplicated_reordered_and_lost_change_nothing(pool: PgPool) {
    Mess::on(&Stage::set(pool, community()).await).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn messages_duplicated_reordered_and_lost_in_sqs_change_nothing(pool: PgPool) {
    let sqs = sqs_emulator();
    Mess::on(&Stage::set_with_sqs(pool, community(), sqs, sqs).await).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn messages_of_all_six_platforms_duplicated_reordered_and_lost_change_nothing(pool: PgPool) {
    Mess::on(&Stage::set_mixed(pool).await).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn messages_of_all_six_platforms_duplicated_reordered_and_lost_in_sqs_change_nothing(
    pool: PgPool,
) {
    Mess::on(&Stage::set_mixed_with_sqs(pool, sqs_emulator()).await).await;
}

fn community() -> Community {
    Community::realistic(11, 60, 250)
}

struct Mess<'a> {
    stage: &'a Stage,
    connected: Vec<Connected>,
    runs: Vec<RunId>,
    rng: StdRng,
}

impl<'a> Mess<'a> {
    async fn on(stage: &'a Stage) {
        let mut watch = Stopwatch::start();
        stage.set_latency(Duration::from_millis(150));
        let mut mess = Mess { stage, connected: Vec::new(), runs: Vec::new(), rng: chance() };
        // As many runs of dev.to alone, or one of each.
        let tenants = if stage.mix.is_some() { 1 } else { 3 };
        for _ in 0..tenants {
            mess.connected.extend(stage.connect_all().await);
        }
        mess.runs = mess.connected.iter().map(|connected| connected.onboarding).collect();
        // Handed back every second, so that a run wants many messages.
        let generator = stage.generator().start().await;
        let _workers = (
            stage.worker().with("--slice-seconds", 1).start().await,
            stage.worker().with("--slice-seconds", 1).start().await,
        );
        let api = generator.until_api().await;

        for number in 0..60 {
            pause(Duration::from_millis(mess.rng.random_range(20..200))).await;
            if number % 20 == 10 {
                let connected = mess.connected.choose(&mut mess.rng).expect("three are connected");
                mess.runs.push(stage.ask_for_run(api, connected, RunMode::Check).await);
            }
            if number % 5 == 0 {
                stage.live(&mut mess.rng).await;
            }
            mess.make().await;
        }
        watch.part("the mess");
        mess.let_a_minute_pass().await;
        stage.set_latency(Duration::ZERO);
        stage.check_again().await;
        watch.part("the rest");

        let pages = stage.pages_of_devto().await;
        let requests = stage.devto.request_count();
        println!("{requests} requests for {pages} pages");
        assert!(requests * 100 <= pages * 105, "{requests} requests for {pages} pages of dev.to");
    }

    /// Twice and late, or never.
    async fn make(&mut self) {
        if self.rng.random_bool(0.8) {
            let run = *self.runs.choose(&mut self.rng).expect("there are runs");
            let delay = Duration::from_secs(self.rng.random_range(0..3));
            self.stage.hints.send(run, delay).await;
        } else {
            self.stage.hints.lose_all().await;
            self.let_a_minute_pass().await;
        }
    }

    /// For the runs that wait for a lost message: the next is due after a minute at the latest, after two
    /// if that was lost as well, and so on, which is looked at rather than waited for.
    async fn let_a_minute_pass(&self) {
        let too_late = "integration_runs where state = 'pending'
                and send_at > now() + interval '1 minute' * power(2, greatest(sends, 1) - 1)";
        assert_eq!(self.stage.count(too_late).await, 0);
        sqlx::query(
            "update integration_runs set send_at = least(send_at, now()) where state = 'pending'",
        )
        .execute(self.stage.pool())
        .await
        .expect("time passes");
    }
}
