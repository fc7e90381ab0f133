//! The queue in PostgreSQL: the examination, and what it promises beyond.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::DateTime;
use shared::clock::Clock;
use shared::queue::postgres::PostgresQueue;
use shared::queue::{MOST_AT_ONCE, Outgoing, Queue, Receipt, Received, Redelivery};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::examination::{self, Examinee, each_property};
use crate::gate::{Gate, Server};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

struct Postgres {
    gate: Gate,
    options: PgPoolOptions,
    database: PgConnectOptions,
    opened: Mutex<Vec<PgPool>>,
}

impl Postgres {
    async fn behind_gate(options: PgPoolOptions, database: PgConnectOptions) -> Self {
        let gate = Gate::before(server(&database)).await;
        let database = database.host("127.0.0.1").port(gate.address.port());
        Self { gate, options, database, opened: Mutex::default() }
    }

    async fn close(self) {
        let opened = self.opened.into_inner().expect("no panic");
        for pool in opened {
            pool.close().await;
        }
    }
}

fn server(database: &PgConnectOptions) -> Server {
    let (host, port) = (database.get_host(), database.get_port());
    match database.get_socket() {
        Some(directory) => Server::Unix(directory.join(format!(".s.PGSQL.{port}"))),
        None if host.starts_with('/') => Server::Unix(format!("{host}/.s.PGSQL.{port}").into()),
        None => Server::Tcp(format!("{host}:{port}")),
    }
}

impl Examinee for Postgres {
    fn clock(&self) -> Clock {
        Clock::System
    }

    async fn open(&self, redelivery: Redelivery) -> Arc<dyn Queue> {
        let pool = self.options.clone().connect_with(self.database.clone()).await;
        let pool = pool.expect("the database is there");
        self.opened.lock().expect("no panic").push(pool.clone());
        Arc::new(PostgresQueue::new(pool, Clock::System, redelivery))
    }

    fn go_away(&self) {
        self.gate.shut();
    }

    fn come_back(&self) {
        self.gate.open();
    }
}

