//! Three generators, of which one leads: the leader is killed, its successor is stopped, and every
//! check is made once all the same.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sandbox::devto::Community;
use sandbox::process::Signal;
use sqlx::PgPool;

use crate::harness::{Service, Stage, Stopwatch, until};

/// Fewer than the shortest schedule has ticks, by the grace: each is due once in that time.
const TENANTS: usize = 17;
/// In ticks. A beat that comes a moment late passes over a tick of a second, and the next one makes
/// its checks.
const GRACE: i64 = 3;
const LEASE: TimeDelta = TimeDelta::seconds(2);
const SOON: Duration = Duration::from_secs(20);

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_leader_killed_and_one_stopped_double_no_check_and_lose_none(pool: PgPool) {
    let stage = Stage::set(pool, small_community()).await;
    check_successions(&stage, TENANTS).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_leader_killed_and_one_stopped_double_no_check_of_any_platform(pool: PgPool) {
    let stage = Stage::set_mixed(pool).await;
    check_successions(&stage, 2).await;
}

async fn check_successions(stage: &Stage, tenants: usize) {
    let mut watch = Stopwatch::start();
    let mut generators = Vec::new();
    for _ in 0..3 {
        generators.push(stage.generator().with("--tick-seconds", 1).start().await);
    }
    let _worker = stage.worker().start().await;
    for _ in 0..tenants {
        stage.connect_all().await;
    }
    stage.until_at_rest().await;
    watch.part("onboarding");

    let ticks = stage.count("integrations").await;
    let begun = spread_checks(stage).await;
    until_tick(stage, begun + 3).await;
    let dead = take_leader(stage, &mut generators).await;
    let killed = Utc::now();
    dead.kill();
    check_succession(stage, &generators, killed).await;
    until_tick(stage, begun + ticks / 2).await;

    let mut sleeper = take_leader(stage, &mut generators).await;
    sleeper.signal(Signal::SIGSTOP);
    check_succession(stage, &generators, Utc::now()).await;
    sleeper.signal(Signal::SIGCONT);
    let afterwards = begun + ticks + GRACE;
    until_tick(stage, afterwards).await;
    watch.part("ticks");

    stage.check_again().await;
    assert_eq!(checks_before(stage, afterwards).await, vec![1; ticks as usize]);
    assert!(sleeper.runs());
    watch.part("the rest");
}

/// One article, three comments: it is the ticks that matter here.
fn small_community() -> Community {
    let mut community = Community::empty();
    let organization = community.add_organization("acme", "Acme");
    let author = community.add_user("ann", "Ann");
    let article = community.add_article_for(organization, author, "What a tick is");
    let comment = community.add_comment(article, author, "<p>A numbered minute.</p>");
    community.reply(comment, author, "<p>And who fires it?</p>");
    community.add_comment(article, author, "<p>Whoever inserts it.</p>");
    community
}

/// Makes one integration due at each of the ticks to come; the tick after which they begin.
async fn spread_checks(stage: &Stage) -> i64 {
    let begun = sqlx::query_scalar(
        "with now as (select max(number) as tick from ticks),
            numbered as (select id, row_number() over (order by id) as number from integrations)
         update integrations i set next_check_tick = now.tick + numbered.number
         from now, numbered where numbered.id = i.id
         returning now.tick",
    );
    begun.fetch_all(stage.pool()).await.expect("they are spread")[0]
}

async fn until_tick(stage: &Stage, tick: i64) {
    until(&format!("tick {tick}"), 2 * SOON, async || {
        let fired = stage.count(&format!("ticks where number >= {tick}")).await;
        (fired > 0).then_some(())
    })
    .await;
}

/// The leader, taken from among the generators.
async fn take_leader(stage: &Stage, generators: &mut Vec<Service>) -> Service {
    let leader = until("a leader", SOON, async || leader(stage, generators).await).await;
    generators.swap_remove(leader)
}

/// Which of the generators leads, if one of them does.
async fn leader(stage: &Stage, generators: &[Service]) -> Option<usize> {
    let holder = sqlx::query_scalar("select holder from scheduler_lease where held_until > now()");
    let holder: Option<String> = holder.fetch_optional(stage.pool()).await.expect("the holder");
    generators
        .iter()
        .position(|generator| holder.as_ref().is_some_and(|holder| generator.is(holder)))
}

/// One of those who are left leads within the lease and five seconds.
async fn check_succession(stage: &Stage, left: &[Service], since: DateTime<Utc>) {
    until("a new leader", SOON, async || leader(stage, left).await).await;
    let took = Utc::now() - since;
    println!("a new leader after {} ms", took.num_milliseconds());
    assert!(took <= LEASE + TimeDelta::seconds(5), "it took {took}");
}

/// How many checks were made of each integration before this tick.
async fn checks_before(stage: &Stage, tick: i64) -> Vec<i64> {
    let checks = sqlx::query_scalar(
        "select count(r.id)
         from integrations i
         left join integration_runs r on r.integration_id = i.id
             and r.requested_by = 'tick' and r.created_at < to_timestamp($1)
         group by i.id",
    );
    checks.bind(tick as f64).fetch_all(stage.pool()).await.expect("the checks")
}
