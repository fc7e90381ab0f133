//! Pages about the same people and things, committed at the same moment, each in an order of its own:
//! they neither deadlock nor duplicate.

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use shared::domain::{Activity, Member};
use shared::store::Page;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Barrier;

use crate::gate::until_waiting;
use crate::ground::{Ground, Held};
use crate::records::{account, activities, comment, members, person};

const WORKERS: usize = 4;
const ROUNDS: u64 = 15;

/// Deadlocks are not resolved here: one becomes an error instead of being tried again.
async fn merciless(options: PgPoolOptions, database: PgConnectOptions) -> PgPool {
    let database = database.options([("deadlock_timeout", "1h"), ("lock_timeout", "10s")]);
    options.max_connections(10).connect_with(database).await.unwrap()
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
    let pool = merciless(options, database).await;
    let ground = Ground::on(pool.clone()).await;
    let workers = workers(&ground).await;
    for seed in 0..ROUNDS {
        println!("seed {seed}");
        let random = &mut StdRng::seed_from_u64(seed);
        // A thread of comments by twenty people, each answering another, mentioned by every page.
        let thread: Vec<Activity> = (0..40)
            .map(|n| Activity {
                source_parent_id: (n > 0).then(|| format!("{seed}-{}", random.random_range(0..n))),
                member: account(&format!("{seed}-{}", n % 20), None),
                ..comment(&format!("{seed}-{n}"))
            })
            .collect();
        let page = |random: &mut StdRng| Page {
            operations: activities(shuffled(&thread, random)),
            ..Page::default()
        };
        let pages = (0..WORKERS).map(|_| page(random)).collect();
        commit_at_once(&workers, pages).await;
    }

    let stored = "select concat_ws(' ', (select count(*) from members), (select count(*) from member_identities),
                      (select count(*) from activities), (select count(parent_id) from activities))";
    let people = 20 * ROUNDS;
    let things = 40 * ROUNDS;
    assert_eq!(
        ground.lines(stored).await,
        [format!("{people} {people} {things} {}", things - ROUNDS)]
    );
    pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn people_who_are_renamed_and_adopted_in_any_order_stay_who_they_are(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let pool = merciless(options, database).await;
    let ground = Ground::on(pool.clone()).await;
    let workers = workers(&ground).await;
    // Some are known by their names alone at first.
    let known = (0..30).map(|n| person(&n.to_string(), &format!("p{n}"), None));
    workers[0].commit(members(known)).await;
    for seed in 0..ROUNDS {
        println!("seed {seed}");
        let random = &mut StdRng::seed_from_u64(seed);
        // In each round everybody bears the name that somebody else had in the last one.
        let named: Vec<Member> = (0..30u64)
            .map(|n| account(&format!("p{}", (n + seed) % 30), n.to_string().as_str()))
            .collect();
        let pages = (0..WORKERS)
            .map(|_| Page { operations: members(shuffled(&named, random)), ..Page::default() });
        commit_at_once(&workers, pages.collect()).await;
    }

    let wrong =
        "select m.display_name || ' is called ' || i.username || ' and known as ' || i.source_id
                 from members m join member_identities i on i.member_id = m.id
                 where i.source_id is distinct from m.display_name
                     or i.username is distinct from 'p' || ((m.display_name::int + 14) % 30)";
    assert!(ground.lines(wrong).await.is_empty());
    let stored = "select concat_ws(' ', (select count(*) from members), (select count(*) from member_identities))";
    assert_eq!(ground.lines(stored).await, ["30 30"]);
    pool.close().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_account_met_by_its_id_while_a_page_adds_it_by_name_is_one(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;

    // Somebody has added it by its name, and has not committed yet.
    let mut other =
        PgConnection::connect_with(&ground.store.pool().connect_options()).await.unwrap();
    let mut other = other.begin().await.unwrap();
    sqlx::raw_sql(
        "with member as (
             insert into members (id, tenant_id, display_name)
             select gen_random_uuid(), id, 'Ada' from tenants
             returning id, tenant_id
         )
         insert into member_identities (tenant_id, platform, username, member_id)
         select tenant_id, 'toy', 'ada', id from member",
    )
    .execute(&mut *other)
    .await
    .unwrap();
    let page = Page { operations: members([person("Countess", "ada", "1")]), ..Page::default() };
    let store = ground.store.clone();
    let committing = tokio::spawn(async move { store.commit_page(source, &page).await });
    until_waiting(ground.store.pool(), 1).await;
    other.commit().await.unwrap();

    committing.await.unwrap().expect("it finds the account that it waited for");
    let who = "select concat_ws(' ', m.display_name, i.username, i.source_id)
               from members m join member_identities i on i.member_id = m.id";
    assert_eq!(ground.lines(who).await, ["Ada ada 1"]);
}
