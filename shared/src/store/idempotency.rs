//! Requests that may be sent twice and are carried out once.
//!
//! A request with a key takes the key first: a row of its own, committed at once, since what follows
//! may ask a platform and no transaction waits for HTTP. What is done in the end is one transaction,
//! and the answer is written into the key's row inside of it. So there are three cases, and no fourth:
//!
//! * The answer is there: it was done, and is answered again letter by letter.
//! * Somebody holds the key: it is being carried out. At the end of the hold, if nothing came of it,
//!   whoever asks again takes the key over; the former holder's transaction then finds that the key
//!   is no longer its own, and comes to nothing.
//! * There is no row: nothing was done. A request that was refused leaves no key behind, so that it
//!   can be mended and sent again.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, Store, StoreError};
use crate::domain::TenantId;

/// A key, and what it was sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    tenant: TenantId,
    key: String,
    request_sha256: Vec<u8>,
    hold: Duration,
}

impl IdempotencyKey {
    /// How long a key is remembered.
    pub const LIFE: Duration = Duration::from_secs(24 * 3600);
    /// How long a request may take until it counts as dead: longer than a platform may take to
    /// answer (and a slow one only loses its key, never does things twice).
    pub const HOLD: Duration = Duration::from_secs(30);

    /// `request` is everything that makes two requests the same.
    pub fn new(tenant: TenantId, key: &str, request: &[u8]) -> Self {
        let request_sha256 = Sha256::digest(request).to_vec();
        Self { tenant, key: key.to_owned(), request_sha256, hold: Self::HOLD }
    }

    /// For a request that may take longer than others.
    #[must_use]
    pub fn held_for(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }
}

/// What came of taking a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenKey {
    /// The request is ours to carry out.
    Ours(HeldKey),
    /// It was carried out, and this was answered.
    Answered(KeptAnswer),
    /// The key was sent with another request.
    SentWithAnother,
    /// Somebody is carrying it out.
    Held,
}

/// The right to carry a request out, while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    tenant: TenantId,
    key: String,
    token: Uuid,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    pub status: u16,
    pub location: String,
    pub body: String,
}

/// Keeps the answer to what is done with it, in the same transaction.
pub struct Keep<'a, T> {
    pub key: &'a HeldKey,
    pub answer: &'a (dyn Fn(&T) -> KeptAnswer + Send + Sync),
}

// Two references, whatever is answered about.
impl<T> Clone for Keep<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Keep<'_, T> {}

impl Store {
    /// Takes the key, or says why not.
    pub async fn take_key(&self, key: &IdempotencyKey) -> Result<TakenKey> {
        self.forget_old_keys().await?;
        loop {
            if let Some(held) = self.try_take(key).await? {
                return Ok(TakenKey::Ours(held));
            }
            // Released between the two statements: then it can be taken.
            if let Some(known) = self.look_up(key).await? {
                return Ok(known);
            }
        }
    }

    async fn try_take(&self, key: &IdempotencyKey) -> Result<Option<HeldKey>> {
        let token = Uuid::new_v4();
        let taken = sqlx::query!(
            r#"
            insert into idempotency_keys as known (tenant_id, key, request_sha256, token, held_until, created_at)
            values (
                $1, $2, $3, $4, coalesce($6::timestamptz, now()) + make_interval(secs => $5), coalesce($6, now())
            )
            on conflict (tenant_id, key) do update
            set request_sha256 = excluded.request_sha256, token = excluded.token,
                held_until = excluded.held_until, created_at = excluded.created_at,
                status = null, location = null, body = null
            where (known.status is null and known.held_until < excluded.created_at)
                or known.created_at < excluded.created_at - make_interval(secs => $7)
            "#,
            key.tenant.0,
            key.key,
            key.request_sha256,
            token,
            key.hold.as_secs_f64(),
            self.clock.in_database(),
            IdempotencyKey::LIFE.as_secs_f64(),
        )
        .execute(&self.pool)
        .await?;
        let held = HeldKey { tenant: key.tenant, key: key.key.clone(), token };
        Ok((taken.rows_affected() == 1).then_some(held))
    }

    async fn look_up(&self, key: &IdempotencyKey) -> Result<Option<TakenKey>> {
        let known = sqlx::query!(
            r#"
            select request_sha256 = $3 as "same!", status, location, body
            from idempotency_keys
            where tenant_id = $1 and key = $2
            "#,
            key.tenant.0,
            key.key,
            key.request_sha256,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(known.map(|known| match (known.status, known.location, known.body) {
            _ if !known.same => TakenKey::SentWithAnother,
            (Some(status), Some(location), Some(body)) => {
                TakenKey::Answered(KeptAnswer { status: status as u16, location, body })
            }
            _ => TakenKey::Held,
        }))
    }

    /// Nothing was done with it: whoever sends it next carries it out.
    pub async fn release_key(&self, held: &HeldKey) -> Result<()> {
        sqlx::query!(
            "delete from idempotency_keys where tenant_id = $1 and key = $2 and token = $3 and status is null",
            held.tenant.0,
            held.key,
            held.token,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A few at a time, by everybody who brings a new one.
    async fn forget_old_keys(&self) -> Result<()> {
        sqlx::query!(
            r#"
            delete from idempotency_keys
            where (tenant_id, key) in (
                select tenant_id, key
                from idempotency_keys
                where created_at < coalesce($1::timestamptz, now()) - make_interval(secs => $2)
                order by created_at
                limit 100
                for update skip locked
            )
            "#,
            self.clock.in_database(),
            IdempotencyKey::LIFE.as_secs_f64(),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Keeps the answer in the caller's transaction, unless somebody took the key over.
pub(super) async fn keep<T>(tx: &mut PgConnection, keep: Keep<'_, T>, done: &T) -> Result<()> {
    let answer = (keep.answer)(done);
    let kept = sqlx::query!(
        r#"
        update idempotency_keys
        set status = $4, location = $5, body = $6
        where tenant_id = $1 and key = $2 and token = $3
        "#,
        keep.key.tenant.0,
        keep.key.key,
        keep.key.token,
        answer.status as i16,
        answer.location,
        answer.body,
    )
    .execute(tx)
    .await?;
    if kept.rows_affected() == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
}
