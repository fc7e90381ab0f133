//! Slack's way to say no: status 200, and `{"ok": false, "error": "channel_not_found"}`.
//!
//! | Slack says | and that is |
//! |---|---|
//! | `ratelimited`, `rate_limited` | not now, and costs no attempt; so is status 429 |
//! | `invalid_auth`, `not_authed`, `account_inactive`, `token_revoked`, `token_expired`, … | as a 401 elsewhere: a token that can be renewed is, once; then the run stops, and the tenant is asked to reconnect |
//! | `missing_scope`, `no_permission`, `access_denied`, `ekm_access_denied`, … | never, with what it takes: this list or this channel is closed to us, and no other |
//! | `channel_not_found`, `not_in_channel`, `is_archived`, `missing_argument`, `invalid_…`, … | never: this stream is given up |
//! | `thread_not_found`, `message_not_found` | a thread that was deleted: nothing to read |
//! | `user_not_found`, `user_not_visible` | nobody we may know |
//! | `internal_error`, `fatal_error`, `service_unavailable`, `request_timeout`, `team_added_to_org`, `org_login_required`, anything else | again |

use anyhow::{Error, anyhow};
use serde::de::{self, DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::sdk::SyncError;
use crate::sdk::http::quoted;

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

const LIMITS: &[&str] = &["ratelimited", "rate_limited"];
const GONE: &[&str] =
    &["thread_not_found", "message_not_found", "user_not_found", "user_not_visible"];
/// The token itself, whatever it is used for.
const CREDENTIAL: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
];
/// And whatever else begins with `invalid_`.
const NEVER: &[&str] = &[
    "missing_scope",
    "no_permission",
    "access_denied",
    "ekm_access_denied",
    "enterprise_is_restricted",
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

    pub(super) fn into_error(self, method: &str) -> SyncError {
        let said = self.sentence(method);
        if self.is_one_of(CREDENTIAL) {
            SyncError::Unauthorized(said)
        } else if self.is_gone() || self.is_one_of(NEVER) || self.error.starts_with("invalid_") {
            SyncError::Permanent(said)
        } else {
            SyncError::Other(said)
        }
    }

    /// A refresh token is spent by its use, so but for Slack's own troubles only a person can help.
    pub(super) fn of_renewal(self, method: &str) -> SyncError {
        match self.into_error(method) {
            SyncError::Permanent(refused) => SyncError::Unauthorized(refused),
            other => other,
        }
    }

    fn is_one_of(&self, errors: &[&str]) -> bool {
        errors.contains(&self.error.as_str())
    }

    /// Names the error as Slack does, and says what can be done where that is up to the tenant.
    fn sentence(&self, method: &str) -> Error {
        let error = quoted(&self.error);
        let needed = self.needed.as_deref().map(quoted);
        let refused = format!("Slack refuses {method} with `{error}`");
        match (error.as_str(), needed.as_deref()) {
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

/// Whether an answer says what others say by a 401.
pub(super) fn refuses_credential(body: &[u8]) -> bool {
    let reply = serde_json::from_slice::<Reply<IgnoredAny>>(body);
    matches!(reply, Ok(Reply::Refused(refusal)) if refusal.is_one_of(CREDENTIAL))
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
