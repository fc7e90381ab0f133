//! Renewing an access that somebody granted.
//!
//! A refresh token is good for one use, and its answer holds the next. Coming twice with one makes X
//! revoke the whole grant: so this request is never sent again by itself, and whoever sends it
//! stores its answer before anything else.

use anyhow::anyhow;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use super::api::{self, Api};
use crate::sdk::http::Request;
use crate::sdk::{Credential, Oauth2, Renewed, Result, SyncError};

impl Api {
    pub(crate) async fn renew(&self, credential: &Credential) -> Result<Credential> {
        let Credential::Oauth2(granted) = credential else {
            return Err(SyncError::Unauthorized(anyhow!("only OAuth 2 accesses are renewed")));
        };
        let Some(refresh_token) = &granted.refresh_token else {
            let forgotten = anyhow!("there is no refresh token; X gives one for `offline.access`");
            return Err(SyncError::Unauthorized(forgotten));
        };
        let asked_at = self.clock.now();
        let request = self.renewal(granted, refresh_token);
        let renewed = request.json::<Renewed>().await.map_err(to_be_granted_anew)?.body;
        Ok(Credential::Oauth2(granted.renewed(renewed, asked_at)))
    }

    /// Applications with a secret say who they are in the header, those without in the form.
    fn renewal(&self, granted: &Oauth2, refresh_token: &SecretString) -> Request<'_> {
        let request = self.client.post("2/oauth2/token");
        let grant_type = ("grant_type", "refresh_token");
        let refresh_token = ("refresh_token", refresh_token.expose_secret());
        match &granted.client_secret {
            Some(secret) => request
                .form(&[grant_type, refresh_token])
                .authorization("Basic", &basic(&granted.client_id, secret)),
            None => request.form(&[grant_type, refresh_token, ("client_id", &granted.client_id)]),
        }
    }
}

fn basic(client_id: &str, secret: &SecretString) -> SecretString {
    BASE64_STANDARD.encode(format!("{client_id}:{}", secret.expose_secret())).into()
}

/// `invalid_grant`, and X's `invalid_request` for a token it does not know: both are status 400.
fn to_be_granted_anew(error: SyncError) -> SyncError {
    let is_refused = api::was_refused(&error, StatusCode::BAD_REQUEST);
    match error {
        SyncError::Permanent(error) if is_refused => {
            SyncError::Unauthorized(error.context("X does not renew this access"))
        }
        other => other,
    }
}
