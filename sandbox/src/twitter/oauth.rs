//! Who may ask: accesses that people granted to applications, with tokens that end and tokens that
//! are good for one use.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::records::UserId;

/// What a person grants who connects everything.
pub const SCOPES: &[&str] = &["tweet.read", "users.read", "follows.read", "offline.access"];

/// An application that people grant access to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    pub client_id: String,
    /// Public ones have none.
    pub client_secret: Option<String>,
}

/// What an application gets when somebody grants it access, and at every renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in: TimeDelta,
}

/// Why an access is not renewed, in the words of RFC 6749.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not that application's, or not its secret.
    Client,
    /// Used before, or of an access that was revoked.
    Grant,
    /// Never given by us.
    Token,
}

pub(super) struct Grants {
    apps: Vec<App>,
    grants: Vec<Grant>,
    /// Which grant it is of, and until when it is good.
    access_tokens: HashMap<String, (usize, DateTime<Utc>)>,
    /// Which grant it is of, and whether it is still to be used.
    refresh_tokens: HashMap<String, (usize, bool)>,
    lifetime: TimeDelta,
    given: Vec<Tokens>,
    renewals: u64,
}

struct Grant {
    client_id: String,
    user: UserId,
    scopes: BTreeSet<String>,
    revoked: bool,
}

/// Whose token a request carries.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    pub(super) user: UserId,
    scopes: BTreeSet<String>,
}

impl Bearer {
    pub(super) fn may(&self, scopes: &[&str]) -> bool {
        scopes.iter().all(|scope| self.scopes.contains(*scope))
    }
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            apps: Vec::new(),
            grants: Vec::new(),
            access_tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            lifetime: TimeDelta::hours(2),
            given: Vec::new(),
            renewals: 0,
        }
    }
}

impl Grants {
    pub(super) fn grant(
        &mut self,
        app: &App,
        user: UserId,
        scopes: &[&str],
        now: DateTime<Utc>,
    ) -> Tokens {
        if !self.apps.contains(app) {
            self.apps.push(app.clone());
        }
        self.grants.push(Grant {
            client_id: app.client_id.clone(),
            user,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            revoked: false,
        });
        self.give(self.grants.len() - 1, now)
    }

    /// The old refresh token is used up. Whoever comes with a used one has stolen it, or was stolen
    /// from: nobody of that grant gets in any more.
    pub(super) fn renew(
        &mut self,
        client_id: &str,
        client_secret: Option<&str>,
        refresh_token: &str,
        now: DateTime<Utc>,
    ) -> Result<Tokens, Refused> {
        let (grant, unused) = *self.refresh_tokens.get(refresh_token).ok_or(Refused::Token)?;
        let app = self.apps.iter().find(|app| app.client_id == client_id);
        let is_it = |app: &App| app.client_secret.as_deref() == client_secret;
        if !app.is_some_and(is_it) || self.grants[grant].client_id != client_id {
            return Err(Refused::Client);
        }
        if !unused {
            self.grants[grant].revoked = true;
        }
        if self.grants[grant].revoked {
            return Err(Refused::Grant);
        }
        self.refresh_tokens.insert(refresh_token.to_owned(), (grant, false));
        self.renewals += 1;
        Ok(self.give(grant, now))
    }

    pub(super) fn bearer(&self, access_token: &str, now: DateTime<Utc>) -> Option<Bearer> {
        let (grant, until) = self.access_tokens.get(access_token)?;
        let grant = &self.grants[*grant];
        (now < *until && !grant.revoked)
            .then(|| Bearer { user: grant.user, scopes: grant.scopes.clone() })
    }

    pub(super) fn set_lifetime(&mut self, lifetime: TimeDelta) {
        self.lifetime = lifetime;
    }

    pub(super) fn expire_access_token(&mut self, token: &str) {
        self.access_tokens.remove(token);
    }

    pub(super) fn expire_access_tokens(&mut self) {
        self.access_tokens.clear();
    }

    pub(super) fn revoke(&mut self, user: UserId) {
        let theirs = self.grants.iter_mut().filter(|grant| grant.user == user);
        theirs.for_each(|grant| grant.revoked = true);
    }

    pub(super) fn given(&self) -> Vec<Tokens> {
        self.given.clone()
    }

    pub(super) fn renewals(&self) -> u64 {
        self.renewals
    }

    fn give(&mut self, grant: usize, now: DateTime<Utc>) -> Tokens {
        let number = self.given.len() + 1;
        let access_token = format!("access-{number}-of-{grant}");
        let refresh_token = format!("refresh-{number}-of-{grant}");
        self.access_tokens.insert(access_token.clone(), (grant, now + self.lifetime));
        self.refresh_tokens.insert(refresh_token.clone(), (grant, true));
        let tokens = Tokens { access_token, refresh_token, expires_in: self.lifetime };
        self.given.push(tokens.clone());
        tokens
    }
}
