//! Record limits in the quota ledger: what is left of one, and what a page takes of it.
//!
//! A page's records are counted in the page's transaction, so if and only if the page is committed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::{QuotaKey, ReadBook, Result, Store};
use crate::domain::quota::{Book, Terms};
use crate::domain::{RecordLimit, RunMode};

/// What is left of a record limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLeft {
    pub records: u64,
    /// When counting begins anew.
    pub resets_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
}

/// Which limit a page's records count against.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSpending {
    pub kind: String,
    pub limit: RecordLimit,
    pub mode: RunMode,
}

impl Store {
    /// What a run of this mode may still take of its kind's records.
    pub async fn quota_left(
        &self,
        kind: &str,
        limit: &RecordLimit,
        mode: RunMode,
    ) -> Result<QuotaLeft> {
        let ReadBook { book, now, .. } =
            self.quota_book(&QuotaKey::of_records(kind, limit)).await?;
        let terms = Terms::from(limit);
        Ok(QuotaLeft { records: book.left(&terms, mode, now), resets_at: terms.turns_at(now), now })
    }
}

/// Spends records in the page's transaction: counted if and only if the page is committed.
pub(super) async fn spend(
    tx: &mut PgConnection,
    spending: &RecordSpending,
    records: u64,
    now: DateTime<Utc>,
) -> Result<()> {
    let RecordSpending { kind, limit, mode } = spending;
    let key = QuotaKey::of_records(kind, limit);
    let mut book = locked_book(tx, &key, limit.records, now).await?;
    let terms = Terms::from(limit);
    book.spend(&terms, *mode, records, now);
    sqlx::query!(
        r#"
        update quota_ledger
        set book = $5, version = version + 1, spent = spent + $6, over_at = $7
        where owner = $1 and scope = $2 and class = $3 and per_ms = $4
        "#,
        key.owner,
        key.scope,
        key.class,
        key.per_ms,
        Json(&book) as _,
        records as i64,
        book.over_at(now),
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn locked_book(
    tx: &mut PgConnection,
    key: &QuotaKey,
    allowed: u64,
    now: DateTime<Utc>,
) -> Result<Book> {
    let Json(book) = sqlx::query_scalar!(
        r#"
        insert into quota_ledger as l (owner, scope, class, per_ms, over_at, allowed)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (owner, scope, class, per_ms) do update
        set version = l.version + 1, allowed = excluded.allowed
        returning book as "book: Json<Book>"
        "#,
        key.owner,
        key.scope,
        key.class,
        key.per_ms,
        now,
        allowed as i64,
    )
    .fetch_one(tx)
    .await?;
    Ok(book)
}
