//! The answers have the fields and types of the site's published description; `fields.json` names
//! it.

use sandbox::devto::{Community, Devto};
use serde_json::Value;

use crate::client::json;

struct Description(Value);

impl Description {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("fields.json")).unwrap())
    }

    fn check_all(&self, schema: &str, values: &Value) {
        values.as_array().unwrap().iter().for_each(|value| self.check(schema, value));
    }

    /// Every field that is always there is there, every other is known, and each has its type.
    fn check(&self, schema: &str, value: &Value) {
        let schema_of = |part: &str| self.0["schemas"][schema][part].as_object().unwrap();
        let (always, sometimes) = (schema_of("always"), schema_of("sometimes"));
        let fields = value.as_object().unwrap();
        for name in always.keys() {
            assert!(fields.contains_key(name), "{schema} without {name}: {value}");
        }
        for (name, value) in fields {
            let kind = always.get(name).or_else(|| sometimes.get(name));
            let kind = kind.unwrap_or_else(|| panic!("{schema} has no {name}")).as_str().unwrap();
            self.check_type(kind, value, &format!("{schema}.{name}"));
        }
    }

    fn check_type(&self, kind: &str, value: &Value, place: &str) {
        if value.is_null() {
            return assert!(kind.ends_with('?'), "{place} is null");
        }
        let kind = kind.trim_end_matches('?');
        if let Some(kind) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            let values = value.as_array().unwrap_or_else(|| panic!("{place} is no list: {value}"));
            return values.iter().for_each(|value| self.check_type(kind, value, place));
        }
        match kind {
            "string" => assert!(value.is_string(), "{place}: {value}"),
            "integer" => assert!(value.is_u64(), "{place}: {value}"),
            schema => self.check(schema, value),
        }
    }
}

/// Without tombstones, whose user is empty.
fn community() -> Community {
    let mut community = Community::empty();
    let layla = community.add_user("layla", "ليلى");
    let loom = community.add_organization("brightloom", "Brightloom");
    let article = community.add_article_for(loom, layla, "Ours");
    let root = community.add_comment(article, layla, "<p>one</p>");
    community.reply(root, layla, "<p>two</p>");
    community.add_article(layla, "Mine");
    community
}

#[tokio::test]
async fn articles_are_as_described() {
    let description = Description::read();
    let devto = Devto::serve(Community::realistic(1, 40, 60)).await.unwrap();
    let articles = json(&devto, "/api/articles?per_page=40").await;
    assert_eq!(articles.as_array().unwrap().len(), 40);
    description.check_all("Article", &articles);
    for optional in ["organization", "flare_tag"] {
        let have =
            articles.as_array().unwrap().iter().filter(|article| article.get(optional).is_some());
        assert!((1..40).contains(&have.count()), "{optional}");
    }
    description.check_all("Article", &json(&devto, "/api/organizations/brightloom/articles").await);
}

#[tokio::test]
async fn comments_are_as_described() {
    let community = community();
    let article = community.articles().next().unwrap().id;
    let devto = Devto::serve(community).await.unwrap();
    let comments = json(&devto, &format!("/api/comments?a_id={}", article.0)).await;
    assert_eq!(comments[0]["children"].as_array().unwrap().len(), 1);
    Description::read().check_all("Comment", &comments);
}

#[tokio::test]
async fn users_are_as_described() {
    let description = Description::read();
    let community = Community::realistic(2, 10, 60);
    let users: Vec<_> =
        community.users().filter(|user| user.has_profile).map(|user| user.id).collect();
    let devto = Devto::serve(community).await.unwrap();
    for id in users {
        description.check("User", &json(&devto, &format!("/api/users/{}", id.0)).await);
    }
}

#[tokio::test]
async fn organizations_are_as_described() {
    let devto = Devto::serve(community()).await.unwrap();
    let organization = json(&devto, "/api/organizations/brightloom").await;
    Description::read().check("Organization", &organization);
}

#[test]
#[should_panic(expected = "Comment.created_at")]
fn a_wrong_type_would_be_noticed() {
    let comment = serde_json::json!({
        "type_of": "comment", "id_code": "1", "created_at": 7, "body_html": "", "children": [],
        "user": {},
    });
    Description::read().check("Comment", &comment);
}
