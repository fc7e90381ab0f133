//! What the app may do: its token, its scopes, and how it is distributed.

use std::collections::BTreeSet;

/// The token that opens a workspace which is not told otherwise.
pub const TOKEN: &str = "xoxb-1-simulated";

#[derive(Clone, Debug)]
pub struct Grants {
    pub token: String,
    /// With token rotation: what gets the next one. Each opens once.
    pub refresh_token: Option<String>,
    /// Why the token does not open any more: `token_revoked`, `account_inactive`, `token_expired`.
    pub refused_with: Option<&'static str>,
    pub scopes: BTreeSet<&'static str>,
    pub distribution: Distribution,
    pub(super) rotations: u32,
}

/// Of it depends how many messages may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Made by the customer, or approved for the Marketplace.
    Internal,
    /// Sold outside the Marketplace: once a minute, fifteen at a time.
    Unlisted,
}

impl Default for Grants {
    fn default() -> Self {
        let scopes = [
            "channels:read",
            "channels:history",
            "groups:read",
            "groups:history",
            "users:read",
            "users:read.email",
        ];
        Self {
            token: TOKEN.to_owned(),
            refresh_token: None,
            refused_with: None,
            scopes: scopes.into(),
            distribution: Distribution::Internal,
            rotations: 0,
        }
    }
}

impl Grants {
    /// As `Authorization` brings it. An error is Slack's word for it.
    pub(super) fn admit(&self, authorization: Option<&str>) -> Result<(), &'static str> {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
        match token {
            None => Err("not_authed"),
            Some(token) if token != self.token => Err("invalid_auth"),
            Some(_) => self.refused_with.map_or(Ok(()), Err),
        }
    }

    /// The missing one, if one is.
    pub(super) fn need(&self, scope: &'static str) -> Result<(), &'static str> {
        if self.scopes.contains(scope) { Ok(()) } else { Err(scope) }
    }

    pub(super) fn rotate(&mut self, refresh_token: &str) -> Result<(), &'static str> {
        if self.refresh_token.as_deref() != Some(refresh_token) {
            return Err("invalid_refresh_token");
        }
        self.rotations += 1;
        self.token = format!("xoxe.xoxb-{}-simulated", self.rotations);
        self.refresh_token = Some(format!("xoxe-{}-simulated", self.rotations));
        self.refused_with = None;
        Ok(())
    }
}
