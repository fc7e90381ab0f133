//! What must be true once a fault is over, whichever it was.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::domain::{RunState, TenantId};
use shared::sdk::html;

use super::stage::Stage;
use super::until::until_good;

/// Until every run has ended and every message is gone.
const REST: Duration = Duration::from_secs(60);

/// A comment as it is stored, or as it should be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
struct Comment {
    source_id: String,
    source_parent_id: Option<String>,
    /// Whose row the row points to.
    parent: Option<String>,
    username: Option<String>,
    account: Option<String>,
    body: Option<String>,
    timestamp: DateTime<Utc>,
}

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
            self.check_comments(tenant).await;
        }
    }

    /// Waits until no run is live, no stream is in processing and no message is left.
    pub(crate) async fn until_at_rest(&self) {
        until_good("every run to end and every message to go", REST, async || {
            let live: Vec<String> = sqlx::query_scalar(
                "select concat_ws(' ', id, state, lease_holder, delayed_until, error)
                 from integration_runs where processed_at is null",
            )
            .fetch_all(self.pool())
            .await
            .map_err(|error| error.to_string())?;
            let messages = self.hints.count().await?;
            let at_rest = live.is_empty() && messages == 0;
            at_rest.then_some(()).ok_or(format!("{messages} messages, runs {live:?}"))
        })
        .await;
        assert_eq!(self.count("integration_streams where state = 'processing'").await, 0);
        assert_eq!(self.hints.dead_letters().await, []);
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

    /// Every comment is stored once, in its last version, below its parent.
    async fn check_comments(&self, tenant: TenantId) {
        let expected = self.devto.look(|community| {
            let expected = community.expected_comments();
            let shown: BTreeSet<_> =
                expected.iter().map(|comment| comment.id_code.clone()).collect();
            let comment = |comment: sandbox::devto::ExpectedComment| Comment {
                parent: comment.parent_id_code.clone().filter(|parent| shown.contains(parent)),
                source_id: comment.id_code,
                source_parent_id: comment.parent_id_code,
                username: Some(comment.username),
                account: Some(comment.user_id.to_string()),
                body: Some(html::sanitize(&comment.body_html)),
                timestamp: comment.created_at,
            };
            expected.into_iter().map(comment).collect::<BTreeSet<_>>()
        });
        let stored = self.comments(tenant).await;
        let missing: Vec<_> = expected.difference(&stored).take(3).collect();
        let wrong: Vec<_> = stored.difference(&expected).take(3).collect();
        assert!(missing.is_empty() && wrong.is_empty(), "missing: {missing:#?}\nwrong: {wrong:#?}");
    }

    async fn comments(&self, tenant: TenantId) -> BTreeSet<Comment> {
        let comments = sqlx::query_as(
            "select a.source_id, a.source_parent_id, parent.source_id as parent, i.username,
                i.source_id as account, a.body, a.timestamp
             from activities a
             left join activities parent on parent.id = a.parent_id
             left join member_identities i on i.member_id = a.member_id and i.platform = 'devto'
             where a.tenant_id = $1 and a.platform = 'devto' and a.type = 'comment'",
        );
        let comments: Vec<Comment> =
            comments.bind(tenant).fetch_all(self.pool()).await.expect("the comments");
        let count = comments.len();
        let different: BTreeSet<_> = comments.into_iter().collect();
        assert_eq!(different.len(), count, "comments that are stored twice");
        different
    }

    /// How many rows there are of a table, or of whatever stands behind `from`.
    pub(crate) async fn count(&self, from: &str) -> i64 {
        let count = format!("select count(*) from {from}");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count));
        count.fetch_one(self.pool()).await.expect("a count")
    }
}
