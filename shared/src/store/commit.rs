//! The page transaction: everything a page brought, or nothing of it.
//!
//! Marking the stream comes first, because it is the fence: it names the lease under which the
//! stream was taken and locks the row, so a worker that lost its lease writes nothing, and a worker
//! that is about to take over waits for a page that is being committed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::activities::{self, WithMembers};
use super::mentions::{Mentioned, Mentions};
use super::records_quota::{RecordSpending, spend};
use super::streams::add_streams;
use super::{Result, Store, StoreError, clean, organizations, retrying_collisions, updates};
use crate::domain::{
    Activity, IntegrationId, Lease, Member, Operation, RawStream, StreamId, TenantId,
};
use crate::sdk::LastRecord;

/// What stepping a stream brought, ready to be committed.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub operations: Vec<Operation>,
    /// New streams, and the next page if there is one.
    pub streams: Vec<RawStream>,
    pub last_record: Option<LastRecord>,
    /// What the run's end should know of it.
    pub mark: Option<String>,
    /// Provider requests it took.
    pub requests: u64,
    /// The record limit it counts against.
    pub spends: Option<RecordSpending>,
}

/// Whose page it is.
#[derive(Clone, Copy, Debug)]
pub struct PageSource {
    pub lease: Lease,
    pub stream: StreamId,
    pub tenant: TenantId,
    pub integration: IntegrationId,
}

impl Page {
    pub fn records(&self) -> usize {
        self.operations.iter().map(Operation::records).sum()
    }
}

impl Store {
    /// Commits a page, or says that the stream is no longer ours. Two pages that stand in each
    /// other's way are tried again, a few times: everything needed is in hand.
    pub async fn commit_page(&self, source: PageSource, page: &Page) -> Result<()> {
        retrying_collisions(|| self.try_commit(source, page)).await
    }

    /// Carries out operations in one transaction, as committing a page does, and nothing besides: no
    /// run, no stream, no lease, hence no fence. It is the sink by itself, the floor that
    /// `millrace bench` measures the engine against; the engine commits pages.
    pub async fn apply_operations(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
        operations: &[Operation],
    ) -> Result<()> {
        for _ in 0..3 {
            match self.try_apply(tenant, integration, operations).await {
                Err(error) if error.is_collision() => continue,
                settled => return settled,
            }
        }
        self.try_apply(tenant, integration, operations).await
    }

    async fn try_apply(
        &self,
        tenant: TenantId,
        integration: IntegrationId,
        operations: &[Operation],
    ) -> Result<()> {
        let mut tx = self.begin_by_index().await?;
        apply(&mut tx, tenant, integration, operations, self.clock.in_database()).await?;
        Ok(tx.commit().await?)
    }

    async fn try_commit(&self, source: PageSource, page: &Page) -> Result<()> {
        let now = self.clock.in_database();
        let records = page.records();
        if records == 0 && page.streams.is_empty() {
            // One statement is a transaction of its own.
            let mut connection = self.pool.acquire().await?;
            return mark_processed(&mut connection, source, page, now).await.map(drop);
        }
        let mut tx = self.begin_by_index().await?;
        let processed_at = mark_processed(&mut tx, source, page, now).await?;
        apply(&mut tx, source.tenant, source.integration, &page.operations, now).await?;
        add_streams(&mut tx, source.lease.run_id, &page.streams, processed_at).await?;
        if let Some(spending) = page.spends.as_ref().filter(|_| records > 0) {
            // Last, because everybody of this kind writes this row.
            spend(&mut tx, spending, records as u64, processed_at).await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn mark_processed(
    connection: &mut PgConnection,
    source: PageSource,
    page: &Page,
    now: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        r#"
        update integration_streams
        set state = 'processed', lease_token = null, error = null,
            processed_at = coalesce($3::timestamptz, now()),
            records = $4, requests = requests + $5,
            last_record_id = $6, last_record_at = $7, mark = $8
        where id = $1 and lease_token = $2
        returning processed_at as "processed_at!"
        "#,
        source.stream.0,
        source.lease.token,
        now,
        page.records() as i64,
        page.requests as i64,
        page.last_record.as_ref().map(|last| clean::text(&last.id).into_owned()),
        page.last_record.as_ref().map(|last| clean::timestamp(last.at)),
        page.mark.as_deref().map(|mark| clean::text(mark).into_owned()),
    )
    .fetch_optional(connection)
    .await?
    .ok_or(StoreError::LeaseLost)
}

/// The operations in a handful of statements, however many records there are.
async fn apply(
    tx: &mut PgConnection,
    tenant: TenantId,
    integration: IntegrationId,
    operations: &[Operation],
    now: Option<DateTime<Utc>>,
) -> Result<()> {
    let mut mentions = Mentions::default();
    let mut doers = Vec::new();
    let mut known = Vec::new();
    let mut told = Vec::new();
    for operation in operations {
        match operation {
            Operation::UpsertMembers(members) => {
                for member in members {
                    mentions.mention(member.clone());
                }
            }
            Operation::UpdateMembers(members) => known.extend(members.iter().cloned()),
            Operation::UpsertOrganizations(organizations) => told.extend_from_slice(organizations),
            Operation::UpsertActivities(activities) => {
                for activity in activities {
                    let member = mentions.mention(doer(activity));
                    let object =
                        activity.object_member.clone().map(|object| mentions.mention(object));
                    doers.push((activity, member, object));
                }
            }
        }
    }
    let Mentioned { ids, belonging } = mentions.upsert(tx, tenant, now).await?;
    organizations::upsert(tx, tenant, told, belonging, now).await?;
    let activities = doers
        .into_iter()
        .map(|(activity, member, object)| WithMembers {
            activity: activity.clone(),
            member: ids[member],
            object_member: object.map(|object| ids[object]),
        })
        .collect();
    activities::upsert(tx, tenant, integration, activities, now).await?;
    if known.is_empty() {
        return Ok(());
    }
    updates::update(tx, tenant, &known, now).await
}

/// Who did it: whatever they did, they had joined by then. The epoch stands for "time unknown".
fn doer(activity: &Activity) -> Member {
    let mut member = activity.member.clone();
    let signs = member.joined_at.into_iter().chain([activity.timestamp]);
    member.joined_at = signs.filter(|at| *at > DateTime::UNIX_EPOCH).min();
    member
}
