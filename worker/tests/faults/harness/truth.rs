//! What must be true once a fault is over, whichever it was.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::domain::{RunState, TenantId};

use super::platforms::{Platform, Record};
use super::stage::Stage;
use super::until::until_good;

/// Until every run has ended and every message is gone.
const REST: Duration = Duration::from_secs(60);

impl Stage {
    /// Waits for rest, then holds everything that is stored against the truth.
    pub(crate) async fn check(&self) {
        self.until_at_rest().await;
        self.check_runs().await;
        let tenants: Vec<TenantId> =
            sqlx::query_scalar("select distinct tenant_id from integrations")
                .fetch_all(self.pool())
                .await
                .expect("the tenants");
        for tenant in tenants {
            for platform in &self.platforms {
                self.check_records(tenant, &**platform).await;
            }
        }
        self.check_credentials().await;
        for platform in self.platforms.iter().filter(|_| self.mix.is_some()) {
            assert_eq!(platform.refused(), 0, "{} refused requests", platform.kind());
        }
    }

    /// The same on a mix, where people went on writing: after another check of everything, which
    /// begins with tokens that have ended.
    pub(crate) async fn check_again(&self) {
        if let Some(mix) = &self.mix {
            self.until_quiet().await;
            mix.x.twitter.expire_access_tokens();
            if !self.dead.borrow().is_empty() {
                self.find_the_lost().await;
            }
            // Reach is looked up of those who are known by then.
            for last in [false, true] {
                self.ask_for_checks(|kind| (kind == "twitter_reach") == last).await;
                self.until_at_rest().await;
            }
        }
        self.check().await;
    }

    /// Uses what lets us in at X, which shows whether it still does.
    async fn find_the_lost(&self) {
        self.end_renewals_of_the_dead().await;
        self.ask_for_checks(|kind| kind.starts_with("twitter")).await;
        self.until_quiet().await;
        self.reconnect_the_lost().await;
        self.until_at_rest().await;
    }

    /// On every platform, and of everything that is connected.
    pub(crate) async fn people_write_and_checks_are_asked_for(&self) {
        self.platforms.iter().for_each(|platform| platform.write());
        self.ask_for_checks(|_| true).await;
    }

    async fn ask_for_checks(&self, which: impl Fn(&str) -> bool) {
        let connected = self.connected.borrow().clone();
        for connected in connected.iter().filter(|connected| which(connected.kind)) {
            self.ask_for_check(connected).await;
        }
    }

    /// Waits until no run is live, no stream is in processing and no message is left.
    pub(crate) async fn until_at_rest(&self) {
        self.until_nothing("true").await;
        assert_eq!(self.count("integration_streams where state = 'processing'").await, 0);
        assert_eq!(self.hints.dead_letters().await, []);
    }

    /// The same, but for runs that wait for their tenant to reconnect.
    pub(crate) async fn until_quiet(&self) {
        self.until_nothing("send_at is not null").await;
    }

    async fn until_nothing(&self, of_runs: &str) {
        let live = format!(
            "select concat_ws(' ', i.kind, r.id, r.state, lease_holder, delay_reason, delayed_until, error)
             from integration_runs r join integrations i on i.id = r.integration_id
             where processed_at is null and {of_runs}"
        );
        until_good("every run to end and every message to go", REST, async || {
            let live = sqlx::query_scalar(sqlx::AssertSqlSafe(live.clone()));
            let live: Vec<String> =
                live.fetch_all(self.pool()).await.map_err(|error| error.to_string())?;
            let messages = self.hints.count().await?;
            let at_rest = live.is_empty() && messages == 0;
            at_rest.then_some(()).ok_or(format!("{messages} messages, runs {live:?}"))
        })
        .await;
    }

    /// Every accepted trigger has ended in one run that was processed, once; no two processes ever
    /// named the same lease.
    async fn check_runs(&self) {
        let accepted = self.accepted.borrow().clone();
        for run in accepted {
            let run = self.run(run).await;
            assert_eq!(run.state, RunState::Processed, "{:?}", run.error);
        }
        assert_eq!(self.count("integration_runs where state = 'error'").await, 0);
        assert_eq!(self.count("integration_streams where state <> 'processed'").await, 0);
        let endings = "(select after ->> 'id' from faults.writes
            where relation = 'integration_runs'
                and before ->> 'state' <> 'processed' and after ->> 'state' = 'processed'
            group by 1 having count(*) > 1) run";
        assert_eq!(self.count(endings).await, 0, "runs that were processed twice");
        let shared = "(select after ->> 'lease_token' token from faults.writes
            where after ->> 'lease_token' is distinct from before ->> 'lease_token'
            group by 1 having count(distinct process) > 1) lease where token is not null";
        assert_eq!(self.count(shared).await, 0, "leases with two holders");
    }

    /// Every record is stored once, in its last version, below its parent.
    async fn check_records(&self, tenant: TenantId, platform: &dyn Platform) {
        let (expected, stored) = (platform.truth(), self.stored(tenant, platform).await);
        let missing: Vec<_> = expected.difference(&stored).take(3).collect();
        let wrong: Vec<_> = stored.difference(&expected).take(3).collect();
        let kind = platform.kind();
        assert!(
            missing.is_empty() && wrong.is_empty(),
            "{kind}, missing: {missing:#?}\nwrong: {wrong:#?}"
        );
    }

    async fn stored(&self, tenant: TenantId, platform: &dyn Platform) -> BTreeSet<Record> {
        let records = sqlx::query_as(sqlx::AssertSqlSafe(platform.stored()));
        let records: Vec<Record> =
            records.bind(tenant).fetch_all(self.pool()).await.expect("the records");
        let count = records.len();
        let different: BTreeSet<_> = records.into_iter().collect();
        assert_eq!(different.len(), count, "records of {} that are stored twice", platform.kind());
        different
    }

    /// How many pages of dev.to there were to read, each with one request.
    pub(crate) async fn pages_of_devto(&self) -> u64 {
        let pages = "integration_streams s join integration_runs r on r.id = s.run_id
            join integrations i on i.id = r.integration_id where i.kind = 'devto'";
        self.count(pages).await as u64
    }

    /// How many rows there are of a table, or of whatever stands behind `from`.
    pub(crate) async fn count(&self, from: &str) -> i64 {
        let count = format!("select count(*) from {from}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count));
        count.fetch_one(self.pool()).await.expect("a count")
    }
}
