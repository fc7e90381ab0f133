//! Requests within the platforms' limits, counted by all workers together.
//!
//! Every limit has a row in the database, with a book (`domain/quota`). A worker leases a slice of it,
//! spends it request by request without asking anybody, and says when the last one was answered.
//! What is waited for shortly is waited for in place, holding nothing but the stream; longer waits
//! are answered by [`SyncError::OverQuota`], and the run goes to sleep until its turn.
//!
//! One [`Ledger`] per process: those who want from the same row ask one after the other, and take
//! along what the others have to settle.

mod row;
mod slices;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use metrics::histogram;
use tokio::time::timeout;
use tracing::warn;

use self::row::{Row, Taken, Who};
use self::slices::Permit;
use crate::domain::quota::Terms;
use crate::domain::{RequestLimit, RunMode, Said, TenantId};
use crate::sdk::{Quota, Result, Spending, Spent, SyncError};
use crate::store::{QuotaKey, Store};

/// Longer waits release the worker.
const IN_PLACE: Duration = Duration::from_secs(5);
/// The longest that giving back may take.
const MOMENT: Duration = Duration::from_secs(1);
/// When the database does not answer.
const WITHOUT_DATABASE: Duration = Duration::from_secs(5);

/// Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    store: Store,
    rows: Arc<Mutex<HashMap<QuotaKey, Arc<Row>>>>,
}

/// Whose requests they are.
#[derive(Clone, Debug)]
pub struct Spender {
    /// Where the requests go.
    pub platform: String,
    pub tenant: TenantId,
    pub mode: RunMode,
    /// What tells this credential from the others of its platform.
    pub credential: String,
}

impl Spender {
    /// Somebody looks at a screen until they are answered: that is counted as checks are.
    pub fn while_waited_for(platform: &str, tenant: TenantId, credential: String) -> Self {
        Self { platform: platform.to_owned(), tenant, mode: RunMode::Check, credential }
    }
}

impl Ledger {
    pub fn of(store: Store) -> Self {
        Self { store, rows: Arc::default() }
    }

    /// What counts the requests of a run.
    pub fn counts(&self, spender: Spender) -> Arc<dyn Quota> {
        Arc::new(Counting { ledger: self.clone(), spender })
    }

    /// The spender sends nothing for now: what it has left goes to others. It takes a moment at the
    /// most; what is not given back by then counts as spent.
    pub async fn let_go(&self, tenant: TenantId, mode: RunMode) {
        let who = Who { tenant, mode };
        for row in self.rows_of(who) {
            // Whole statements, and no transaction that could be cut off.
            match timeout(MOMENT, row.let_go(&self.store, who)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => warn!("what is left of a slice counts as spent: {error}"),
                Err(_) => warn!("what is left of a slice counts as spent: no answer"),
            }
        }
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|_, row| Arc::strong_count(row) > 1 || !row.is_idle());
    }

    fn rows_of(&self, who: Who) -> Vec<Arc<Row>> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.values().filter(|row| row.knows(who)).cloned().collect()
    }

    fn row(&self, spender: &Spender, limit: &RequestLimit) -> Arc<Row> {
        let key = QuotaKey::of_requests(&spender.platform, &spender.credential, limit);
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(key).or_insert_with_key(|key| {
            Arc::new(Row::of(key.clone(), Terms::from(limit), self.store.clock().clone()))
        });
        Arc::clone(row)
    }
}

struct Counting {
    ledger: Ledger,
    spender: Spender,
}

#[async_trait]
impl Quota for Counting {
    async fn spend(&self, spending: &[Spending]) -> Result<Spent> {
        let clock = self.ledger.store.clock();
        let began = clock.running();
        loop {
            let (class, wait) = match self.take_all(spending).await? {
                Ok(permits) => {
                    self.waited(spending, clock.running().saturating_sub(began));
                    return Ok(Spent::until_dropped(permits));
                }
                Err(wait) => wait,
            };
            if clock.running().saturating_sub(began) + wait > IN_PLACE {
                self.waited(spending, wait);
                return Err(SyncError::OverQuota { class, retry_after: wait });
            }
            clock.sleep_until(clock.now() + wait).await;
        }
    }

    async fn heed(&self, limit: &RequestLimit, said: Said) {
        let row = self.ledger.row(&self.spender, limit);
        if let Err(error) = row.heed(&self.ledger.store, self.who(), said).await {
            warn!(class = %limit.class, "what the platform said of a limit is not noted: {error}");
        }
    }

    async fn answered(&self, spending: &[Spending]) {
        for Spending { limit, .. } in spending {
            let row = self.ledger.row(&self.spender, limit);
            if let Err(error) = row.answered(&self.ledger.store, self.who()).await {
                warn!(class = %limit.class, "that a slice is over is not noted: {error}");
            }
        }
    }
}

impl Counting {
    fn who(&self) -> Who {
        Who { tenant: self.spender.tenant, mode: self.spender.mode }
    }

    /// Of every limit, or of none: then of which one it is to be waited for, and how long.
    async fn take_all(
        &self,
        spending: &[Spending],
    ) -> Result<Result<Vec<Permit>, (String, Duration)>> {
        let mut permits = Vec::with_capacity(spending.len());
        for Spending { limit, cost } in spending {
            let row = self.ledger.row(&self.spender, limit);
            match row.take(&self.ledger.store, self.who(), u64::from(*cost)).await {
                Ok(Taken::Permit(permit)) => permits.push(permit),
                Ok(Taken::Wait(wait)) => {
                    permits.into_iter().for_each(Permit::give_back);
                    return Ok(Err((limit.class.to_string(), wait)));
                }
                Err(error) => {
                    warn!(class = %limit.class, "the quota ledger cannot be asked: {error}");
                    permits.into_iter().for_each(Permit::give_back);
                    let class = limit.class.to_string();
                    return Err(SyncError::OverQuota { class, retry_after: WITHOUT_DATABASE });
                }
            }
        }
        Ok(Ok(permits))
    }

    fn waited(&self, spending: &[Spending], wait: Duration) {
        let (Some(Spending { limit, .. }), false) = (spending.first(), wait.is_zero()) else {
            return;
        };
        let (platform, class) = (self.spender.platform.clone(), without_ids(&limit.class));
        histogram!("quota_wait_seconds", "platform" => platform, "class" => class).record(wait);
    }
}

/// What a class is called in metrics: some have a limit for each channel.
fn without_ids(class: &str) -> String {
    let segment = |segment: &str| match segment.starts_with(|first: char| first.is_ascii_digit()) {
        true => "*".to_owned(),
        false => segment.to_owned(),
    };
    class.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_becomes_a_label() {
        assert_eq!(without_ids("channels/41771983423143937/messages"), "channels/*/messages");
        assert_eq!(without_ids("conversations.history"), "conversations.history");
    }
}
