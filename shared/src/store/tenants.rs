//! Tenants, and the tokens that let them in.

use sha2::{Digest, Sha256};

use super::{Result, Store};
use crate::domain::TenantId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
}

impl Store {
    /// A new tenant, let in by `token`, of which only a hash is stored.
    pub async fn add_tenant(&self, name: &str, token: &str) -> Result<Tenant> {
        let id = TenantId::new();
        sqlx::query!(
            r#"
            with tenant as (insert into tenants (id, name) values ($1, $2))
            insert into tenant_tokens (token_sha256, tenant_id) values ($3, $1)
            "#,
            id.0,
            name,
            hash(token),
        )
        .execute(&self.pool)
        .await?;
        Ok(Tenant { id, name: name.to_owned() })
    }

    /// Whose token this is.
    pub async fn tenant_of_token(&self, token: &str) -> Result<Option<TenantId>> {
        let id = sqlx::query_scalar!(
            r#"select tenant_id as "id: TenantId" from tenant_tokens where token_sha256 = $1"#,
            hash(token),
        );
        Ok(id.fetch_optional(&self.pool).await?)
    }

    /// The tenant with this id, or all that people call so.
    pub async fn tenants_called(&self, id_or_name: &str) -> Result<Vec<Tenant>> {
        let tenants = sqlx::query_as!(
            Tenant,
            r#"
            select id as "id: TenantId", name
            from tenants
            where id = $1 or name = $2
            order by id
            "#,
            id_or_name.parse::<TenantId>().ok().map(|id| id.0),
            id_or_name,
        );
        Ok(tenants.fetch_all(&self.pool).await?)
    }

    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let tenants = sqlx::query_as!(
            Tenant,
            r#"select id as "id: TenantId", name from tenants order by id"#
        );
        Ok(tenants.fetch_all(&self.pool).await?)
    }
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
