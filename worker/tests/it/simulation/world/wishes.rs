//! What tenants and operators ask for, through the API and the CLI.

use shared::domain::{IntegrationId, RequestedBy, RunId};
use shared::store::{Continued, IntegrationChange, RunFilter, Store};

use crate::simulation::operations::Operation;

/// Does what is asked for. The run that was promised, if one was.
pub(super) async fn granted(
    store: &Store,
    integrations: &[IntegrationId],
    wish: Operation,
) -> Option<RunId> {
    match wish {
        Operation::Trigger { integration, mode } => {
            let asked = store.request_run(integrations[integration], mode, RequestedBy::Api).await;
            Some(asked.unwrap().expect("the integration is there").run)
        }
        Operation::Pause(nth) => {
            store.pause_integration(integrations[nth]).await.unwrap();
            None
        }
        Operation::Resume(nth) => {
            store.resume_integration(integrations[nth]).await.unwrap();
            None
        }
        Operation::Reconnect(nth) => {
            let settings = store.integration(integrations[nth]).await.unwrap().unwrap().settings;
            let change = IntegrationChange { settings: Some(settings), ..Default::default() };
            store.change_integration(integrations[nth], &change).await.unwrap();
            None
        }
        Operation::Continue(nth) => {
            let run = latest_run(store, integrations[nth]).await?;
            let continued = store.continue_run(run).await.unwrap();
            (continued == Continued::Yes).then_some(run)
        }
        other => unreachable!("{other:?} is no wish"),
    }
}

pub(super) async fn latest_run(store: &Store, integration: IntegrationId) -> Option<RunId> {
    let filter = RunFilter { integration: Some(integration), ..RunFilter::default() };
    store.runs(filter, 1).await.unwrap().pop().map(|run| run.id)
}
