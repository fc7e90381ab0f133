use super::*;

fn flat(tree: Value) -> Result<Vec<threads::Comment>> {
    threads::flatten(serde_json::from_value(tree).expect("a tree"))
}

#[test]
fn every_comment_comes_after_the_one_it_answers() {
    let tree = json!([
        comment(
            "a",
            1,
            1,
            json!([
                comment("b", 2, 2, json!([comment("c", 3, 3, json!([]))])),
                comment("d", 4, 4, json!([])),
            ])
        ),
        comment("e", 5, 5, json!([])),
    ]);
    let comments = flat(tree).expect("comments");
    let order: Vec<_> =
        comments.iter().map(|c| (c.id_code.as_str(), c.parent.as_deref())).collect();
    assert_eq!(
        order,
        [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("a")), ("e", None)],
    );
}

/// So many levels, each the only reply to the one above.
fn chain(levels: usize) -> String {
    let comment =
        r#"[{"id_code":"a","created_at":"2024-04-20T09:00:00Z","body_html":"","children":"#;
    format!("{}[]{}", comment.repeat(levels), "}]".repeat(levels))
}

#[test]
fn a_discussion_of_hundreds_of_replies_to_replies_is_read() {
    let tree = serde_json::from_str(&chain(500)).expect("a tree");
    assert_eq!(threads::flatten(tree).expect("comments").len(), 500);
}

#[test]
fn a_tree_without_bottom_is_given_up() {
    let tree = serde_json::from_str(&chain(1001)).expect("a tree");
    let error = threads::flatten(tree).expect_err("too deep");
    assert!(matches!(error, SyncError::Permanent(_)), "{error:?}");
}

#[test]
fn a_reply_that_does_not_decode_is_told_by_its_place_and_not_by_its_words() {
    let tree = json!([comment("a", 1, 1, json!([{"id_code": "private words"}]))]);
    let error = flat(tree).expect_err("an error").to_string();
    assert!(error.contains("comment a") && !error.contains("private"), "{error}");
}

#[test]
fn a_missing_user_or_missing_replies_are_none() {
    let tree = json!([
        {"id_code": "a", "created_at": at(1), "body_html": "", "user": null, "children": null},
        {"id_code": "b", "created_at": at(2), "body_html": ""},
    ]);
    let comments = flat(tree).expect("comments");
    assert!(comments.iter().all(|comment| comment.author.is_none()));
    assert_eq!(comments.len(), 2);
}
