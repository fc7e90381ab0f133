//! The credentials that tenants of a stage bring, and what becomes of one whose renewal was cut off.

use serde_json::Value;
use shared::config::PlatformConfig;
use shared::domain::{CredentialId, CredentialState, KnownCredential, RunState, TenantId};
use shared::integrations::registry;
use shared::vault::{Brought, Vault, credential_from_json};

use super::process::{Service, http};
use super::stage::Stage;

/// One that nobody else has: 32 bytes of zeros.
pub(crate) const MASTER_KEYS: &str = "faults:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

impl Stage {
    /// As a tenant brings it: its platform is asked whose it is.
    pub(super) async fn bring(
        &self,
        tenant: TenantId,
        platform: &str,
        credential: Value,
    ) -> CredentialId {
        let credential = credential_from_json(credential).expect("a credential");
        let brought = Brought { platform: platform.to_owned(), credential };
        self.vault().add(tenant, brought, None).await.expect("it is taken").id
    }

    fn vault(&self) -> Vault {
        // The client needs it; whoever comes second finds it there.
        drop(http());
        let url = |kind: &str| {
            let platform = self.platforms.iter().find(|platform| platform.kind() == kind);
            platform.map(|it| it.flag().1.parse().expect("a URL")).expect("a platform of the mix")
        };
        let platforms = PlatformConfig {
            devto_url: url("devto"),
            discord_url: url("discord"),
            github_url: url("github"),
            slack_url: url("slack"),
            twitter_url: url("twitter"),
            ..PlatformConfig::default()
        };
        let registry = registry(&platforms).expect("a registry");
        Vault::new(&self.store, &registry, MASTER_KEYS.parse().expect("a key"))
    }

    pub(crate) async fn credentials(&self) -> Vec<KnownCredential> {
        self.store.credentials(None, None, None, 100).await.expect("the credentials")
    }

    /// Kills a worker, with SIGKILL.
    pub(crate) async fn kill(&self, victim: Service) {
        self.dead.borrow_mut().push(victim.name.clone());
        victim.kill();
        self.end_renewals_of_the_dead().await;
    }

    /// Of a credential that was just being renewed nobody would take care for two minutes: they are
    /// over at once.
    pub(super) async fn end_renewals_of_the_dead(&self) {
        let ended = sqlx::query(
            "update credentials set renewing_until = now()
             where renewing_until > now() and renewing_by::text in (
                 select after ->> 'renewing_by' from faults.writes
                 where relation = 'credentials' and process = any($1)
             )",
        );
        let dead = self.dead.borrow().clone();
        let ended = ended.bind(dead).execute(self.pool()).await.expect("time passes");
        if ended.rows_affected() > 0 {
            println!("a worker was killed over a renewal");
        }
    }

    /// Grants anew what a worker lost that was killed between the platform's answer and the row, which
    /// nobody else can mend (decision 6), and continues what ended because of it.
    pub(crate) async fn reconnect_the_lost(&self) {
        let Some(mix) = &self.mix else { return };
        let mut lost = self.credentials().await;
        lost.retain(|known| known.state != CredentialState::Valid);
        for known in &lost {
            let granted = credential_from_json(mix.x.grant()).expect("a credential");
            self.vault().replace(known, granted).await.expect("it is taken").expect("it is there");
        }
        self.lost.set(self.lost.get() + lost.len() as u64);
        let accepted = self.accepted.borrow().clone();
        for run in accepted {
            if self.run(run).await.state == RunState::Error {
                self.until_at_rest().await;
                self.store.continue_run(run).await.expect("it is continued");
            }
        }
    }

    /// What can be renewed was renewed by one at a time, each time, and every pair that its platform
    /// gave was kept.
    pub(super) async fn check_credentials(&self) {
        let Some(mix) = &self.mix else { return };
        for known in self.credentials().await {
            assert_eq!(known.state, CredentialState::Valid, "{:?}", known.state_reason);
        }
        let kept = "select coalesce(sum(version - 1 - replacements), 0)::bigint from credentials
                    where platform = 'twitter'";
        let kept: i64 = sqlx::query_scalar(kept).fetch_one(self.pool()).await.expect("a sum");
        let (given, lost) = (mix.x.twitter.renewals(), self.lost.get());
        println!("X renewed {given} times; {lost} of it were lost with a worker");
        assert!(given > 0, "nothing was renewed");
        assert_eq!(kept as u64 + lost, given, "renewals that are stored, or known to be lost");
    }
}
