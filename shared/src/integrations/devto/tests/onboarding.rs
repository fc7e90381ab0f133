use super::*;

#[tokio::test]
async fn an_onboarding_reads_every_article_and_asks_for_every_author() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 2, 9), article(2, 0, 0)])).await;
    site.lists("2", json!([])).await;
    site.discusses("1", json!([comment("a", 7, 8, json!([comment("b", 8, 9, json!([]))]))])).await;
    site.shows(7, "user7").await;
    site.shows(8, "user8").await;

    assert_snapshot!(site.rehearsal().run().await, @r#"
    the run -> 1 stream
    {"of":{"organization":"acme"},"page":1,"stream":"articles"} -> done: 0 records, 1 new stream, next page
    {"article":{"comments_count":2,"id":1,"last_comment_at":"2024-04-20T09:00:00Z","title":"Article 1","url":"https://dev.to/acme/1"},"stream":"comments"} -> done: 2 records, 2 new streams
    {"after":1,"of":{"organization":"acme"},"page":2,"stream":"articles"} -> done: 0 records
    {"stream":"profile","user_id":7} -> done: 1 record
    {"stream":"profile","user_id":8} -> done: 1 record
    the run -> processed
    "#);
}

#[tokio::test]
async fn a_comment_becomes_an_activity() {
    let site = Forem::start().await;
    site.lists("1", json(ARTICLES)).await;
    site.lists("2", json!([])).await;
    site.discusses("1890771", json(COMMENTS)).await;
    site.shows(8001, "asa_oest").await;
    site.shows(7001, "ben").await;

    let run = site.rehearsal().run().await;
    let activities: Vec<_> = run.activities().collect();
    assert_eq!(activities.len(), 2);
    assert_snapshot!(shown(&site, activities[0]), @r#"
    {
      "platform": "devto",
      "kind": "comment",
      "source_id": "2f1aa",
      "source_parent_id": null,
      "timestamp": "2024-04-19T09:12:44Z",
      "title": null,
      "body": "<p>We saw the <em>same</em>, see <a href=\"https://example.com/notes\" rel=\"nofollow noopener noreferrer\">my notes</a>.</p>\n",
      "url": "https://dev.to/asa_oest/comment/2f1aa",
      "channel": null,
      "attributes": {
        "articleTitle": "What our queue forgot",
        "articleUrl": "https://dev.to/acme/what-our-queue-forgot-3f1a",
        "thread": false,
        "userUrl": "https://dev.to/asa_oest"
      },
      "score": 6,
      "is_contribution": true,
      "member": {
        "identity": {
          "platform": "devto",
          "username": "asa_oest",
          "source_id": "8001"
        },
        "display_name": "Åsa Öst",
        "emails": [],
        "joined_at": null,
        "reach": {},
        "attributes": {
          "name": {
            "devto": "Åsa Öst"
          },
          "sourceId": {
            "devto": "8001"
          },
          "url": {
            "devto": "https://dev.to/asa_oest"
          }
        }
      },
      "object_member": null
    }
    "#);
    assert_eq!(activities[1].source_parent_id.as_deref(), Some("2f1bb"));
    assert_eq!(activities[1].attributes["thread"], true);
}

/// As JSON, with the address that the fake stands for.
fn shown(site: &Forem, record: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(record).expect("JSON");
    json.replace(&site.0.uri(), "https://dev.to")
}

#[tokio::test]
async fn a_profile_becomes_a_member() {
    let site = Forem::start().await;
    site.answers("/api/users/8001", &[], json(USER)).await;
    site.lists("1", json!([])).await;
    let state = json!({"missed_profiles": [8001]});

    let run = site.rehearsal().state(state).run().await;
    let member = run.members().next().expect("a member");
    assert_snapshot!(shown(&site, member), @r#"
    {
      "identity": {
        "platform": "devto",
        "username": "asa_oest",
        "source_id": "8001"
      },
      "display_name": "Åsa Öst",
      "emails": [],
      "joined_at": null,
      "reach": {},
      "attributes": {
        "bio": {
          "devto": "Ich schreibe über Datenbanken & Fahrräder."
        },
        "name": {
          "devto": "Åsa Öst",
          "github": "asa"
        },
        "sourceId": {
          "devto": "8001"
        },
        "url": {
          "devto": "https://dev.to/asa_oest",
          "github": "https://github.com/asa",
          "twitter": "https://twitter.com/asaoest"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn an_author_is_asked_for_once_and_an_article_of_two_owners_is_read_once() {
    let site = Forem::start().await;
    let listed = json!([article(1, 1, 8), article(2, 1, 9)]);
    site.lists("1", listed.clone()).await;
    site.lists("2", json!([])).await;
    site.answers("/api/articles", &[("username", "ben"), ("page", "1")], listed).await;
    site.answers("/api/articles", &[("username", "ben"), ("page", "2")], json!([])).await;
    site.discusses("1", json!([comment("a", 7, 8, json!([]))])).await;
    site.discusses("2", json!([comment("b", 7, 9, json!([]))])).await;
    site.shows(7, "user7").await;

    let both = json!({"organizations": ["acme"], "users": ["ben"]});
    let run = site.rehearsal().settings(both).run().await;
    assert_eq!((&run.ending, run.requests), (&Ending::Processed, 7), "{run}");
}

#[tokio::test]
async fn only_the_chosen_units_are_read() {
    let site = Forem::start().await;
    site.answers("/api/articles", &[("username", "ben"), ("page", "1")], json!([article(1, 0, 0)]))
        .await;
    site.answers("/api/articles", &[("username", "ben"), ("page", "2")], json!([])).await;

    let both = json!({"organizations": ["acme"], "users": ["asa", "ben"]});
    let run = site.rehearsal().settings(both).units(&["user/ben"]).run().await;
    assert_eq!((&run.ending, run.requests), (&Ending::Processed, 2), "{run}");
}

#[tokio::test]
async fn what_an_older_forem_does_not_say_is_done_without() {
    let site = Forem::start().await;
    site.lists("1", json!([article(1, 1, 9)])).await;
    site.lists("2", json!([])).await;
    let mut nameless = comment("a", 7, 9, json!([]));
    nameless["user"] = json!({"username": "ben"});
    nameless["body_html"] = Value::Null;
    site.discusses("1", json!([nameless])).await;

    let run = site.rehearsal().run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let ben = &run.activities().next().expect("an activity").member;
    assert_eq!((ben.identity.username.as_str(), &ben.identity.source_id), ("ben", &None));
}
