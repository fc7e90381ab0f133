//! One type per kind of id, so that a run is never looked up by the id of a stream.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id. Version 7: new rows land together at the end of an index.
            #[expect(clippy::new_without_default, reason = "each is different; `default` would mislead")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A customer; nothing crosses tenants.
    TenantId
);
id!(
    /// One connection of a tenant to one platform.
    IntegrationId
);
id!(
    /// One look at what a connection could sync.
    DiscoveryId
);
id!(
    /// What lets a tenant's integrations in at a platform.
    CredentialId
);
id!(
    /// One processing of one integration.
    RunId
);
id!(
    /// One resumable unit of fetching inside a run.
    StreamId
);
