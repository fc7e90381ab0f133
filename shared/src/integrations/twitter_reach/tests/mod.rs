use std::collections::BTreeMap;

use insta::assert_snapshot;
use sandbox::twitter::{
    App, Community, Fault, SCOPES, Standing, StatusCode, Twitter as SimulatedX, UserId,
};
use serde_json::json;

use super::*;
use crate::sdk::Oauth2;
use crate::sdk::testing::{Ending, Examination, Rehearsal, Rehearsed};

/// A simulated X, and what lets us in.
struct X {
    sim: SimulatedX,
    credential: Credential,
}

impl X {
    /// `acme`, and users of these names with a hundred followers each.
    async fn with(names: &[&str]) -> Self {
        let mut community = Community::empty();
        let acme = community.add_user("acme", "Acme, Inc.");
        for name in names {
            let id = community.add_user(name, "Somebody");
            community.user_mut(id).followers_count = 100;
        }
        Self::of(community, acme).await
    }

    async fn of(community: Community, account: UserId) -> Self {
        let sim = SimulatedX::serve(community).await.expect("a simulated X");
        let app = App { client_id: "an-app".to_owned(), client_secret: None };
        let tokens = sim.grant(&app, account, SCOPES);
        let credential = Credential::Oauth2(Oauth2 {
            client_id: app.client_id,
            client_secret: None,
            access_token: tokens.access_token.into(),
            refresh_token: None,
            expires_at: None,
        });
        Self { sim, credential }
    }

    fn rehearsal(&self, members: Vec<KnownAccount>) -> Rehearsal {
        let members = members.into_iter().map(|known| ("twitter", known)).collect();
        Rehearsal::of(TwitterReach::at(&self.sim.url()).expect("an integration"))
            .credential(self.credential.clone())
            .members(members)
    }

    fn id(&self, name: &str) -> String {
        self.sim.look(|community| community.user_named(name).expect("a user").id.to_string())
    }

    /// The names that were asked for, request by request.
    fn asked(&self) -> Vec<Vec<String>> {
        let names = |query: String| {
            let (_, rest) = query.split_once("usernames=").expect("names");
            let names = rest.split('&').next().unwrap_or_default();
            names.split("%2C").map(str::to_owned).collect()
        };
        self.sim.requests().into_iter().filter_map(|it| it.query).map(names).collect()
    }
}

fn known(name: &str, reach: Option<i64>) -> KnownAccount {
    KnownAccount { username: name.to_owned(), source_id: None, reach }
}

/// What is told of members, and nobody added by it.
fn updates(run: &Rehearsed) -> impl Iterator<Item = &Member> {
    run.operations.iter().flat_map(|operation| match operation {
        Operation::UpdateMembers(members) => members,
        other => panic!("an operation that may add somebody: {other:?}"),
    })
}

/// What was told, by name.
fn told(run: &Rehearsed) -> BTreeMap<&str, i64> {
    updates(run).map(|it| (it.identity.username.as_str(), it.reach["twitter"])).collect()
}

