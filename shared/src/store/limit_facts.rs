//! What the quota ledger knows of the limits that a run's requests count against, to be told.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Result, Store};
use crate::domain::quota::{Book, Terms};
use crate::domain::{CountedBy, CredentialId, RequestLimit, Run};

/// What is known of a limit on requests that a run counts against.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitFacts {
    pub class: String,
    pub counted_by: CountedBy,
    /// In each window, as the platform says if it does.
    pub allowed: u64,
    pub per: Duration,
    /// For a run of this mode.
    pub left: u64,
    /// Until when the platform wants to be left alone.
    pub blocked_until: Option<DateTime<Utc>>,
    /// How many use it or want to.
    pub tenants: usize,
    /// When the run's tenant expects its turn, if it waits.
    pub turn: Option<DateTime<Utc>>,
}

impl LimitFacts {
    fn of(limit: &RequestLimit, book: &Book, run: &Run, now: DateTime<Utc>) -> Self {
        let terms = Terms::from(limit);
        Self {
            class: limit.class.to_string(),
            counted_by: limit.counted_by,
            allowed: book.allowed(&terms, now),
            per: limit.per,
            left: book.left(&terms, run.mode, now),
            blocked_until: book.blocked_until(now),
            tenants: book.tenants(now),
            turn: book.turn_of(run.tenant_id, run.mode, now),
        }
    }
}

impl Store {
    /// The limits that count requests of this run, if any were counted lately.
    pub async fn limit_facts(
        &self,
        run: &Run,
        credential: Option<CredentialId>,
    ) -> Result<Vec<LimitFacts>> {
        let known = credential.map(|id| id.0);
        let rows = sqlx::query!(
            r#"
            select coalesce($3::timestamptz, now()) as "now!", scope, class, per_ms, allowed,
                book as "book: Json<Book>"
            from quota_ledger
            where owner = coalesce((select platform from credentials where id = $4), $1)
                and scope in ('application', coalesce((select counted_as from credentials where id = $4), $2)::text)
                and over_at > coalesce($3::timestamptz, now())
            order by class, per_ms
            "#,
            run.kind,
            run.integration_id.0,
            self.clock.in_database(),
            known,
        )
        .fetch_all(&self.pool)
        .await?;
        let facts = rows.into_iter().map(|row| {
            let counted_by = match row.scope.as_str() {
                "application" => CountedBy::Application,
                _ => CountedBy::Credential,
            };
            let limit = RequestLimit {
                class: row.class.into(),
                allowed: u32::try_from(row.allowed).unwrap_or(u32::MAX),
                per: Duration::from_millis(row.per_ms.unsigned_abs()),
                counted_by,
            };
            LimitFacts::of(&limit, &row.book, run, row.now)
        });
        Ok(facts.collect())
    }
}
