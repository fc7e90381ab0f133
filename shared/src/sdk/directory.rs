//! The tenant's members, as far as an integration may look them up.

use async_trait::async_trait;

use super::Result;

/// Who is known already. For integrations that follow members rather than a place, or that ask the
/// platform only for those we do not know.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Accounts on a platform in the order of their usernames, those after `after`, so many at the
    /// most. Accounts known by id alone are left out.
    async fn accounts(
        &self,
        platform: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<KnownAccount>>;
}

/// An account, and what we know of its reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAccount {
    pub username: String,
    pub source_id: Option<String>,
    /// Followers on that platform, where they were ever told.
    pub reach: Option<i64>,
}

pub(super) struct Nobody;

#[async_trait]
impl Directory for Nobody {
    async fn accounts(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<KnownAccount>> {
        Ok(Vec::new())
    }
}
