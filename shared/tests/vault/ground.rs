//! One database and one platform, with as many vaults before them as a story wants: each is what one
//! process has.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::{
    CredentialId, Integration, IntegrationId, KnownCredential, RequestedBy, TenantId,
};
use shared::keyring::Keyring;
use shared::sdk::{Access, ApiClient, Owner, Registry, Result, SyncError};
use shared::store::{NewIntegration, Store};
use shared::vault::{Brought, Vault, credential_from_json};
use sqlx::PgPool;

use crate::guild::{Guild, client, whoami};
use crate::platform::{LIFE, Platform};

/// Longer than the lease of any renewal.
pub(crate) const LEASE: Duration = Duration::from_secs(121);

pub(crate) struct Ground {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) platform: Platform,
    pub(crate) tenant: TenantId,
}

impl Ground {
    pub(crate) async fn on(pool: PgPool) -> Self {
        let start: DateTime<Utc> = "2024-05-01T12:00:00Z".parse().unwrap();
        let clock = Clock::standing_at(start);
        let store = Store::new(pool, clock.clone());
        let tenant = store.add_tenant("acme", "a token").await.unwrap().id;
        let platform = Platform::open(&clock).await;
        Self { clock, store, platform, tenant }
    }

    /// What another process has.
    pub(crate) fn vault(&self) -> Vault {
        self.vault_on(&self.store, "k1")
    }

    pub(crate) fn vault_on(&self, store: &Store, keys: &str) -> Vault {
        let registry = Registry::default().with(Guild::at(&self.platform, &self.clock));
        Vault::new(store, &registry, keyring(keys)).with_patience(Duration::from_secs(60))
    }

    /// The credential that a person has granted.
    pub(crate) async fn bring(&self) -> KnownCredential {
        self.vault().add(self.tenant, brought(self.platform.granted()), None).await.unwrap()
    }

    pub(crate) async fn known(&self, id: CredentialId) -> KnownCredential {
        self.store.credential(id).await.unwrap().unwrap()
    }

    pub(crate) async fn version(&self, id: CredentialId) -> i64 {
        self.store.sealed_credential(id).await.unwrap().unwrap().version
    }

    /// An integration that uses it.
    pub(crate) async fn connect(&self, credential: CredentialId) -> IntegrationId {
        let new = NewIntegration {
            tenant_id: self.tenant,
            kind: "guild".into(),
            settings: json!({}),
            units: Vec::new(),
            credential_id: Some(credential),
            first_check: None,
            member_attributes: Vec::new(),
        };
        self.store.connect(&new, RequestedBy::Connect).await.unwrap().integration.id
    }

    pub(crate) async fn integration(&self, id: IntegrationId) -> Integration {
        self.store.integration(id).await.unwrap().unwrap()
    }

    /// Somebody who uses the credential.
    pub(crate) fn user(&self, vault: &Vault, id: CredentialId) -> User {
        User { api: client(&self.platform, &self.clock), access: vault.access(id) }
    }

    /// Into the last minute of the access token's life.
    pub(crate) fn almost_outlive_the_token(&self) {
        self.clock.turn_to(self.clock.now() + LIFE - TimeDelta::seconds(30));
    }

    pub(crate) fn outlive_the_token(&self) {
        self.clock.turn_to(self.clock.now() + LIFE);
    }
}

#[derive(Clone)]
pub(crate) struct User {
    api: ApiClient,
    access: Access,
}

impl User {
    pub(crate) async fn ask(&self) -> Result<Owner> {
        whoami(&self.api, &self.access).await
    }

    #[track_caller]
    pub(crate) fn asks(&self) -> impl Future<Output = ()> + Send + 'static {
        let user = self.clone();
        async move {
            user.ask().await.unwrap();
        }
    }
}

pub(crate) fn brought(credential: Value) -> Brought {
    let credential = credential_from_json(credential).unwrap();
    Brought { platform: "guild".into(), credential }
}

/// Keys by their names; the same name is the same key.
pub(crate) fn keyring(names: &str) -> Keyring {
    // 43 letters are 32 bytes and two bits that must be nought.
    let key = |name: &str| {
        let number = name.strip_prefix('k').unwrap();
        format!("{name}:{}A=", number.repeat(42))
    };
    let keys: Vec<_> = names.split(',').map(key).collect();
    keys.join(",").parse().unwrap()
}

#[track_caller]
pub(crate) fn why_unauthorized(asked: Result<Owner>) -> String {
    match asked {
        Err(SyncError::Unauthorized(why)) => format!("{why:#}"),
        other => panic!("{other:?}"),
    }
}
