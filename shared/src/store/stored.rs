//! How much is stored, all in all.

use super::{Result, Store};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub runs: i64,
    pub streams: i64,
    pub members: i64,
    pub activities: i64,
    /// Provider requests that runs have made so far.
    pub requests: i64,
}

impl Store {
    /// Counts every row: for a demonstration, not for a dashboard.
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
}
