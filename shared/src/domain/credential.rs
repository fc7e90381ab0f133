//! What lets a tenant's integrations in at a platform.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A credential in the open. Neither printed nor serialized: it is in memory while it is used, and
/// sealed wherever it rests.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credential {
    /// One secret, such as a bot's token or a personal token.
    Secret {
        secret: SecretString,
    },
    /// Several, by name; the one named `token` is what requests carry.
    Fields {
        fields: BTreeMap<String, SecretString>,
    },
    Oauth2(Oauth2),
    GithubApp(GithubApp),
}

/// An access that a person granted to an OAuth 2 application (RFC 6749).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth2 {
    pub client_id: String,
    /// Public applications have none.
    pub client_secret: Option<SecretString>,
    pub access_token: SecretString,
    /// Spent by being used, on platforms that rotate it; without one the access ends when it expires.
    pub refresh_token: Option<SecretString>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// An installation of a GitHub App. Its tokens live for an hour and are got by signing with the
/// application's private key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GithubApp {
    pub app_id: u64,
    pub installation_id: u64,
    /// In PEM.
    pub private_key: SecretString,
    /// The last token we got; `None` before the first.
    #[serde(default)]
    pub access_token: Option<SecretString>,
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a platform answers to a refresh token (RFC 6749, 5.1).
#[derive(Deserialize)]
pub struct Renewed {
    access_token: SecretString,
    /// Where they rotate.
    refresh_token: Option<SecretString>,
    /// Seconds.
    expires_in: Option<u32>,
}

impl Oauth2 {
    /// What it was renewed to by a request that was sent at `asked_at`. The token's life is counted
    /// from there: an answer may be long on its way, and a token must not be thought good when it
    /// has ended.
    #[must_use]
    pub fn renewed(&self, renewed: Renewed, asked_at: DateTime<Utc>) -> Self {
        let Renewed { access_token, refresh_token, expires_in } = renewed;
        let expires_at = expires_in.map(|seconds| asked_at + TimeDelta::seconds(seconds.into()));
        let refresh_token = refresh_token.or_else(|| self.refresh_token.clone());
        Self { access_token, refresh_token, expires_at, ..self.clone() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "credential_type", rename_all = "snake_case")]
pub enum CredentialType {
    Secret,
    Fields,
    Oauth2,
    GithubApp,
}

impl CredentialType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Fields => "fields",
            Self::Oauth2 => "oauth2",
            Self::GithubApp => "github_app",
        }
    }
}

impl Credential {
    pub fn kind(&self) -> CredentialType {
        match self {
            Self::Secret { .. } => CredentialType::Secret,
            Self::Fields { .. } => CredentialType::Fields,
            Self::Oauth2(_) => CredentialType::Oauth2,
            Self::GithubApp(_) => CredentialType::GithubApp,
        }
    }

    /// What requests carry; `None` if there is none yet, or none of that name.
    pub fn token(&self) -> Option<&SecretString> {
        match self {
            Self::Secret { secret } => Some(secret),
            Self::Fields { fields } => fields.get("token"),
            Self::Oauth2(granted) => Some(&granted.access_token),
            Self::GithubApp(app) => app.access_token.as_ref(),
        }
    }

    /// When the token ends; `None`: when the platform says so.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Secret { .. } | Self::Fields { .. } => None,
            Self::Oauth2(granted) => granted.expires_at,
            Self::GithubApp(app) => app.expires_at,
        }
    }

    /// Whether a new token can be had without asking a person.
    pub fn is_renewable(&self) -> bool {
        match self {
            Self::Secret { .. } | Self::Fields { .. } => false,
            Self::Oauth2(granted) => granted.refresh_token.is_some(),
            Self::GithubApp(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn credential(json: serde_json::Value) -> Credential {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_type_says_what_requests_carry_and_whether_it_can_be_renewed() {
        let granted = json!({
            "type": "oauth2", "client_id": "c", "access_token": "a", "refresh_token": "r",
            "expires_at": "2026-11-20T12:00:00Z"
        });
        let app =
            json!({ "type": "github_app", "app_id": 1, "installation_id": 2, "private_key": "-" });
        let cases = [
            (json!({ "type": "secret", "secret": "s" }), Some("s"), false),
            (json!({ "type": "fields", "fields": { "token": "t", "app": "x" } }), Some("t"), false),
            (granted, Some("a"), true),
            (app, None, true),
        ];
        for (json, token, renewable) in cases {
            let credential = credential(json);
            assert_eq!(credential.token().map(|token| token.expose_secret()), token);
            assert_eq!(credential.is_renewable(), renewable, "{credential:?}");
        }
    }

    #[test]
    fn printing_one_tells_nothing() {
        let printed = format!("{:?}", credential(json!({ "type": "secret", "secret": "hidden" })));
        assert!(!printed.contains("hidden"), "{printed}");
    }
}
