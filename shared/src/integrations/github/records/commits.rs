//! Commits of pull requests: told of git, not of GitHub.
//!
//! Whoever has linked the address of a commit to an account is known by that account's login; others
//! by the address itself, which is all that git knows of them.

use serde_json::json;

use super::{attributes, said};
use crate::integrations::github::Github;
use crate::integrations::github::answers::{Commit, GitAuthor, PullHead};
use crate::sdk::{Activity, Identity, Integration, Member};

const GIT: &str = "git";

/// `None` if there is nothing to tell its author by.
pub(in super::super) fn authored(commit: Commit, pull: &PullHead) -> Option<Activity> {
    let Commit { oid, message, authored_date, additions, deletions, author, parents } = commit;
    let repository = &pull.repository;
    let on_main = pull.state == "MERGED"
        && repository.default_branch_ref.as_ref().is_some_and(|it| it.name == pull.base_ref_name);
    Some(Activity {
        source_parent_id: Some(pull.id.clone()),
        source_parent_platform: Some(Github::KIND.to_owned()),
        body: said(message),
        url: Some(format!("{}.git", repository.url)),
        channel: Some(repository.name.clone()),
        attributes: attributes([
            ("insertions", json!(additions)),
            ("deletions", json!(deletions)),
            ("lines", json!(additions.cast_signed() - deletions.cast_signed())),
            ("isMerge", json!(parents.total_count > 1)),
            ("isMainBranch", json!(on_main)),
        ]),
        score: 2,
        ..Activity::by(member(author?)?, "authored-commit", oid, authored_date)
    })
}

fn member(author: GitAuthor) -> Option<Member> {
    let GitAuthor { name, email, user } = author;
    let email = email.and_then(said);
    let login = user.map(|user| user.login);
    let username = login.or_else(|| email.clone())?;
    let identity = Identity { platform: GIT.to_owned(), username, source_id: None };
    Some(Member {
        display_name: name.and_then(said),
        emails: email.into_iter().collect(),
        ..Member::of(identity)
    })
}
