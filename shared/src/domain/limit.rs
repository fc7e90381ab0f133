//! What a platform allows, as it documents it.

use std::borrow::Cow;
use std::time::Duration;

/// A platform's limit on requests. Its headers may say otherwise while we use it; they are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimit {
    /// Which requests count, in the platform's words: `conversations.history`, `graphql`.
    pub class: Cow<'static, str>,
    /// Requests, or the points they cost, in each window.
    pub allowed: u32,
    /// How long a window is.
    pub per: Duration,
    pub counted_by: CountedBy,
}

/// Whose requests count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedBy {
    /// Those with one credential.
    Credential,
    /// All of ours, whatever they carry: the platform counts by application or by address.
    Application,
}

impl RequestLimit {
    pub const fn new(
        class: &'static str,
        allowed: u32,
        per: Duration,
        counted_by: CountedBy,
    ) -> Self {
        Self { class: Cow::Borrowed(class), allowed, per, counted_by }
    }
}

/// What a platform says of a limit beside an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// How much each window allows.
    pub allowed: Option<u32>,
    /// How much is left in this one.
    pub remaining: Option<u32>,
    /// How long until the next one.
    pub resets_in: Option<Duration>,
    /// It refused us, and wants to be left alone for so long.
    pub refused_for: Option<Duration>,
}
