//! Lists of runs: a page at a time, newest first, and by an index whatever is wanted. What other
//! tenants have done is passed by, and so are a tenant's own runs in other states.

use uuid::Uuid;

use super::runs::select_runs;
use super::{Result, Store};
use crate::domain::{IntegrationId, Run, RunId, RunState, TenantId};

/// Which runs to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunFilter {
    pub tenant: Option<TenantId>,
    pub integration: Option<IntegrationId>,
    pub state: Option<RunState>,
    /// Only runs before this one in the list, newest first.
    pub before: Option<RunId>,
}

impl RunFilter {
    fn before(&self) -> Uuid {
        self.before.map_or(Uuid::max(), |before| before.0)
    }
}

impl Store {
    /// A page of runs, newest first.
    pub async fn runs(&self, filter: RunFilter, limit: i64) -> Result<Vec<Run>> {
        let ids = match (filter.tenant, filter.integration) {
            (Some(tenant), _) => self.list_of_a_tenant(tenant, filter, limit).await?,
            (None, Some(integration)) => match self.integration(integration).await? {
                Some(known) => self.list_of_a_tenant(known.tenant_id, filter, limit).await?,
                None => Vec::new(),
            },
            (None, None) => self.list_of_all(filter, limit).await?,
        };
        select_runs(&self.pool, &ids).await
    }

    /// The newest of each integration first, and of those the newest. Each state has its own index:
    /// nearly all runs are processed, an integration has one live run, and few have failed.
    async fn list_of_a_tenant(
        &self,
        tenant: TenantId,
        filter: RunFilter,
        limit: i64,
    ) -> Result<Vec<RunId>> {
        let ids = sqlx::query_scalar!(
            r#"
            select r.id as "id!: RunId"
            from integrations i
            cross join lateral (
                (
                    select id
                    from integration_runs
                    where integration_id = i.id and id < $4
                        and ($3::run_state is null or $3 = 'processed') and ($3 is null or state = 'processed')
                    order by id desc
                    limit $5
                )
                union all
                (
                    select id
                    from integration_runs
                    where integration_id = i.id and id < $4 and $3 = 'error' and state = 'error'
                    order by id desc
                    limit $5
                )
                union all
                select id
                from integration_runs
                where integration_id = i.id and id < $4
                    and $3 in ('pending', 'processing', 'delayed') and state = $3 and processed_at is null
            ) r
            where i.tenant_id = $1 and ($2::uuid is null or i.id = $2)
            order by r.id desc
            limit $5
            "#,
            tenant.0,
            filter.integration.map(|integration| integration.0),
            filter.state as Option<RunState>,
            filter.before(),
            limit,
        );
        Ok(ids.fetch_all(&self.pool).await?)
    }

    /// For whoever operates this.
    async fn list_of_all(&self, filter: RunFilter, limit: i64) -> Result<Vec<RunId>> {
        let ids = sqlx::query_scalar!(
            r#"
            select id as "id: RunId"
            from integration_runs
            where id < $2 and ($1::run_state is null or state = $1)
            order by id desc
            limit $3
            "#,
            filter.state as Option<RunState>,
            filter.before(),
            limit,
        );
        Ok(ids.fetch_all(&self.pool).await?)
    }
}
