//! The integrations this build knows: a table of contents.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::erased::Typed;
use super::{DynIntegration, Integration};

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
