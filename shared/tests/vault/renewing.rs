//! F16: however many use a credential, in however many processes, one of them renews it.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::join_all;
use sandbox::proxy::Proxy;
use shared::domain::CredentialState;
use shared::sdk::SyncError;
use shared::store::Store;
use shared::vault::Vault;
use sqlx::PgPool;
use sqlx::postgres::{PgPoolOptions, PgSslMode};
use tokio::task::JoinSet;

use crate::ground::{Ground, User};
use crate::log::Log;

const USERS: usize = 50;
/// How long a connection to a database that is away is tried for.
const IMPATIENCE: Duration = Duration::from_secs(3);

/// Fifty users, spread over several processes.
async fn crowd(ground: &Ground, vaults: &[Vault], id: shared::domain::CredentialId) -> Vec<User> {
    (0..USERS).map(|n| ground.user(&vaults[n % vaults.len()], id)).collect()
}

async fn all_ask(users: &[User]) {
    let asking: JoinSet<()> = users.iter().map(User::asks).collect();
    asking.join_all().await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn fifty_users_in_several_processes_refresh_once_per_expiry(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let vaults = [ground.vault(), ground.vault(), ground.vault(), ground.vault()];
    let users = crowd(&ground, &vaults, id).await;
    all_ask(&users).await;
    assert_eq!(ground.platform.refreshes(), 0);

    for expiry in 1..=6 {
        // Before its time, at its time, and without a word of warning.
        match expiry % 3 {
            0 => ground.almost_outlive_the_token(),
            1 => ground.outlive_the_token(),
            _ => ground.platform.end_early(),
        }
        all_ask(&users).await;
        assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (expiry, 0));
    }

    let known = ground.known(id).await;
    assert_eq!((known.state, known.renewed_at), (CredentialState::Valid, Some(ground.clock.now())));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn who_is_dropped_cuts_off_no_renewal_and_closing_waits_for_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    ground.outlive_the_token();
    ground.platform.hold_answers(true);
    let vault = ground.vault();
    let asking = tokio::spawn(ground.user(&vault, id).asks());
    ground.platform.until_asked(1).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    assert!(vault.close().now_or_never().is_none());

    ground.platform.hold_answers(false);
    vault.close().await;

    assert_eq!(ground.version(id).await, 2);
    ground.user(&ground.vault(), id).ask().await.unwrap();
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 0));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_database_that_is_away_when_the_platform_answers_is_waited_for(pool: PgPool) {
    let log = Log::default();
    let _logging = log.begin();
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    ground.outlive_the_token();
    let (store, road) = behind_proxy(&ground).await;
    let vault = ground.vault_on(&store, "k1");
    ground.platform.hold_answers(true);
    let asking = tokio::spawn(ground.user(&vault, id).asks());
    ground.platform.until_asked(1).await;

    road.cut().await;
    ground.platform.hold_answers(false);
    log.until("storing a renewed credential, again in a second").await;
    assert!(vault.close().now_or_never().is_none());
    road.restore().await;
    vault.close().await;

    asking.await.unwrap();
    assert_eq!(ground.version(id).await, 2);
    ground.user(&ground.vault(), id).ask().await.unwrap();
    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (1, 0));
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_token_that_ended_while_its_answer_was_on_the_way_condemns_nothing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let [sleeper, other] = [ground.vault(), ground.vault()].map(|vault| ground.user(&vault, id));
    ground.platform.give_tokens_that_live_for(TimeDelta::seconds(100));
    ground.platform.end_early();
    ground.platform.hold_answers(true);
    let asking = [tokio::spawn(sleeper.asks()), tokio::spawn(other.asks())];
    ground.platform.until_asked(1).await;

    // As of a process that was suspended: it hears of the token when that has ended.
    ground.clock.advance(Duration::from_secs(110));
    ground.platform.hold_answers(false);
    for asking in asking {
        asking.await.unwrap();
    }

    assert_eq!((ground.platform.refreshes(), ground.platform.reuses()), (2, 0));
    assert_eq!(ground.known(id).await.state, CredentialState::Valid);
}

async fn behind_proxy(ground: &Ground) -> (Store, Proxy) {
    let database = ground.store.pool().connect_options();
    let server = (database.get_host(), database.get_port());
    let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
    let road = Proxy::to(server).await.unwrap();
    let database = (*database).clone().ssl_mode(PgSslMode::Disable);
    let database = database.host("127.0.0.1").port(road.addr().port());
    let pool = PgPoolOptions::new().acquire_timeout(IMPATIENCE).connect_lazy_with(database);
    (Store::new(pool, ground.clock.clone()), road)
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn while_a_token_is_good_a_renewal_that_fails_stops_nobody(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let vault = ground.vault();
    let user = ground.user(&vault, id);
    ground.platform.be_broken(true);
    ground.almost_outlive_the_token();
    let asked = join_all((0..10).map(|_| user.ask())).await;
    assert!(asked.iter().all(Result::is_ok));
    assert_eq!(ground.platform.asked(), 1, "it is not tried again at once");

    // Past the token's end, and the rest after the failure.
    ground.outlive_the_token();
    assert!(matches!(user.ask().await, Err(SyncError::Other(_))));
    assert_eq!(ground.known(id).await.state, CredentialState::Valid);
    let wait = user.ask().await;
    assert!(matches!(wait, Err(SyncError::RateLimited { .. })), "{wait:?}");
    assert_eq!(ground.platform.asked(), 2);

    ground.platform.be_broken(false);
    ground.clock.advance(Duration::from_secs(5));
    user.ask().await.unwrap();
    assert_eq!(ground.platform.refreshes(), 1);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_database_that_is_away_is_no_failure_of_who_asks(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let id = ground.bring().await.id;
    let (store, road) = behind_proxy(&ground).await;
    let user = ground.user(&ground.vault_on(&store, "k1"), id);
    road.cut().await;
    drop(road);
    store.pool().close().await;
    let asked = user.ask().await;
    assert!(matches!(asked, Err(SyncError::RateLimited { .. })), "{asked:?}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_database_that_is_being_stopped_is_no_failure_of_who_asks_either(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let user = ground.user(&ground.vault(), ground.bring().await.id);
    ground.outlive_the_token();
    let stop = "create function stopping() returns trigger language plpgsql as
            $$ begin raise 'terminating connection' using errcode = 'admin_shutdown'; end $$;
        create trigger stopping before update on credentials execute function stopping()";
    sqlx::raw_sql(stop).execute(ground.store.pool()).await.unwrap();
    let asked = user.ask().await;
    assert!(matches!(asked, Err(SyncError::RateLimited { .. })), "a renewal begins: {asked:?}");

    let stop = "create function is_stopping() returns boolean language plpgsql as
            $$ begin raise 'too many clients' using errcode = 'too_many_connections'; end $$;
        alter table credentials rename to credentials_there;
        create view credentials as select * from credentials_there where is_stopping()";
    sqlx::raw_sql(stop).execute(ground.store.pool()).await.unwrap();
    let asked = user.ask().await;
    assert!(matches!(asked, Err(SyncError::RateLimited { .. })), "it is looked for: {asked:?}");
}
