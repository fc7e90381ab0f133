//! dev.to: articles, and what is said below them.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox::devto::{Community, Devto, ExpectedComment};
use serde_json::{Value, json};
use shared::sdk::html;

use super::{Platform, Record, below_their_parents, stored_activities};

impl Platform for Devto {
    fn kind(&self) -> &'static str {
        "devto"
    }

    fn flag(&self) -> (&'static str, String) {
        ("--devto-url", self.url())
    }

    fn settings(&self) -> Value {
        self.look(everybody)
    }

    fn set_latency(&self, latency: Duration) {
        Self::set_latency(self, latency);
    }

    /// What is edited is read again because of the reply.
    fn write(&self) {
        self.edit(|community| {
            let author = community.users().next().expect("a community has people").id;
            let article = community.articles().next().expect("they write").id;
            let comment = community.add_comment(article, author, "<p>I have read this.</p>");
            community.reply(comment, author, "<p>And again.</p>");
        });
    }

    fn refused(&self) -> u64 {
        self.refused_count()
    }

    fn truth(&self) -> BTreeSet<Record> {
        let comment = |comment: ExpectedComment| Record {
            kind: "comment".to_owned(),
            source_id: comment.id_code,
            source_parent_id: comment.parent_id_code,
            parent: None,
            who: Some(format!("{} {}", comment.username, comment.user_id)),
            body: Some(html::sanitize(&comment.body_html)),
            timestamp: Some(comment.created_at),
        };
        let comments = self.look(Community::expected_comments);
        below_their_parents(comments.into_iter().map(comment))
    }

    fn stored(&self) -> String {
        stored_activities(&["devto"], "concat_ws(' ', i.username, i.source_id)")
    }
}

/// Every organization, and everybody who writes for none: all articles there are.
fn everybody(community: &Community) -> Value {
    let organizations: BTreeSet<_> = community.organizations().map(|o| &o.username).collect();
    let alone = community.articles().filter(|article| article.organization.is_none());
    let users: BTreeSet<_> =
        alone.map(|article| &community.user(article.author).username).collect();
    json!({ "organizations": organizations, "users": users })
}
