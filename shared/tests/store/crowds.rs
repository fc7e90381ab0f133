//! Pages about the same people and things, committed at the same moment, each in an order of its own:
//! they neither deadlock nor duplicate.

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use shared::domain::{Activity, Member};
use shared::store::Page;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Barrier;

use crate::gate::Gate;
use crate::ground::{Ground, Held};
use crate::records::{account, activities, comment, members, person};

const WORKERS: usize = 4;
const ROUNDS: u64 = 5;

/// Things and people in a page.
const CROWD: u64 = 100;

/// Where rows are written slowly, so that two statements about the same ones meet in the middle; and
/// where deadlocks are not resolved, so that one becomes an error instead of being tried again.
async fn merciless(options: PgPoolOptions, database: PgConnectOptions) -> Ground {
    let database = database.options([("deadlock_timeout", "1h"), ("lock_timeout", "10s")]);
    let ground =
        Ground::on(options.max_connections(10).connect_with(database).await.unwrap()).await;
    let slowly = "create function dawdle() returns trigger language plpgsql as
                  $$ begin perform sum(n) from generate_series(1, 1000) n; return new; end $$;
                  create trigger dawdle before insert or update on members
                  for each row execute function dawdle();
                  create trigger dawdle before insert or update on member_identities
                  for each row execute function dawdle();
                  create trigger dawdle before insert or update on activities
                  for each row execute function dawdle()";
    ground.execute(slowly).await;
    ground
}

/// Commits a page of each worker, all at once.
async fn commit_at_once(workers: &[Held], pages: Vec<Page>) {
    let barrier = Barrier::new(workers.len());
    let commits = workers.iter().zip(pages).map(|(worker, page)| {
        let barrier = &barrier;
        async move {
            let source = worker.take().await;
            barrier.wait().await;
            worker.store.commit_page(source, &page).await
        }
    });
    for committed in join_all(commits).await {
        committed.expect("no deadlock");
    }
}

async fn workers(ground: &Ground) -> Vec<Held> {
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(ground.hold().await);
    }
    workers
}

fn shuffled<T: Clone>(things: &[T], random: &mut StdRng) -> Vec<T> {
    let mut things = things.to_vec();
    things.shuffle(random);
    things
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn new_people_and_things_in_any_order_are_stored_once(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let ground = merciless(options, database).await;
    let workers = workers(&ground).await;
    for seed in 0..ROUNDS {
        println!("seed {seed}");
        let random = &mut StdRng::seed_from_u64(seed);
        // A thread in which everybody answers somebody, and which every page has read.
        let thread: Vec<Activity> = (0..CROWD)
            .map(|n| Activity {
                source_parent_id: (n > 0).then(|| format!("{seed}-{}", random.random_range(0..n))),
                member: account(&format!("{seed}-{n}"), None),
                ..comment(&format!("{seed}-{n}"))
            })
            .collect();
        let pages = (0..WORKERS)
            .map(|_| Page { operations: activities(shuffled(&thread, random)), ..Page::default() });
        commit_at_once(&workers, pages.collect()).await;
    }

    let (people, answers) = (CROWD * ROUNDS, (CROWD - 1) * ROUNDS);
    let stored = "select concat_ws(' ', (select count(*) from members), (select count(*) from member_identities),
                      (select count(*) from activities), (select count(parent_id) from activities))";
    assert_eq!(ground.lines(stored).await, [format!("{people} {people} {people} {answers}")]);
    ground.store.pool().close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn things_that_each_page_ascribes_to_others_are_stored_once(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let ground = merciless(options, database).await;
    let workers = workers(&ground).await;
    for seed in 0..ROUNDS {
        println!("seed {seed}");
        let random = &mut StdRng::seed_from_u64(seed);
        // The pages have no person in common, so nothing but the things holds them up.
        let pages = (0..WORKERS).map(|worker| {
            let said = |n| Activity {
                member: account(&format!("{worker}-{n}"), None),
                ..comment(&format!("{seed}-{n}"))
            };
            let things: Vec<Activity> = (0..CROWD).map(said).collect();
            Page { operations: activities(shuffled(&things, random)), ..Page::default() }
        });
        commit_at_once(&workers, pages.collect()).await;
    }

    let stored = "select count(*)::text from activities";
    assert_eq!(ground.lines(stored).await, [(CROWD * ROUNDS).to_string()]);
    ground.store.pool().close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn people_who_are_renamed_and_adopted_in_any_order_stay_who_they_are(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let ground = merciless(options, database).await;
    let workers = workers(&ground).await;
    // Some are known by their names alone at first.
    let known = (0..CROWD).map(|n| person(&n.to_string(), &format!("p{n}"), None));
    workers[0].commit(members(known)).await;
    for seed in 0..ROUNDS {
        println!("seed {seed}");
        let random = &mut StdRng::seed_from_u64(seed);
        // In each round everybody bears the name that somebody else had in the last one.
        let named: Vec<Member> = (0..CROWD)
            .map(|n| account(&format!("p{}", (n + seed) % CROWD), n.to_string().as_str()))
            .collect();
        let pages = (0..WORKERS)
            .map(|_| Page { operations: members(shuffled(&named, random)), ..Page::default() });
        commit_at_once(&workers, pages.collect()).await;
    }

    let stored = "select concat_ws(' ', (select count(*) from members), (select count(*) from member_identities),
                      count(distinct m.id))
                  from members m join member_identities i on i.member_id = m.id
                  where i.source_id = m.display_name
                      and i.username = 'p' || ((m.display_name::int + 4) % (select count(*) from members))";
    assert_eq!(ground.lines(stored).await, [format!("{CROWD} {CROWD} {CROWD}")]);
    ground.store.pool().close().await;
}

/// Commits the page of whom the first adds, and that of whom the second mentions before the first is
/// committed.
async fn commit_into_each_other(ground: &Ground, first: Member, second: Member) {
    let held = ground.hold().await;
    let commit = |member: Member| {
        let held = held.clone();
        tokio::spawn(async move { held.commit(members([member])).await })
    };
    let gate = Gate::before_committing(ground, "members", "new.display_name = 'Ada'").await;
    let first = commit(first);
    gate.until_waiting(1).await;
    let second = commit(second);
    gate.until_waiting(2).await;
    gate.open().await;
    first.await.unwrap();
    second.await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_account_met_by_its_id_while_a_page_adds_it_by_name_is_one(pool: PgPool) {
    let ground = Ground::on(pool).await;

    let (by_name, by_id) = (person("Ada", "ada", None), person("Countess", "ada", "1"));
    commit_into_each_other(&ground, by_name, by_id).await;

    assert_eq!(ground.lines(WHO).await, ["Ada ada 1"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_account_that_adopts_an_id_while_a_page_adds_that_id_is_that_one(pool: PgPool) {
    let ground = Ground::on(pool).await;
    ground.hold().await.commit(members([person("Somebody", "ada", None)])).await;

    let (by_another_name, by_id) = (person("Ada", "lovelace", "1"), account("ada", "1"));
    commit_into_each_other(&ground, by_another_name, by_id).await;

    assert_eq!(ground.lines(WHO).await, ["Ada ada 1"]);
}

const WHO: &str = "select concat_ws(' ', m.display_name, i.username, i.source_id)
                   from members m join member_identities i on i.member_id = m.id";
