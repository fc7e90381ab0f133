//! Slack's way to say no: status 200, and `{"ok": false, "error": "channel_not_found"}`.
//!
//! | Slack says | and that is |
//! |---|---|
//! | `ratelimited`, `rate_limited` | not now, and costs no attempt; so is status 429 |
//! | `invalid_auth`, `not_authed`, `account_inactive`, `token_revoked`, `not_allowed_token_type`, … | the credential: the run stops, the tenant is asked to reconnect |
//! | `token_expired` | the same, unless the credential renews itself: then again |
//! | `missing_scope` | of messages: this channel is given up; of lists and users: the credential |
//! | `channel_not_found`, `not_in_channel`, `is_archived`, `missing_argument`, `invalid_…`, … | never: this stream is given up |
//! | `thread_not_found`, `message_not_found` | a thread that was deleted: nothing to read |
//! | `user_not_found`, `user_not_visible` | nobody we may know |
//! | `internal_error`, `fatal_error`, `service_unavailable`, `request_timeout`, `team_added_to_org`, anything else | again |

use anyhow::{Error, anyhow};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::sdk::SyncError;

/// What stands in an answer of status 200.
#[derive(Debug)]
pub(super) enum Reply<T> {
    Said(T),
    Refused(Refusal),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    error: String,
    /// The scope that is missing.
    needed: Option<String>,
}

/// What was asked for, as far as it matters to what a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The messages of one channel among others.
    Messages,
    /// Something without which there is no run.
    Workspace,
}

const LIMITS: &[&str] = &["ratelimited", "rate_limited"];
const GONE: &[&str] =
    &["thread_not_found", "message_not_found", "user_not_found", "user_not_visible"];
/// The token, or what the workspace allows it.
const CREDENTIAL: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
    "no_permission",
    "org_login_required",
    "ekm_access_denied",
    "access_denied",
    "enterprise_is_restricted",
];
/// And whatever begins with `invalid_`.
const NEVER: &[&str] = &[
    "missing_scope",
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "method_not_supported_for_channel_type",
    "missing_argument",
    "limit_required",
    "unknown_method",
    "method_deprecated",
    "deprecated_endpoint",
    "json_not_object",
    "missing_post_type",
    "upgrade_required",
];

impl Refusal {
    pub(super) fn is_limit(&self) -> bool {
        self.is_one_of(LIMITS)
    }

    /// What was asked for is not there, or not for us: no error where that may be.
    pub(super) fn is_gone(&self) -> bool {
        self.is_one_of(GONE)
    }

    pub(super) fn into_error(self, method: &str, about: About, renewable: bool) -> SyncError {
        let said = self.sentence(method);
        let lacks_scope = about == About::Workspace && self.error == "missing_scope";
        if renewable && self.error == "token_expired" {
            SyncError::Other(said)
        } else if lacks_scope || self.is_one_of(CREDENTIAL) {
            SyncError::Unauthorized(said)
        } else if self.is_gone() || self.is_one_of(NEVER) || self.error.starts_with("invalid_") {
            SyncError::Permanent(said)
        } else {
            SyncError::Other(said)
        }
    }

    fn is_one_of(&self, errors: &[&str]) -> bool {
        errors.contains(&self.error.as_str())
    }

    /// Names the error as Slack does, and says what can be done where that is up to the tenant.
    fn sentence(&self, method: &str) -> Error {
        let Self { error, needed } = self;
        let refused = format!("Slack refuses {method} with `{error}`");
        match (error.as_str(), needed) {
            ("missing_scope", Some(scope)) if scope.starts_with("groups:") => anyhow!(
                "{refused}: the app lacks the scope `{scope}`; add it, or set `private_channels` to false"
            ),
            ("missing_scope", Some(scope)) => {
                anyhow!("{refused}: the app lacks the scope `{scope}`")
            }
            ("not_in_channel", _) => anyhow!("{refused}: invite the app to the channel"),
            ("channel_not_found", _) => {
                anyhow!("{refused}: there is no such channel, or the app was not invited to it")
            }
            ("account_inactive", _) => anyhow!("{refused}: the app was removed from the workspace"),
            _ => anyhow!("{refused}"),
        }
    }
}

/// First whether it is an answer at all: only then the author's type is asked for its fields.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Reply<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Verdict {
            ok: bool,
        }
        let answer = <&RawValue>::deserialize(deserializer)?.get();
        if decoded::<Verdict, D>(answer)?.ok {
            return Ok(Self::Said(decoded::<T, D>(answer)?));
        }
        Ok(Self::Refused(decoded::<Refusal, D>(answer)?))
    }
}

fn decoded<'de, T: DeserializeOwned, D: Deserializer<'de>>(json: &str) -> Result<T, D::Error> {
    serde_json::from_str(json).map_err(de::Error::custom)
}
