//! What X answers in the shapes' tests is written after its published examples.

mod checks;
mod description;
mod followers;
mod hashtags;
mod limits;
mod onboarding;
mod renewal;
mod settings;
mod shapes;
mod stored;
mod verifying;

use sandbox::twitter::{
    ALWAYS, App, Community, ExpectedPost, Fault, SCOPES, StatusCode, Tokens, Twitter as SimulatedX,
    UserId,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::sdk::testing::{Ending, Examination, Rehearsal, Rehearsed};
use crate::sdk::{Activity, Oauth2, SyncError};

/// A simulated X, and an account on it that lets us in.
struct X {
    sim: SimulatedX,
    account: UserId,
    credential: Credential,
}

impl X {
    /// The account `acme`, three followers, two mentions, and posts under `rust` and `wasm`.
    async fn small() -> Self {
        let mut community = Community::empty();
        let acme = community.add_user("acme", "Acme, Inc.");
        let [ada, bob, eve] =
            ["ada", "bob", "eve"].map(|name| community.add_user(name, &name.to_uppercase()));
        for follower in [ada, bob, eve] {
            community.follow(follower, acme);
        }
        community.post(ada, "@acme it works");
        community.post(bob, "thanks @Acme & all");
        community.post(ada, "I like #Rust");
        community.post(eve, "I like #rust and #wasm");
        community.pass(chrono::TimeDelta::minutes(1));
        Self::of(community, acme).await
    }

    async fn of(community: Community, account: UserId) -> Self {
        let sim = SimulatedX::serve(community).await.expect("a simulated X");
        // Tests of what is read are not about tokens; `renewal.rs` is.
        sim.set_token_lifetime(chrono::TimeDelta::days(1_000));
        let credential = granted(&confidential(), sim.grant(&confidential(), account, SCOPES));
        Self { sim, account, credential }
    }

    fn integration(&self) -> Twitter {
        Twitter::at(&self.sim.url()).expect("an integration")
    }

    /// An onboarding that follows `rust` and `wasm`, at the community's time.
    fn rehearsal(&self) -> Rehearsal {
        Rehearsal::of(self.integration())
            .credential(self.credential.clone())
            .settings(json!({"hashtags": ["rust", "wasm"]}))
            .at(&self.sim.look(Community::now).to_rfc3339())
    }

    fn check(&self, before: &Rehearsed) -> Rehearsal {
        self.rehearsal().check().state(before.state.clone())
    }

    fn user(&self, name: &str) -> UserId {
        self.sim.look(|community| community.user_named(name).expect("a user").id)
    }

    /// Lets people act, and X index what they did.
    fn edit<T>(&self, act: impl FnOnce(&mut Community) -> T) -> T {
        self.sim.edit(|community| {
            let done = act(community);
            community.pass(chrono::TimeDelta::minutes(1));
            done
        })
    }

    /// What the requests since the last look asked for, less what they all say.
    fn asked(&self) -> Vec<String> {
        let requests = self.sim.requests();
        self.sim.clear_requests();
        requests.into_iter().map(|request| request.path).collect()
    }
}

fn confidential() -> App {
    App { client_id: "an-app".to_owned(), client_secret: Some("its-secret".to_owned()) }
}

fn granted(app: &App, tokens: Tokens) -> Credential {
    Credential::Oauth2(Oauth2 {
        client_id: app.client_id.clone(),
        client_secret: app.client_secret.clone().map(SecretString::from),
        access_token: tokens.access_token.into(),
        refresh_token: Some(tokens.refresh_token.into()),
        expires_at: None,
    })
}

/// The activities of a kind, by source id, in their last version.
fn of_kind<'a>(
    kind: &str,
    runs: &[&'a Rehearsed],
) -> std::collections::BTreeMap<&'a str, &'a Activity> {
    let activities = runs.iter().flat_map(|run| run.activities());
    let wanted = activities.filter(|activity| activity.kind == kind);
    wanted.map(|activity| (activity.source_id.as_str(), activity)).collect()
}

/// As the simulator tells the truth.
fn as_expected(activities: Vec<&Activity>) -> Vec<ExpectedPost> {
    let expected = |activity: &Activity| ExpectedPost {
        id: activity.source_id.clone(),
        author_id: activity.member.identity.source_id.clone().expect("a number"),
        username: activity.member.identity.username.clone(),
        text: activity.body.clone().expect("a text"),
        created_at: activity.timestamp,
    };
    let mut posts: Vec<_> = activities.into_iter().map(expected).collect();
    posts.sort();
    posts
}

fn sorted(mut posts: Vec<ExpectedPost>) -> Vec<ExpectedPost> {
    posts.sort();
    posts.dedup();
    posts
}

/// Nobody renews it: what the examination refuses stays refused.
fn for_good(credential: Credential) -> Credential {
    match credential {
        Credential::Oauth2(granted) => {
            Credential::Oauth2(Oauth2 { refresh_token: None, ..granted })
        }
        other => other,
    }
}

#[tokio::test]
async fn it_passes_the_examination() {
    let x = X::small().await;
    // By now: the examination's runs begin when they like.
    Examination::of(Twitter::with, x.sim.url())
        .settings(json!({"hashtags": ["rust", "wasm"]}))
        .credential(for_good(x.credential.clone()))
        .sit()
        .await;
}
