//! The quota ledger: a row per limit, with its book. What a book says is decided in
//! `domain/quota`; here it is read, and written if nobody did meanwhile: two statements without a
//! transaction. Records are counted in the page's own (`records_quota.rs`).

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::{Result, Store};
use crate::domain::quota::Book;
use crate::domain::{CountedBy, IntegrationId, RecordLimit, RequestLimit};

/// Rows that are over and go when another is made.
const FORGOTTEN_AT_ONCE: i64 = 20;

/// Which row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuotaKey {
    /// A platform; of records, a kind.
    pub owner: String,
    pub scope: String,
    pub class: String,
    pub(super) per_ms: i64,
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

impl QuotaKey {
    /// Of the platform, since its kinds may use one credential, and the platform counts together
    /// what they send. `credential` is what tells it from the platform's others.
    pub fn of_requests(platform: &str, credential: &str, limit: &RequestLimit) -> Self {
        let scope = match limit.counted_by {
            CountedBy::Credential => credential,
            CountedBy::Application => "application",
        };
        let per_ms = limit.per.as_millis().max(1) as i64;
        Self { owner: platform.into(), scope: scope.into(), class: limit.class.to_string(), per_ms }
    }

    pub fn of_records(kind: &str, limit: &RecordLimit) -> Self {
        let per_ms = limit.per.as_millis().max(1) as i64;
        Self { owner: kind.into(), scope: "records".into(), class: "records".into(), per_ms }
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
            left join quota_ledger l on owner = $1 and scope = $2 and class = $3 and per_ms = $4
            "#,
            key.owner,
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
            where owner = $1 and scope = $2 and class = $3 and per_ms = $4 and version = $8
            "#,
            key.owner,
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
            insert into quota_ledger (owner, scope, class, per_ms, book, spent, over_at, allowed)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict do nothing
            "#,
            key.owner,
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
                select owner, scope, class, per_ms
                from quota_ledger
                where over_at < $1::timestamptz - interval '1 day'
                order by over_at
                limit $2
                for update skip locked
            )
            delete from quota_ledger l
            using over
            where (l.owner, l.scope, l.class, l.per_ms)
                = (over.owner, over.scope, over.class, over.per_ms)
            "#,
            now,
            FORGOTTEN_AT_ONCE,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
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
        left join credentials c on c.id = i.credential_id
        where i.id = $1 and l.owner = coalesce(c.platform, i.kind)
            and l.scope in ('application', coalesce(c.counted_as, i.id)::text)
            and l.book #> '{said,blocked}' is not null
        "#,
        integration.0,
    )
    .execute(tx)
    .await?;
    Ok(())
}
