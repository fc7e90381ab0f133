//! Lists of articles: where they end, and whose they are.

use super::*;
use crate::sdk::{Access, RawConnection, Registry};

#[tokio::test]
async fn a_short_page_is_not_the_last_but_an_empty_one_is() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 0, 0)])).await;
    site.lists("2", json!([article(2, 0, 0)])).await;
    site.lists("3", json!([])).await;
    assert_snapshot!(site.rehearsal().run().await, @r#"
    the run -> 1 stream
    {"of":{"organization":"acme"},"page":1,"stream":"articles"} -> done: 0 records, next page
    {"after":1,"of":{"organization":"acme"},"page":2,"stream":"articles"} -> done: 0 records, next page
    {"after":2,"of":{"organization":"acme"},"page":3,"stream":"articles"} -> done: 0 records
    the run -> processed
    "#);
}

/// After five attempts, since it may be a cache's mistake.
#[tokio::test]
async fn a_page_that_repeats_ends_the_list_as_a_hole() {
    let site = Forem::start().await;
    let same = ok(json!([article(2, 0, 0), article(1, 0, 0)]));
    site.answers_with("/api/organizations/acme/articles", &[], same, 6).await;
    let run = site.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 });
    assert!(
        run.to_string().contains(
            "never: page 2 of the articles of organization `acme` begins as the one before"
        ),
        "{run}"
    );
}

#[tokio::test]
async fn a_page_that_was_pushed_down_by_a_new_article_is_no_repetition() {
    let site = Forem::start().await;
    site.lists("1", json!([article(3, 0, 0), article(2, 0, 0)])).await;
    site.lists("2", json!([article(2, 0, 0), article(1, 0, 0)])).await;
    site.lists("3", json!([])).await;
    let run = site.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
}

#[tokio::test]
async fn a_list_without_end_is_given_up_after_a_hundred_pages() {
    let site = Forem::start().await;
    let endless = |request: &wiremock::Request| {
        let page = request.url.query_pairs().find(|(name, _)| name == "page").expect("a page").1;
        ok(json!([article(page.parse().expect("a number"), 0, 0)]))
    };
    Mock::given(path("/api/organizations/acme/articles"))
        .respond_with(endless)
        .expect(100)
        .mount(&site.0)
        .await;
    let run = site.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 });
    assert!(run.to_string().contains("after 100 pages"), "{run}");
}

#[tokio::test]
async fn a_run_names_the_organization_and_the_user_that_the_site_does_not_know() {
    let site = Forem::start().await;
    site.answers_with("/api/organizations/nobody/articles", &[], status(404), 1).await;
    site.answers("/api/articles", &[("username", "noone")], json!([])).await;
    site.answers_with("/api/users/by_username", &[("url", "noone")], status(404), 1).await;
    let settings = json!({"organizations": ["nobody"], "users": ["noone"]});
    assert_snapshot!(site.rehearsal().settings(settings).run().await, @r#"
    the run -> 2 streams
    {"of":{"organization":"nobody"},"page":1,"stream":"articles"} -> never: dev.to knows no organization `nobody`
    {"of":{"user":"noone"},"page":1,"stream":"articles"} -> never: dev.to knows no user `noone`
    the run -> error: 2 streams given up
    "#);
}

#[tokio::test]
async fn a_user_without_articles_is_no_mistake() {
    let site = Forem::start().await;
    site.answers("/api/articles", &[("username", "asa_oest")], json!([])).await;
    site.answers("/api/users/by_username", &[("url", "asa_oest")], json(USER)).await;
    let run = site.rehearsal().settings(json!({"users": ["asa_oest"]})).run().await;
    assert_eq!((&run.ending, run.requests), (&Ending::Processed, 2), "{run}");
}

fn connection(settings: Value) -> RawConnection {
    let now = "2024-05-01T12:00:00Z".parse().expect("an instant");
    RawConnection::new(settings, now, Access::open())
}

#[tokio::test]
async fn verifying_asks_once_for_each_and_names_the_unknown_one() {
    let site = Forem::start().await;
    // The second time it may be left when the one beside it turns out to be unknown.
    site.answers_with("/api/organizations/acme", &[], ok(json(ORGANIZATION)), 1..=2).await;
    site.answers("/api/users/by_username", &[("url", "asa_oest")], json(USER)).await;
    let registry = Registry::default().with(site.devto());
    let devto = registry.find("devto").expect("devto");

    let known = json!({"organizations": ["acme"], "users": ["asa_oest"]});
    devto.verify(connection(known)).await.expect("both are known");
    let unknown = json!({"organizations": ["acme", "nobody"]});
    let error = devto.verify(connection(unknown)).await.expect_err("one is unknown");
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
    assert_eq!(error.to_string(), "dev.to knows no organization `nobody`");
}

/// They were passed over, and a run of nothing was processed.
#[tokio::test]
async fn a_unit_outside_the_settings_is_refused_at_connecting_and_a_hole_in_a_run() {
    let site = Forem::start().await;
    site.lists("1", json!([])).await;
    let registry = Registry::default().with(site.devto());
    let devto = registry.find("devto").expect("devto");
    let outside = "the unit `user/zoe` is nobody in the settings";
    let units = ["organization/acme", "user/zoe"];
    let mut connection = connection(json!({"organizations": ["acme"], "users": ["ben"]}));
    connection.units = units.map(str::to_owned).to_vec();
    let error = devto.verify(connection).await.expect_err("a refusal");
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
    assert_eq!(error.to_string(), outside);

    let run = site.rehearsal().units(&units).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 }, "{run}");
    assert!(run.to_string().contains(outside), "{run}");
    let unreadable = site.rehearsal().units(&["acme"]).run().await;
    assert_eq!(unreadable.ending, Ending::Failed, "{unreadable}");
    assert!(unreadable.to_string().contains("\"acme\" is no unit of dev.to"), "{unreadable}");
}

#[tokio::test]
async fn organizations_and_users_can_be_discovered() {
    let site = Forem::start().await;
    site.answers("/api/organizations/acme", &[], json(ORGANIZATION)).await;
    site.answers("/api/users/by_username", &[("url", "asa_oest")], json(USER)).await;
    let registry = Registry::default().with(site.devto());
    let settings = json!({"organizations": ["acme"], "users": ["asa_oest"]});
    let devto = registry.find("devto").expect("devto");
    let units = devto.discover(connection(settings)).await.expect("units");
    insta::assert_json_snapshot!(units, @r#"
    [
      {
        "id": "organization/acme",
        "name": "Acme",
        "description": "Everything that falls from cliffs.",
        "item_count": null
      },
      {
        "id": "user/asa_oest",
        "name": "Åsa Öst",
        "description": "Ich schreibe über Datenbanken & Fahrräder.",
        "item_count": null
      }
    ]
    "#);
}
