//! GitHub: a repository with all that happens around it, seen by an installed application.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::Utc;
use sandbox::github::{APP_ID, ExpectedActivity, Github, INSTALLATION_ID, PRIVATE_KEY, World};
use serde_json::{Value, json};

use super::{Platform, Record, below_their_parents, stored_activities};

impl Platform for Github {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn flag(&self) -> (&'static str, String) {
        ("--github-url", self.url())
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn credential(&self) -> Option<Value> {
        Some(json!({
            "type": "github_app", "app_id": APP_ID, "installation_id": INSTALLATION_ID,
            "private_key": PRIVATE_KEY,
        }))
    }

    fn set_latency(&self, latency: Duration) {
        Self::set_latency(self, latency);
    }

    fn write(&self) {
        self.edit(|world| {
            world.turn_to(Utc::now());
            let repository = world.repositories().next().expect("a repository").id;
            let person = world.add_user(&format!("newcomer{}", world.all("User").count()));
            world.star(repository, person);
            let issue = world.open_issue(repository, person, "It stops at night");
            let comment = world.comment(issue, person, "Only when nobody looks.");
            world.edit_comment(comment, "Only when somebody looks.");
        });
    }

    fn refused(&self) -> u64 {
        self.refused_count()
    }

    fn truth(&self) -> BTreeSet<Record> {
        let activities = self.look(World::expected_activities).into_iter();
        below_their_parents(activities.map(|((kind, id), known)| record(kind, id, known)))
    }

    fn stored(&self) -> String {
        stored_activities(&["github", "git"], "i.username")
    }
}

fn record(kind: String, source_id: String, known: ExpectedActivity) -> Record {
    let timestamp = Some(known.at.parse().expect("an instant"));
    let (source_parent_id, who) = (known.parent, Some(known.who));
    let body = known.body.filter(|body| !body.is_empty());
    Record { kind, source_id, source_parent_id, parent: None, who, body, timestamp }
}
