//! Why a request was refused: `application/problem+json`, as RFC 9457 has it.
//!
//! `type` is for programs and never changes; `detail` is for people. What is ours to mend is logged
//! here, once, and never told to strangers.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::domain::RunId;
use shared::sdk::UnknownKind;
use shared::store::StoreError;
use tracing::error;
use utoipa::ToSchema;

/// Every kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Unauthenticated,
    NotFound,
    MethodNotAllowed,
    MalformedJson,
    NotSentAsJson,
    TooLarge,
    InvalidParameter,
    InvalidField,
    UnknownKind,
    InvalidSettings,
    WrongCredential,
    CredentialInUse,
    NoMasterKey,
    RefusedByPlatform,
    PlatformUnavailable,
    PlatformRateLimit,
    AnotherRunIsLive,
    KeySentWithAnother,
    KeyTakenOver,
    Unavailable,
    Internal,
}

impl Type {
    pub(super) const ALL: [Self; 21] = [
        Self::Unauthenticated,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::MalformedJson,
        Self::NotSentAsJson,
        Self::TooLarge,
        Self::InvalidParameter,
        Self::InvalidField,
        Self::UnknownKind,
        Self::InvalidSettings,
        Self::WrongCredential,
        Self::CredentialInUse,
        Self::NoMasterKey,
        Self::RefusedByPlatform,
        Self::PlatformUnavailable,
        Self::PlatformRateLimit,
        Self::AnotherRunIsLive,
        Self::KeySentWithAnother,
        Self::KeyTakenOver,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Status, name in `type`, and title.
    pub(super) fn as_parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unauthenticated => (401, "unauthenticated", "A valid bearer token is needed"),
            Self::NotFound => (404, "not_found", "There is no such thing"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "Not by this method"),
            Self::MalformedJson => (400, "malformed_json", "The body is not JSON"),
            Self::NotSentAsJson => {
                (415, "unsupported_media_type", "The body must be sent as application/json")
            }
            Self::TooLarge => (413, "too_large", "The body is too large"),
            Self::InvalidParameter => (400, "invalid_parameter", "A parameter is not valid"),
            Self::InvalidField => (422, "invalid_field", "A field of the body is not valid"),
            Self::UnknownKind => (422, "unknown_kind", "There is no such kind of integration"),
            Self::InvalidSettings => (422, "invalid_settings", "The settings do not fit the kind"),
            Self::WrongCredential => (422, "wrong_credential", "The credential does not fit"),
            Self::CredentialInUse => {
                (409, "credential_in_use", "An integration uses the credential")
            }
            Self::NoMasterKey => {
                (503, "no_master_key", "This service has no master key to seal credentials with")
            }
            Self::RefusedByPlatform => {
                (422, "refused_by_platform", "The platform says that this cannot work")
            }
            Self::PlatformUnavailable => {
                (502, "platform_unavailable", "The platform could not be asked")
            }
            Self::PlatformRateLimit => {
                (503, "platform_rate_limit", "The platform wants to be asked later")
            }
            Self::AnotherRunIsLive => (409, "another_run_is_live", "Another run is live"),
            Self::KeySentWithAnother => {
                (422, "key_sent_with_another_request", "The key belongs to another request")
            }
            Self::KeyTakenOver => {
                (409, "key_taken_over", "The same request is being carried out elsewhere")
            }
            Self::Unavailable => (503, "unavailable", "Not at the moment"),
            Self::Internal => (500, "internal", "Something is wrong on our side"),
        }
    }

    pub(super) fn uri(self) -> String {
        format!("urn:millrace:problem:{}", self.as_parts().1)
    }
}

/// A refusal, on its way to become an answer.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Type,
    detail: String,
    field: Option<String>,
    known_kinds: Vec<&'static str>,
    live_run_id: Option<RunId>,
    retry_after: Option<Duration>,
}

/// Why a request was refused.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// Which problem it is, for programs.
    #[schema(format = "uri")]
    r#type: String,
    /// The same for people, always the same words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// The parameter or field that is wrong, as `settings.feeds[0]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    field: Option<String>,
    /// Of `unknown_kind`: those there are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    known_kinds: Vec<&'static str>,
    /// Of `another_run_is_live`: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<uuid::Uuid>)]
    live_run_id: Option<RunId>,
}

impl Problem {
    pub(super) fn new(kind: Type, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            field: None,
            known_kinds: Vec::new(),
            live_run_id: None,
            retry_after: None,
        }
    }

    pub(super) fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Type::NotFound, format!("there is no {what} {id}"))
    }

    pub(super) fn rate_limited(platform: &str, wait: Duration) -> Self {
        let detail =
            format!("{platform} wants to be asked later; nothing was stored, so try again then");
        Self::new(Type::PlatformRateLimit, detail).retry_after(wait)
    }

    pub(super) fn platform_unavailable(platform: &str, why: &anyhow::Error) -> Self {
        let detail = format!("asking {platform}: {why:#}; nothing was stored, so try again");
        Self::new(Type::PlatformUnavailable, detail)
    }

    pub(super) fn internal() -> Self {
        Self::new(Type::Internal, "it has been logged; trying again may help")
    }

    /// The parameter or field that is wrong.
    pub(super) fn of(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    pub(super) fn with_live_run(self, run: RunId) -> Self {
        Self { live_run_id: Some(run), ..self }
    }

    pub(super) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}

impl From<UnknownKind> for Problem {
    fn from(unknown: UnknownKind) -> Self {
        let problem = Self::new(Type::UnknownKind, unknown.to_string()).of("kind");
        Self { known_kinds: unknown.known, ..problem }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // The only lease that the API holds is that on an idempotency key.
            StoreError::LeaseLost => Self::new(
                Type::KeyTakenOver,
                "this took so long that the same request, sent again, took over; send it once more",
            )
            .retry_after(Duration::from_secs(1)),
            passing if passing.may_pass() => {
                error!("{passing}");
                Self::new(Type::Unavailable, "the database is away or busy; try again")
                    .retry_after(Duration::from_secs(1))
            }
            unexpected => {
                error!("{unexpected}");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, _, title) = self.kind.as_parts();
        let body = ProblemBody {
            r#type: self.kind.uri(),
            title,
            status,
            detail: self.detail,
            field: self.field,
            known_kinds: self.known_kinds,
            live_run_id: self.live_run_id,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Type::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

pub(super) async fn no_such_route(uri: Uri) -> Problem {
    Problem::new(Type::NotFound, format!("there is nothing at {}", uri.path()))
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::new(Type::MethodNotAllowed, format!("{} cannot be asked by {method}", uri.path()))
}