macro_rules! examine {
    ($($property:ident)*) => {$(
        #[sqlx::test(migrator = "MIGRATIONS")]
        async fn $property(options: PgPoolOptions, database: PgConnectOptions) {
            let postgres = Postgres::behind_gate(options, database).await;
            examination::$property(&postgres).await;
            postgres.close().await;
        }
    )*};
}
each_property!(examine);

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_queue_that_hangs_is_an_error_in_bounded_time(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let postgres = Postgres::behind_gate(options, database).await;
    examination::a_queue_that_hangs_is_an_error_in_bounded_time(&postgres, &postgres.gate).await;
    postgres.close().await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn one_groups_backlog_does_not_hold_up_the_others(pool: PgPool) {
    let queue = queue(&pool);
    queue.send(&vec![of("noisy"); 200]).await.expect("sent");
    receive(&queue, 10).await;
    queue.send(&[of("quiet"), of("silent"), of("quiet")]).await.expect("sent");

    let served = groups(&receive(&queue, 10).await);
    // Both groups' first in the current round, the quiet one's second in the next.
    assert_eq!((served["silent"], served["quiet"]), (1, 2));
    assert_eq!(served["noisy"], 7);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_backlog_is_served_although_others_keep_sending(pool: PgPool) {
    let queue = queue(&pool);
    queue.send(&vec![of("noisy"); 50]).await.expect("sent");
    // Somebody works on the first message all the while.
    receive(&queue, 1).await;
    let mut noisy = 0;
    for _ in 0..20 {
        queue.send(&[of("steady"), of("other"), of("third")]).await.expect("sent");
        // Less is received than sent.
        let received = receive(&queue, 3).await;
        noisy += groups(&received).get("noisy").copied().unwrap_or(0);
        for message in received {
            queue.acknowledge(&message.receipt).await.expect("acknowledged");
        }
    }
    // A quarter of 60, as each of the four.
    assert!((13..=17).contains(&noisy), "{noisy} of the backlog were served");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn dead_letters_sent_again_join_the_rounds(pool: PgPool) {
    let queue = queue(&pool);
    queue.send(&vec![of("noisy"); 20]).await.expect("sent");
    for message in [receive(&queue, 10).await, receive(&queue, 10).await].concat() {
        queue.dead_letter(&message, "no such type").await.expect("moved");
    }
    assert_eq!(queue.requeue_dead_letters(100).await.expect("sent again"), 20);
    queue.send(&[of("quiet")]).await.expect("sent");
    assert_eq!(groups(&receive(&queue, 2).await)["quiet"], 1);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn many_receivers_share_the_messages_without_overlap(pool: PgPool) {
    let queue = queue(&pool);
    let messages: Vec<_> = (0..200).map(|n| Outgoing { body: n.to_string(), ..of("a") }).collect();
    queue.send(&messages).await.expect("sent");
    let receiving = (0..40).map(|_| receive(&queue, 7));
    let received = futures_util::future::join_all(receiving).await.concat();
    let mut bodies: Vec<_> = received.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies.len(), 200);
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), 200);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_waiting_receive_is_told_rather_than_looking_every_second(pool: PgPool) {
    let queue = queue(&pool);
    let begun = Instant::now();
    for _ in 0..30 {
        let (received, ()) = tokio::join!(queue.receive(1, Duration::from_secs(20)), async {
            // Meanwhile the receive has looked, and waits.
            for _ in 0..5 {
                queue.check().await.expect("it is there");
            }
            queue.send(&[of("tenant")]).await.expect("sent");
        });
        queue.acknowledge(&received.expect("received")[0].receipt).await.expect("acknowledged");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_message_posted_by_hand_is_found_without_being_told(pool: PgPool) {
    let queue = queue(&pool);
    let by_hand = sqlx::query("insert into queue_messages (body) values ('{}')").execute(&pool);
    let (received, posted) = tokio::join!(queue.receive(1, Duration::from_secs(20)), by_hand);
    posted.expect("posted");
    let received = received.expect("received");
    assert_eq!((received[0].body.as_str(), &received[0].group), ("{}", &None));
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn it_goes_by_the_clock_it_is_given(pool: PgPool) {
    let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
    let queue = PostgresQueue::new(pool.clone(), clock.clone(), Redelivery::default());
    let delay = Duration::from_secs(600);
    queue.send(&[Outgoing { delay, ..of("tenant") }]).await.expect("sent");
    assert!(receive(&queue, 1).await.is_empty());

    let (received, ()) = tokio::join!(queue.receive(1, Duration::from_secs(20)), async {
        clock.advance(delay);
    });
    assert_eq!(received.expect("received")[0].receives, 1);
    clock.advance(Redelivery::default().visibility);
    assert_eq!(receive(&queue, 1).await[0].receives, 2);
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn an_old_receipt_does_nothing_and_a_foreign_one_is_an_error(pool: PgPool) {
    let clock = Clock::standing_at(DateTime::UNIX_EPOCH);
    let queue = PostgresQueue::new(pool.clone(), clock.clone(), Redelivery::default());
    queue.send(&[of("tenant")]).await.expect("sent");
    let old = receive(&queue, 1).await.remove(0);
    clock.advance(Redelivery::default().visibility);
    let current = receive(&queue, 1).await.remove(0);

    queue.acknowledge(&old.receipt).await.expect("ignored");
    queue.keep_invisible(&old.receipt, Duration::ZERO).await.expect("ignored");
    queue.dead_letter(&old, "late").await.expect("ignored");
    assert_eq!(queue.depth().await.expect("counted"), 0);
    assert_eq!(queue.dead_letters(1).await.expect("listed"), []);

    queue.keep_invisible(&current.receipt, Duration::ZERO).await.expect("given back");
    assert_eq!(queue.depth().await.expect("counted"), 1);
    let foreign = Receipt("AQEB…".into());
    queue.acknowledge(&foreign).await.expect_err("not of this queue");
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_statement_that_hangs_is_an_error_and_gives_its_connection_back(
    options: PgPoolOptions,
    database: PgConnectOptions,
) {
    let mut other = PgConnection::connect_with(&database).await.expect("connected");
    let pool = options.max_connections(1).connect_with(database).await.expect("connected");
    let queue = queue(&pool);
    queue.send(&[of("tenant")]).await.expect("sent");

    let mut locking = other.begin().await.expect("begun");
    let lock = "lock table queue_messages in access exclusive mode";
    sqlx::query(lock).execute(&mut *locking).await.expect("locked");
    let begun = Instant::now();
    queue.check().await.expect_err("it waits for the lock");
    sqlx::query("select 1").execute(&pool).await.expect("the connection is free again");
    queue.send(&[of("tenant")]).await.expect_err("it waits for the lock");
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());

    locking.rollback().await.expect("unlocked");
    queue.check().await.expect("it answers again");
    other.close().await.expect("closed");
    pool.close().await;
}

#[sqlx::test(migrator = "MIGRATIONS")]
async fn a_pool_of_one_connection_is_enough(options: PgPoolOptions, database: PgConnectOptions) {
    let pool = options.max_connections(1).connect_with(database).await.expect("connected");
    let queue = queue(&pool);
    let sending = [of("tenant")];
    let (received, sent) =
        tokio::join!(queue.receive(1, Duration::from_secs(20)), queue.send(&sending));
    sent.expect("sent");
    assert_eq!(received.expect("received").len(), 1);
    pool.close().await;
}

fn queue(pool: &PgPool) -> PostgresQueue {
    PostgresQueue::new(pool.clone(), Clock::System, Redelivery::default())
}

fn of(group: &str) -> Outgoing {
    Outgoing { body: "{}".into(), group: group.into(), delay: Duration::ZERO, trace: None }
}

async fn receive(queue: &PostgresQueue, max: usize) -> Vec<Received> {
    assert!(max <= MOST_AT_ONCE);
    queue.receive(max, Duration::ZERO).await.expect("received")
}

/// How many of each group.
fn groups(received: &[Received]) -> HashMap<String, usize> {
    let mut groups = HashMap::new();
    for message in received {
        *groups.entry(message.group.clone().expect("a group")).or_default() += 1;
    }
    groups
}
