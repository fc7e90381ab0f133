//! What an installed GitHub App proves itself by, and the tokens it gets for that.
//!
//! The application signs a claim with its private key (a JSON web token, RFC 7519, by RS256), and is
//! given a token of the installation, which lives for an hour. The claim is three parts of base64
//! with a signature by ring, which we have anyway for TLS: the crates for such claims bring a second
//! implementation of RSA, or of all cryptography.

use anyhow::{Context, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::sdk::http::Refused;
use crate::sdk::{ApiClient, GithubApp, Result, SyncError};

/// GitHub asks for it: its clock may be behind ours.
const BACKDATED: TimeDelta = TimeDelta::seconds(60);
/// GitHub takes ten minutes at the most, by its own clock.
const LIFETIME: TimeDelta = TimeDelta::minutes(9);

/// A token of the installation, and when it ends.
#[derive(Deserialize)]
pub(super) struct InstallationToken {
    pub(super) token: SecretString,
    pub(super) expires_at: DateTime<Utc>,
}

pub(super) async fn installation_token(
    http: &ApiClient,
    app: &GithubApp,
    now: DateTime<Utc>,
) -> Result<InstallationToken> {
    let request = http.post("app/installations").segment(&app.installation_id.to_string());
    let request = request.segment("access_tokens").authorization("Bearer", &claim(app, now)?);
    let answer = request.json_or_none().await.map_err(suspended)?;
    answer.body.ok_or_else(|| uninstalled(app))
}

#[derive(Deserialize)]
pub(super) struct Installation {
    pub(super) account: InstalledOn,
}

#[derive(Deserialize)]
pub(super) struct InstalledOn {
    pub(super) id: u64,
    /// An enterprise has a slug instead.
    #[serde(alias = "slug")]
    pub(super) login: String,
}

pub(super) async fn installation(
    http: &ApiClient,
    app: &GithubApp,
    now: DateTime<Utc>,
) -> Result<Installation> {
    let request = http.get("app/installations").segment(&app.installation_id.to_string());
    let request = request.authorization("Bearer", &claim(app, now)?);
    request.json_or_none().await?.body.ok_or_else(|| uninstalled(app))
}

/// A 403 is about the whole installation here: only whoever suspended it can help.
fn suspended(error: SyncError) -> SyncError {
    match error {
        SyncError::Permanent(why) if why.is::<Refused>() => {
            SyncError::Unauthorized(why.context("GitHub gives this installation no token"))
        }
        other => other,
    }
}

/// Only whoever uninstalled it can help.
fn uninstalled(app: &GithubApp) -> SyncError {
    let (app, installation) = (app.app_id, app.installation_id);
    SyncError::Unauthorized(anyhow!("the GitHub App {app} has no installation {installation}"))
}

/// Says who we are for some minutes.
pub(super) fn claim(app: &GithubApp, now: DateTime<Utc>) -> Result<SecretString> {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let claims = json!({
        "iat": (now - BACKDATED).timestamp(),
        "exp": (now + LIFETIME).timestamp(),
        "iss": app.app_id.to_string(),
    });
    let said = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = sign(app, said.as_bytes()).map_err(SyncError::Unauthorized)?;
    Ok(format!("{said}.{}", encoded(signature)).into())
}

fn encoded(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// The errors say nothing of the key but what is wrong with it.
fn sign(app: &GithubApp, said: &[u8]) -> anyhow::Result<Vec<u8>> {
    let pem = app.private_key.expose_secret().as_bytes();
    let key = PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| anyhow!("the private key of the GitHub App is not in PEM"))?;
    let key = match &key {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err(anyhow!("the private key of the GitHub App is no RSA key")),
    };
    let key = key.map_err(|problem| anyhow!("the private key of the GitHub App: {problem}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), said, &mut signature)
        .map_err(|_| anyhow!("the system has no randomness"))
        .context("signing as a GitHub App")?;
    Ok(signature)
}
