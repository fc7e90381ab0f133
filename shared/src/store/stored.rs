//! How much is stored, all in all and by integration. Every row is counted: for a demonstration, not
//! for a dashboard.

use super::{Result, Store};
use crate::domain::IntegrationId;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub runs: i64,
    pub streams: i64,
    pub members: i64,
    pub activities: i64,
    /// Provider requests that runs have made so far.
    pub requests: i64,
}

/// What one integration has done so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredByIntegration {
    pub integration: IntegrationId,
    pub kind: String,
    pub runs: i64,
    pub streams: i64,
    pub requests: i64,
}

/// Activities of one type that an integration saw last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredByType {
    pub integration: IntegrationId,
    pub activity_type: String,
    pub activities: i64,
}

impl Store {
    pub async fn count_stored(&self) -> Result<Stored> {
        let stored = sqlx::query_as!(
            Stored,
            r#"
            select
                (select count(*) from integration_runs) as "runs!",
                (select count(*) from integration_streams) as "streams!",
                (select count(*) from members) as "members!",
                (select count(*) from activities) as "activities!",
                (select coalesce(sum(requests), 0) from integration_runs)::bigint
                    + (select coalesce(sum(requests), 0) from integration_streams)::bigint as "requests!"
            "#
        );
        Ok(stored.fetch_one(&self.pool).await?)
    }

    /// In the order of their kinds.
    pub async fn count_stored_by_integration(&self) -> Result<Vec<StoredByIntegration>> {
        let stored = sqlx::query_as!(
            StoredByIntegration,
            r#"
            select
                i.id as "integration: IntegrationId",
                i.kind,
                (select count(*) from integration_runs r where r.integration_id = i.id) as "runs!",
                of_streams.streams as "streams!",
                (select coalesce(sum(requests), 0) from integration_runs r where r.integration_id = i.id)::bigint
                    + of_streams.requests as "requests!"
            from integrations i
            cross join lateral (
                select count(*) as streams, coalesce(sum(s.requests), 0)::bigint as requests
                from integration_streams s
                join integration_runs r on r.id = s.run_id
                where r.integration_id = i.id
            ) of_streams
            order by i.kind, i.id
            "#
        );
        Ok(stored.fetch_all(&self.pool).await?)
    }

    /// In the order of integrations and types.
    pub async fn count_stored_by_type(&self) -> Result<Vec<StoredByType>> {
        let stored = sqlx::query_as!(
            StoredByType,
            r#"
            select integration_id as "integration!: IntegrationId", type as activity_type, count(*) as "activities!"
            from activities
            where integration_id is not null
            group by integration_id, type
            order by integration_id, type
            "#
        );
        Ok(stored.fetch_all(&self.pool).await?)
    }
}
