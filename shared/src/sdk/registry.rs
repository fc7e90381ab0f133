//! The integrations this build knows: a table of contents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::erased::Typed;
use super::{CredentialType, DynIntegration, Integration};

/// Which integrations there are, by kind.
#[derive(Clone, Default)]
pub struct Registry {
    by_kind: BTreeMap<&'static str, Arc<dyn DynIntegration>>,
}

impl Registry {
    /// Panics when the kind is registered already: that is a mistake in the program, seen at start.
    #[must_use]
    pub fn with<I: Integration>(mut self, integration: I) -> Self {
        let typed: Arc<dyn DynIntegration> = Arc::new(Typed(Arc::new(integration)));
        let before = self.by_kind.insert(I::KIND, typed);
        assert!(before.is_none(), "integration `{}` is registered twice", I::KIND);
        self
    }

    pub fn find(&self, kind: &str) -> Result<&Arc<dyn DynIntegration>, UnknownKind> {
        self.by_kind
            .get(kind)
            .ok_or_else(|| UnknownKind { kind: kind.to_owned(), known: self.kinds().collect() })
    }

    /// An integration of this platform that works with credentials of this type: whichever it is, it
    /// knows whose they are and how they are renewed.
    pub fn by_credential(
        &self,
        platform: &str,
        kind: CredentialType,
    ) -> Result<&Arc<dyn DynIntegration>, UnknownCredential> {
        let mut accepted = Vec::new();
        for integration in self.iter().filter(|known| known.platform() == platform) {
            if integration.credentials().contains(&kind) {
                return Ok(integration);
            }
            accepted.extend(integration.credentials().iter().map(|kind| kind.as_str()));
        }
        self.check_platform(platform)?;
        Err(UnknownCredential::Type {
            platform: platform.to_owned(),
            kind: kind.as_str(),
            accepted,
        })
    }

    /// Whether there are integrations of this platform that want credentials.
    pub fn check_platform(&self, platform: &str) -> Result<(), UnknownCredential> {
        let known = self.platforms();
        if known.contains(&platform) {
            return Ok(());
        }
        Err(UnknownCredential::Platform { platform: platform.to_owned(), known })
    }

    /// Those that want credentials.
    fn platforms(&self) -> Vec<&'static str> {
        let with_credentials = self.iter().filter(|known| !known.credentials().is_empty());
        let platforms: BTreeSet<_> = with_credentials.map(|known| known.platform()).collect();
        platforms.into_iter().collect()
    }

    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.by_kind.keys().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn DynIntegration>> {
        self.by_kind.values()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown integration `{kind}` (registered: {})", known.join(", "))]
pub struct UnknownKind {
    pub kind: String,
    pub known: Vec<&'static str>,
}

/// No integration works with such a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCredential {
    #[error("no credentials are known for the platform `{platform}` (known: {})", known.join(", "))]
    Platform { platform: String, known: Vec<&'static str> },
    #[error("`{platform}` does not work with a credential of type `{kind}`, but with {}", accepted.join(", "))]
    Type { platform: String, kind: &'static str, accepted: Vec<&'static str> },
}
