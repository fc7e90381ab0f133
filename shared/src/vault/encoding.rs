//! A credential as the bytes that are sealed: a version, then JSON.
//!
//! This is the only place that writes a secret down. The bytes are overwritten when they are dropped,
//! and never moved while they are written.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::{Credential, GithubApp, Oauth2};
use crate::sdk::Undecodable;

const VERSION: u8 = 1;
/// Bytes. A private key has two thousand.
pub(super) const LONGEST: usize = 16 * 1024;

/// The credential has more than 16 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a credential has {LONGEST} bytes at the most")]
pub struct TooLong;

/// What was sealed is no credential that this version knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "what is sealed is no credential of this version: it was sealed by a newer one, or by mistake"
)]
pub struct Unreadable;

pub(super) fn encode(credential: &Credential) -> Result<Zeroizing<Vec<u8>>, TooLong> {
    let mut bytes = Zeroizing::new(vec![0; LONGEST]);
    bytes[0] = VERSION;
    let mut rest = &mut bytes[1..];
    // It writes into memory, so all that can go wrong is that there is not enough of it.
    serde_json::to_writer(&mut rest, &Open::from(credential)).map_err(|_| TooLong)?;
    let left = rest.len();
    bytes.truncate(LONGEST - left);
    Ok(bytes)
}

/// The decoder's own words are not passed on: they may quote what they stumbled over.
pub(super) fn decode(bytes: &[u8]) -> Result<Credential, Unreadable> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|_| Unreadable),
        _ => Err(Unreadable),
    }
}

/// A credential as people write it. What is wrong with it is said without quoting it.
pub fn credential_from_json(json: Value) -> Result<Credential, Undecodable> {
    serde_json::from_value(json).map_err(|error| {
        let words = error.to_string();
        let problem = match words.split_once(", expected ") {
            _ if words.starts_with("missing field `") => words,
            Some((unknown, expected)) if unknown.starts_with("unknown field `") => {
                format!("has a field too many; expected {expected}")
            }
            Some((unknown, expected)) if unknown.starts_with("unknown variant `") => {
                format!("is of no known type; expected {expected}")
            }
            _ => "must be an object with a `type` and what belongs to it".to_owned(),
        };
        Undecodable { field: String::new(), problem }
    })
}

/// The same as [`Credential`], which is not to be serialized by anybody else.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Open<'a> {
    Secret {
        secret: &'a str,
    },
    Fields {
        fields: BTreeMap<&'a str, &'a str>,
    },
    Oauth2 {
        client_id: &'a str,
        client_secret: Option<&'a str>,
        access_token: &'a str,
        refresh_token: Option<&'a str>,
        expires_at: Option<DateTime<Utc>>,
    },
    GithubApp {
        app_id: u64,
        installation_id: u64,
        private_key: &'a str,
        access_token: Option<&'a str>,
        expires_at: Option<DateTime<Utc>>,
    },
}

impl<'a> From<&'a Credential> for Open<'a> {
    fn from(credential: &'a Credential) -> Self {
        match credential {
            Credential::Secret { secret } => Self::Secret { secret: secret.expose_secret() },
            Credential::Fields { fields } => {
                let open = |(name, secret): (&'a String, &'a SecretString)| {
                    (name.as_str(), secret.expose_secret())
                };
                Self::Fields { fields: fields.iter().map(open).collect() }
            }
            Credential::Oauth2(Oauth2 {
                client_id,
                client_secret,
                access_token,
                refresh_token,
                expires_at,
            }) => Self::Oauth2 {
                client_id,
                client_secret: exposed(client_secret),
                access_token: access_token.expose_secret(),
                refresh_token: exposed(refresh_token),
                expires_at: *expires_at,
            },
            Credential::GithubApp(GithubApp {
                app_id,
                installation_id,
                private_key,
                access_token,
                expires_at,
            }) => Self::GithubApp {
                app_id: *app_id,
                installation_id: *installation_id,
                private_key: private_key.expose_secret(),
                access_token: exposed(access_token),
                expires_at: *expires_at,
            },
        }
    }
}

fn exposed(secret: &Option<SecretString>) -> Option<&str> {
    secret.as_ref().map(|secret| secret.expose_secret())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_comes_back_as_it_was() {
        let every_type = [
            json!({ "type": "secret", "secret": "s \" \u{1f511}" }),
            json!({ "type": "fields", "fields": { "token": "t", "app": "x" } }),
            json!({
                "type": "oauth2", "client_id": "c", "client_secret": "k", "access_token": "a",
                "refresh_token": "r", "expires_at": "2026-11-20T12:00:00Z"
            }),
            json!({
                "type": "oauth2", "client_id": "c", "client_secret": null, "access_token": "a",
                "refresh_token": null, "expires_at": null
            }),
            json!({
                "type": "github_app", "app_id": 1, "installation_id": 2, "private_key": "-",
                "access_token": "t", "expires_at": "2026-11-20T12:00:00Z"
            }),
        ];
        for json in every_type {
            let bytes = encode(&credential_from_json(json.clone()).unwrap()).unwrap();
            let back = decode(&bytes).unwrap();
            assert_eq!(serde_json::to_value(Open::from(&back)).unwrap(), json);
        }
    }

    #[test]
    fn what_is_too_long_or_not_ours_is_refused() {
        let long = |bytes| Credential::Secret { secret: "x".repeat(bytes).into() };
        let frame = r#"_{"type":"secret","secret":""}"#.len();
        assert_eq!(encode(&long(LONGEST - frame)).unwrap().len(), LONGEST);
        assert_eq!(encode(&long(LONGEST - frame + 1)).unwrap_err(), TooLong);
        for foreign in [&b""[..], b"\x02{}", b"\x01{}", br#"{"type":"secret","secret":"s"}"#] {
            assert_eq!(decode(foreign).unwrap_err(), Unreadable);
        }
    }

    #[test]
    fn a_mistake_is_told_without_what_may_be_secret() {
        let mistakes = [
            (json!("hidden"), "must be an object"),
            (json!({ "type": "secret", "secret": { "hidden": 1 } }), "must be an object"),
            (json!({ "type": "secret" }), "missing field `secret`"),
            (json!({ "type": "hidden" }), "is of no known type; expected one of `secret`"),
            (json!({ "type": "secret", "secret": "hidden", "hidden": 1 }), "has a field too many"),
        ];
        for (json, problem) in mistakes {
            let said = credential_from_json(json).unwrap_err().to_string();
            assert!(said.starts_with(problem) && !said.contains("hidden"), "{said}");
        }
    }
}
