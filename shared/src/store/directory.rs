//! The tenant's members, as far as an integration may look them up.

use async_trait::async_trait;

use super::{Store, StoreError};
use crate::domain::TenantId;
use crate::sdk::{Directory, KnownAccount, Result};

/// The members of one tenant.
pub struct TenantMembers {
    store: Store,
    tenant: TenantId,
}

impl TenantMembers {
    pub fn of(store: &Store, tenant: TenantId) -> Self {
        Self { store: store.clone(), tenant }
    }
}

#[async_trait]
impl Directory for TenantMembers {
    async fn accounts(
        &self,
        platform: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<KnownAccount>> {
        let accounts = sqlx::query_as!(
            KnownAccount,
            r#"
            select i.username as "username!", i.source_id, (m.reach ->> i.platform)::bigint as reach
            from member_identities i
            join members m on m.id = i.member_id
            where i.tenant_id = $1 and i.platform = $2 and i.username > $3
            order by i.username
            limit $4
            "#,
            self.tenant.0,
            platform,
            after.unwrap_or_default(),
            most as i64,
        );
        let found = accounts.fetch_all(self.store.pool()).await.map_err(StoreError::from);
        found.map_err(|error| error.into_outcome("looking up known accounts"))
    }
}
