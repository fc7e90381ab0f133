//! The quota ledger: a row per limit, with its book. What a book says is decided in
//! `domain/quota`; here it is read and written.
//!
//! A request's limit is written by two statements without a transaction: read the book, write it if
//! nobody did meanwhile. A page's records are written in the page's transaction, so that they are
//! counted if and only if the page is committed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::{Result, Store};
use crate::domain::quota::{Book, Terms};
use crate::domain::{
    CountedBy, CredentialId, IntegrationId, RecordLimit, RequestLimit, Run, RunMode,
};

/// Rows that are over and go when another is made.
const FORGOTTEN_AT_ONCE: i64 = 20;

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

/// Which row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuotaKey {
    pub kind: String,
    pub scope: String,
    pub class: String,
    per_ms: i64,
}

/// A book as it was read.
#[derive(Clone, Debug)]
pub struct ReadBook {
    pub book: Book,
    /// By the clock that counts.
    pub now: DateTime<Utc>,
    /// `None`: there was no row.
    version: Option<i64>,
}

/// What is left of a record limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLeft {
    pub records: u64,
    /// When counting begins anew.
    pub resets_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
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

impl QuotaKey {
    /// `credential` is what tells one credential of this kind from another.
    pub fn of_requests(kind: &str, credential: &str, limit: &RequestLimit) -> Self {
        let scope = match limit.counted_by {
            CountedBy::Credential => credential,
            CountedBy::Application => "application",
        };
        let per_ms = limit.per.as_millis().max(1) as i64;
        Self { kind: kind.into(), scope: scope.into(), class: limit.class.to_string(), per_ms }
    }

    pub fn of_records(kind: &str, limit: &RecordLimit) -> Self {
        let per_ms = limit.per.as_millis().max(1) as i64;
        Self { kind: kind.into(), scope: "records".into(), class: "records".into(), per_ms }
    }
}

impl Store {
    /// The book of a limit; an empty one if nothing counts.
    pub async fn quota_book(&self, key: &QuotaKey) -> Result<ReadBook> {
        let read = sqlx::query!(
            r#"
            select coalesce($5::timestamptz, now()) as "now!", l.book as "book?: Json<Book>",
                l.version as "version?"
            from (select) as one
            left join quota_ledger l on kind = $1 and scope = $2 and class = $3 and per_ms = $4
            "#,
            key.kind,
            key.scope,
            key.class,
            key.per_ms,
            self.clock.in_database(),
        )
        .fetch_one(&self.pool)
        .await?;
        let book = read.book.map(|Json(book)| book).unwrap_or_default();
        Ok(ReadBook { book, now: read.now, version: read.version })
    }

    /// Whether it was written: not, if somebody else wrote it since it was read. `spent` is only
    /// for people.
    pub async fn write_quota_book(
        &self,
        key: &QuotaKey,
        read: &ReadBook,
        allowed: u64,
        spent: u64,
    ) -> Result<bool> {
        let Some(version) = read.version else {
            return self.open_quota_book(key, read, allowed, spent).await;
        };
        let written = sqlx::query!(
            r#"
            update quota_ledger
            set book = $5, version = version + 1, spent = spent + $6, over_at = $7, allowed = $9
            where kind = $1 and scope = $2 and class = $3 and per_ms = $4 and version = $8
            "#,
            key.kind,
            key.scope,
            key.class,
            key.per_ms,
            Json(&read.book) as _,
            spent as i64,
            read.book.over_at(read.now),
            version,
            allowed as i64,
        )
        .execute(&self.pool)
        .await?;
        Ok(written.rows_affected() > 0)
    }

    async fn open_quota_book(
        &self,
        key: &QuotaKey,
        read: &ReadBook,
        allowed: u64,
        spent: u64,
    ) -> Result<bool> {
        let opened = sqlx::query!(
            r#"
            insert into quota_ledger (kind, scope, class, per_ms, book, spent, over_at, allowed)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict do nothing
            "#,
            key.kind,
            key.scope,
            key.class,
            key.per_ms,
            Json(&read.book) as _,
            spent as i64,
            read.book.over_at(read.now),
            allowed as i64,
        )
        .execute(&self.pool)
        .await?;
        self.forget_books_that_are_over(read.now).await?;
        Ok(opened.rows_affected() > 0)
    }

    /// A row that is made makes room for itself.
    async fn forget_books_that_are_over(&self, now: DateTime<Utc>) -> Result<()> {
        sqlx::query!(
            r#"
            with over as (
                select kind, scope, class, per_ms
                from quota_ledger
                where over_at < $1::timestamptz - interval '1 day'
                order by over_at
                limit $2
                for update skip locked
            )
            delete from quota_ledger l
            using over
            where (l.kind, l.scope, l.class, l.per_ms)
                = (over.kind, over.scope, over.class, over.per_ms)
            "#,
            now,
            FORGOTTEN_AT_ONCE,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The limits that count requests of this run, if any were counted lately.
    pub async fn limit_facts(
        &self,
        run: &Run,
        credential: Option<CredentialId>,
    ) -> Result<Vec<LimitFacts>> {
        let credential =
            credential.map_or_else(|| run.integration_id.to_string(), |id| id.to_string());
        let rows = sqlx::query!(
            r#"
            select coalesce($3::timestamptz, now()) as "now!", scope, class, per_ms, allowed,
                book as "book: Json<Book>"
            from quota_ledger
            where kind = $1 and scope in ('application', $2)
                and over_at > coalesce($3::timestamptz, now())
            order by class, per_ms
            "#,
            run.kind,
            credential,
            self.clock.in_database(),
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
        where kind = $1 and scope = $2 and class = $3 and per_ms = $4
        "#,
        key.kind,
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

/// Somebody wants to go on at once, whatever the platform said: it is asked, and may say so again.
pub(super) async fn forget_refusals(
    tx: &mut PgConnection,
    integration: IntegrationId,
) -> Result<()> {
    sqlx::query!(
        r#"
        update quota_ledger l
        set book = l.book #- '{said,blocked}', version = l.version + 1
        from integrations i
        where i.id = $1 and l.kind = i.kind
            and l.scope in ('application', coalesce(i.credential_id, i.id)::text)
            and l.book #> '{said,blocked}' is not null
        "#,
        integration.0,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Which limit a page's records count against.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordSpending {
    pub kind: String,
    pub limit: RecordLimit,
    pub mode: RunMode,
}

async fn locked_book(
    tx: &mut PgConnection,
    key: &QuotaKey,
    allowed: u64,
    now: DateTime<Utc>,
) -> Result<Book> {
    let Json(book) = sqlx::query_scalar!(
        r#"
        insert into quota_ledger as l (kind, scope, class, per_ms, over_at, allowed)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (kind, scope, class, per_ms) do update
        set version = l.version + 1, allowed = excluded.allowed
        returning book as "book: Json<Book>"
        "#,
        key.kind,
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
