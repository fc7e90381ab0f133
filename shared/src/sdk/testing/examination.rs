//! The examination that every integration sits.

use std::sync::Arc;

use serde_json::{Value, json};

use super::questions::Candidate;
use crate::sdk::erased::Typed;
use crate::sdk::http::Options;
use crate::sdk::{Credential, DynIntegration, Integration, KnownAccount};

/// An integration, and a fake of its platform on which all goes well.
///
/// The examination stands between the two and lets things go wrong: every question is asked at every
/// request, so a fake with a handful of records will do. What is not promised by its name is a
/// matter for the integration's own tests.
pub struct Examination {
    pub(super) build: Box<Build>,
    pub(super) fake: String,
    pub(super) settings: Value,
    pub(super) credential: Option<Credential>,
    pub(super) members: Vec<(&'static str, KnownAccount)>,
}

/// Makes the integration for the platform at an address.
pub(super) type Build =
    dyn Fn(&str, Options) -> anyhow::Result<Arc<dyn DynIntegration>> + Send + Sync;

impl Examination {
    /// `build` points the integration at an address; the examination has its own, and its own
    /// patience.
    pub fn of<I: Integration>(
        build: impl Fn(&str, Options) -> anyhow::Result<I> + Send + Sync + 'static,
        fake: impl Into<String>,
    ) -> Self {
        let build = move |url: &str, options: Options| -> anyhow::Result<Arc<dyn DynIntegration>> {
            Ok(Arc::new(Typed(Arc::new(build(url, options)?))))
        };
        Self {
            build: Box::new(build),
            fake: fake.into(),
            settings: json!({}),
            credential: None,
            members: Vec::new(),
        }
    }

    /// Settings under which the fake has something to give.
    #[must_use]
    pub fn settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// A credential that the fake takes.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Who is a member already, and known to the fake.
    #[must_use]
    pub fn members(mut self, accounts: Vec<(&'static str, KnownAccount)>) -> Self {
        self.members = accounts;
        self
    }

    /// Panics with the questions that were not answered well.
    pub async fn sit(self) {
        let failed = self.failed().await;
        assert!(failed.is_empty(), "the integration fails its examination\n{}", failed.join("\n"));
    }

    /// Each begins with its question.
    pub(super) async fn failed(self) -> Vec<String> {
        let candidate = Candidate::admit(self).await.expect("all goes well on a healthy platform");
        let answers = [
            ("settings that do not decode name the field", candidate.bad_settings()),
            ("a 429 delays and costs no attempt", candidate.rate_limits().await),
            ("a 401 stops and asks to reconnect", candidate.refusals().await),
            ("a 403 condemns no credential", candidate.closed_things().await),
            ("a 500 is retried", candidate.failures().await),
            ("a hanging socket times out", candidate.silence().await),
            ("a platform that stays down is no success", candidate.outages().await),
            ("nonsense is no success", candidate.nonsense().await),
            ("pages that repeat come to an end", candidate.repetition().await),
            ("stopping anywhere and resuming gives the same records", candidate.resumption().await),
            ("running twice gives the same records", candidate.second_runs().await),
        ];
        answers
            .into_iter()
            .filter_map(|(question, answer)| Some(format!("{question}: {:#}", answer.err()?)))
            .collect()
    }
}
