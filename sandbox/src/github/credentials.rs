//! Who is let in: whoever has the personal token, or a token of the installation that has not ended.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

/// The application that is installed, and where.
pub const APP_ID: u64 = 4711;
pub const INSTALLATION_ID: u64 = 815;
/// The application's private key in PEM. It belongs to nobody: it opens this simulation only.
pub const PRIVATE_KEY: &str = include_str!("app.pem");
/// A personal token that is always good.
pub const PERSONAL_TOKEN: &str = "ghp_simulatedPersonalToken";

const PUBLIC_KEY: &[u8] = include_bytes!("app.public.der");
/// What GitHub allows a claim at the most.
const LONGEST_CLAIM: TimeDelta = TimeDelta::minutes(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    Person,
    Installation,
    /// With a claim to be it instead of a token.
    Application,
}

pub(super) struct Tokens {
    issued: u64,
    good: Vec<String>,
    /// Of the personal token.
    scopes: BTreeSet<String>,
}

impl Default for Tokens {
    fn default() -> Self {
        let scopes = ["read:org", "read:user", "repo"].map(str::to_owned).into();
        Self { issued: 0, good: Vec::new(), scopes }
    }
}

impl Tokens {
    pub(super) fn grant(&mut self, scopes: &[&str]) {
        self.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    }

    /// `None`: it has permissions instead.
    pub(super) fn scopes(&self, bearer: Bearer) -> Option<&BTreeSet<String>> {
        (bearer == Bearer::Person).then_some(&self.scopes)
    }

    pub(super) fn issue(&mut self) -> String {
        self.issued += 1;
        let token = format!("ghs_simulated{}", self.issued);
        self.good.push(token.clone());
        token
    }

    /// Those that were issued end.
    pub(super) fn end(&mut self) {
        self.good.clear();
    }

    pub(super) fn issued(&self) -> u64 {
        self.issued
    }

    pub(super) fn bearer(&self, token: &str) -> Option<Bearer> {
        match token {
            PERSONAL_TOKEN => Some(Bearer::Person),
            token if self.good.iter().any(|good| good == token) => Some(Bearer::Installation),
            _ => None,
        }
    }
}

/// Why a claim to be the application is not believed, in GitHub's words.
pub(super) fn check_claim(claim: &str, now: DateTime<Utc>) -> Result<(), &'static str> {
    const UNREADABLE: &str = "A JSON web token could not be decoded";
    let (said, signature) = claim.rsplit_once('.').ok_or(UNREADABLE)?;
    let (_, claims) = said.split_once('.').ok_or(UNREADABLE)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| UNREADABLE);
    let signature = decoded(signature)?;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY)
        .verify(said.as_bytes(), &signature)
        .map_err(|_| UNREADABLE)?;
    let claims: Value = serde_json::from_slice(&decoded(claims)?).map_err(|_| UNREADABLE)?;
    let instant = |name: &str| {
        claims[name].as_i64().and_then(|at| DateTime::from_timestamp(at, 0)).ok_or(UNREADABLE)
    };
    if instant("iat")? > now {
        return Err(
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        );
    }
    let ends = instant("exp")?;
    if ends <= now || ends > now + LONGEST_CLAIM {
        return Err("'Expiration time' claim ('exp') is too far in the future");
    }
    match claims["iss"].as_str() == Some(APP_ID.to_string().as_str()) {
        true => Ok(()),
        false => Err("Integration not found"),
    }
}
