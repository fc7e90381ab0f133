//! An integration that rested is woken at the moment in which a run of it comes to life: whoever is
//! second knows of both, and the run is heard of.

use serde_json::json;
use shared::domain::{CredentialId, CredentialState, IntegrationId, RequestedBy, RunId, RunMode};
use shared::store::{Continued, IntegrationChange, Refusal, RunFailure, Store};
use sqlx::PgPool;

use crate::gate::Gate;
use crate::ground::{Ground, secret};

/// By what it comes to fetch again.
#[derive(Clone, Copy, Debug)]
enum Waking {
    Resume,
    ChangeSettings,
    ReplaceCredential,
}

impl Waking {
    const ALL: [Self; 3] = [Self::Resume, Self::ChangeSettings, Self::ReplaceCredential];

    async fn happens(self, store: &Store, integration: IntegrationId, credential: CredentialId) {
        match self {
            Self::Resume => drop(store.resume_integration(integration).await.unwrap()),
            Self::ChangeSettings => {
                let settings = Some(json!({"forum": 2}));
                let change = IntegrationChange { settings, ..Default::default() };
                drop(store.change_integration(integration, &change).await.unwrap());
            }
            Self::ReplaceCredential => {
                drop(store.replace_credential(credential, &secret("second")).await.unwrap());
            }
        }
    }
}

/// How a run comes to life.
#[derive(Clone, Copy, Debug)]
enum Birth {
    Continued,
    AskedFor,
}

impl Birth {
    async fn happens(self, store: &Store, integration: IntegrationId, ended: RunId) -> RunId {
        match self {
            Self::Continued => {
                assert_eq!(store.continue_run(ended).await.unwrap(), Continued::Yes);
                ended
            }
            Self::AskedFor => {
                let (mode, by) = (RunMode::Check, RequestedBy::Api);
                store.request_run(integration, mode, by).await.unwrap().expect("it is there").run
            }
        }
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_that_comes_to_life_while_its_integration_is_woken_is_heard_of(pool: PgPool) {
    let ground = Ground::on(pool).await;
    for waking in Waking::ALL {
        for birth in [Birth::Continued, Birth::AskedFor] {
            meet(&ground, waking, birth).await;
        }
    }
}

async fn meet(ground: &Ground, waking: Waking, birth: Birth) {
    let store = ground.store.clone();
    let credential = ground.bring().await.id;
    let (integration, ended) = ground.connect_by(Some(credential)).await;
    let held = ground.claim(ended).await;
    let failure = RunFailure { error: "401".into(), needs_reconnect: false };
    store.fail_run(held.lease, &failure, 0).await.unwrap();
    let (replacements, state) = (0, CredentialState::Revoked);
    let refusal = Refusal { credential, replacements, renewal: None, state, why: "401" };
    store.refuse_credential(refusal).await.unwrap().expect("it withdraws the integration");

    let gate = Gate::before_committing(ground, "integration_runs", "new.processed_at is null");
    let gate = gate.await;
    let bearing = tokio::spawn({
        let store = store.clone();
        async move { birth.happens(&store, integration, ended).await }
    });
    gate.until_waiting(1).await;
    let wakes = tokio::spawn(async move { waking.happens(&store, integration, credential).await });
    gate.until_waiting(2).await;
    gate.open().await;

    let run = bearing.await.unwrap();
    wakes.await.unwrap();
    let heard_of = ground.run(run).await.send_at.is_some();
    assert!(heard_of, "after {waking:?} nobody will hear of a run that was {birth:?}");
}