#[tokio::test]
async fn it_passes_the_examination() {
    let names: Vec<_> = (0..150).map(|n| format!("user{n:03}")).collect();
    let x = X::with(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let members = names.iter().map(|name| ("twitter", known(name, None))).collect();
    Examination::of(TwitterReach::with, x.sim.url())
        .credential(x.credential.clone())
        .members(members)
        .sit()
        .await;
}

#[tokio::test]
async fn members_are_looked_up_a_hundred_at_a_time_and_told_with_their_number() {
    let names: Vec<_> = (0..250).map(|n| format!("user{n:03}")).collect();
    let x = X::with(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let run = x.rehearsal(names.iter().map(|name| known(name, None)).collect()).run().await;
    assert_snapshot!(run, @r#"
    the run -> 1 stream
    {"stream":"accounts"} -> done: 100 records, next page
    {"after":"user099","stream":"accounts"} -> done: 100 records, next page
    {"after":"user199","stream":"accounts"} -> done: 50 records
    the run -> processed
    "#);
    assert_eq!((run.requests, told(&run).len()), (3, 250));
    let first = updates(&run).next().expect("a member");
    assert_eq!(first.identity.source_id, Some(x.id("user000")));
}

#[tokio::test]
async fn only_reach_that_changed_is_told() {
    let x = X::with(&["ada", "bob", "eve"]).await;
    let members = vec![known("ada", Some(100)), known("bob", Some(99)), known("eve", None)];
    let run = x.rehearsal(members).run().await;
    assert_eq!(told(&run), BTreeMap::from([("bob", 100), ("eve", 100)]));
}

#[tokio::test]
async fn trap_a_name_of_fifteen_characters_is_looked_up() {
    let x = X::with(&["fifteen_letters"]).await;
    let run = x.rehearsal(vec![known("fifteen_letters", None)]).run().await;
    assert_eq!(told(&run).len(), 1, "the forerunner dropped the longest names there are");
}

#[tokio::test]
async fn names_that_cannot_be_on_x_are_left_out_of_the_batch() {
    let x = X::with(&["ada"]).await;
    let members = ["ada", "ünïcode", "with space", "sixteen_letters_", "a-b", "a,b", ""];
    let run = x.rehearsal(members.map(|name| known(name, None)).into()).run().await;
    assert_eq!((&run.ending, told(&run).len()), (&Ending::Processed, 1), "{run}");
    assert_eq!(x.asked(), [["ada"]]);
}

#[tokio::test]
async fn nobody_who_could_be_looked_up_costs_no_request() {
    let x = X::with(&[]).await;
    for members in [vec![], vec![known("not-a-name", None)]] {
        let run = x.rehearsal(members).run().await;
        assert_eq!((&run.ending, run.requests), (&Ending::Processed, 0), "{run}");
    }
}

#[tokio::test]
async fn a_hundred_members_with_nobody_after_them_take_one_request() {
    let names: Vec<_> = (0..100).map(|n| format!("user{n:03}")).collect();
    let x = X::with(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let run = x.rehearsal(names.iter().map(|name| known(name, None)).collect()).run().await;
    assert_eq!((&run.ending, run.requests), (&Ending::Processed, 1), "{run}");
}

#[tokio::test]
async fn who_is_suspended_or_gone_is_no_failure() {
    let x = X::with(&["ada", "bob", "eve"]).await;
    let standing = |name, standing| {
        x.sim.edit(|community| {
            let id = community.user_named(name).expect("a user").id;
            community.set_standing(id, standing);
        });
    };
    standing("ada", Standing::Suspended);
    standing("bob", Standing::Deleted);
    let members = ["ada", "bob", "eve", "nobody"].map(|name| known(name, Some(7)));
    let run = x.rehearsal(members.into()).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 0), "{run}");
    assert_eq!(told(&run), BTreeMap::from([("eve", 100)]));

    standing("eve", Standing::Suspended);
    let none = x.rehearsal(vec![known("ada", None), known("eve", None)]).run().await;
    assert_eq!((&none.ending, told(&none).len()), (&Ending::Processed, 0), "{none}");
}

#[tokio::test]
async fn a_name_that_passed_to_somebody_else_says_nothing_of_who_had_it() {
    let x = X::with(&["ada"]).await;
    let before = KnownAccount { source_id: Some("404".to_owned()), ..known("ada", Some(7)) };
    let run = x.rehearsal(vec![before]).run().await;
    assert_eq!(told(&run).len(), 0, "{run}");
    let herself = KnownAccount { source_id: Some(x.id("ada")), ..known("ada", Some(7)) };
    let run = x.rehearsal(vec![herself]).run().await;
    assert_eq!(told(&run), BTreeMap::from([("ada", 100)]));
}

#[tokio::test]
async fn names_are_the_same_in_capitals_and_keep_the_spelling_they_are_known_by() {
    let x = X::with(&["AdaL"]).await;
    let run = x.rehearsal(vec![known("ADAL", None), known("adal", None)]).run().await;
    assert_eq!(told(&run), BTreeMap::from([("ADAL", 100), ("adal", 100)]));
    assert_eq!(x.asked(), [["adal"]]);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_the_members_for_the_next_day_and_says_so() {
    let x = X::with(&["ada"]).await;
    x.sim.misbehave("/2/users/by", 5, Fault::Status(StatusCode::BAD_GATEWAY));
    let run = x.rehearsal(vec![known("ada", None)]).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    let next = x.rehearsal(vec![known("ada", None)]).check().run().await;
    assert_eq!((&next.ending, told(&next).len()), (&Ending::Processed, 1), "{next}");
}

#[test]
fn a_reach_run_is_run_by_the_reach_integration_a_kind_of_its_own_on_the_others_platform() {
    assert_eq!((TwitterReach::KIND, TwitterReach::PLATFORM), ("twitter_reach", "twitter"));
    assert_eq!(TwitterReach::CHECKS, CheckSchedule::EveryTicks(1440));
}

#[test]
fn what_is_stored_of_members_is_the_name_they_were_read_up_to() {
    let streams = [None, Some("ada".to_owned())].map(|after| Stream::Accounts { after });
    let stored = streams.each_ref().map(|it| serde_json::to_string(it).expect("JSON"));
    assert_eq!(stored, [r#"{"stream":"accounts"}"#, r#"{"stream":"accounts","after":"ada"}"#]);
    for (stream, stored) in streams.iter().zip(stored) {
        assert_eq!(serde_json::from_str::<Stream>(&stored).expect("a stream"), *stream);
    }
    let newer = json!({"stream": "accounts", "after": "ada", "added_later": 1});
    assert_eq!(serde_json::from_value::<Stream>(newer).expect("a stream"), streams[1]);
}

#[test]
fn settings_are_empty_and_a_field_is_refused_by_its_name() {
    let registry = crate::sdk::Registry::default()
        .with(TwitterReach::at("https://api.x.com").expect("a client"));
    let kind = registry.find("twitter_reach").expect("the kind");
    kind.check_settings(&json!({})).expect("nothing to say");
    let refused = kind.check_settings(&json!({"hashtags": []})).expect_err("a refusal");
    assert!(refused.to_string().contains("unknown field `hashtags`"), "{refused}");
}
