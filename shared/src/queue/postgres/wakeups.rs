//! One connection that listens for all waiting receives of a process.

use std::sync::OnceLock;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::ANSWER_WITHIN;

pub(super) const CHANNEL: &str = "queue_messages";

/// A silent connection may be a dead one, so it is replaced; receives poll meanwhile.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// Between attempts to listen while the database is away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Tells when somebody has sent or given back a message.
pub(super) struct Wakeups {
    pool: PgPool,
    news: watch::Sender<()>,
    listening: OnceLock<AbortOnDropHandle<()>>,
}

impl Wakeups {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, news: watch::Sender::default(), listening: OnceLock::new() }
    }

    /// The first to subscribe starts the listening, so that a process that only sends has no
    /// connection for it.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.listening.get_or_init(|| {
            let listening = listen(self.pool.clone(), self.news.clone());
            AbortOnDropHandle::new(tokio::spawn(listening))
        });
        self.news.subscribe()
    }
}

async fn listen(pool: PgPool, news: watch::Sender<()>) {
    let forever = async {
        loop {
            if let Err(error) = hear(&pool, &news).await {
                tracing::debug!("not listening for messages, only polling: {error:#}");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    };
    // An error says that the pool was closed, which is the end.
    let _: sqlx::Result<()> = pool.close_event().do_until(forever).await;
}

/// Rings for each notification, and when listening begins: something may have come before.
async fn hear(pool: &PgPool, news: &watch::Sender<()>) -> anyhow::Result<()> {
    let mut listener = timeout(ANSWER_WITHIN, connect(pool)).await??;
    loop {
        news.send_replace(());
        match timeout(LONGEST_SILENCE, listener.try_recv()).await {
            Ok(heard) => drop(heard?),
            Err(_silence) => return Ok(()),
        }
    }
}

/// Not one of the pool's connections: a small pool would have none left to receive with.
async fn connect(pool: &PgPool) -> sqlx::Result<PgListener> {
    let own = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    let own = own.connect_lazy_with((*pool.connect_options()).clone());
    let mut listener = PgListener::connect_with(&own).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
