//! A tree of comments, made flat.
//!
//! Trees here are deep: the site hangs every late reply to a discussion below the reply before it,
//! so a hundred of them are a hundred levels, beyond what a JSON decoder follows. So each level is
//! decoded by itself, and the levels below it are kept as text until their turn.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sdk::{Result, SyncError};

/// Deeper than any discussion. The text of a level is looked over once for each level above it, and
/// without a bound a made-up tree would keep us at it for hours.
const MOST_LEVELS: usize = 1000;

/// The comments on an article as the site sends them.
pub(super) type Tree = Vec<Node>;

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    id_code: String,
    created_at: DateTime<Utc>,
    body_html: Option<String>,
    /// Empty when the comment is deleted or hidden; the replies to it stay.
    user: Option<User>,
    children: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct User {
    username: Option<String>,
    user_id: Option<u64>,
    name: Option<String>,
}

#[derive(Debug)]
pub(super) struct Comment {
    pub(super) id_code: String,
    /// What it answers; that may be a comment that is deleted.
    pub(super) parent: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) body_html: Option<String>,
    pub(super) author: Option<Author>,
}

#[derive(Debug)]
pub(super) struct Author {
    pub(super) username: String,
    pub(super) user_id: Option<u64>,
    pub(super) name: Option<String>,
}

/// Depth first: every comment after the one that it answers.
pub(super) fn flatten(tree: Tree) -> Result<Vec<Comment>> {
    let mut comments = Vec::new();
    // From the outermost to the one we are at: whom it answers, and who of it is still to come.
    let mut levels = vec![(None, tree.into_iter())];
    while let Some((parent, siblings)) = levels.last_mut() {
        let Some(node) = siblings.next() else {
            levels.pop();
            continue;
        };
        let parent = parent.clone();
        let replies = node.replies()?;
        let comment = node.answering(parent);
        if !replies.is_empty() {
            levels.push((Some(comment.id_code.clone()), replies.into_iter()));
        }
        comments.push(comment);
        if levels.len() > MOST_LEVELS {
            let endless = anyhow!("the comments are more than {MOST_LEVELS} levels deep");
            return Err(SyncError::Permanent(endless));
        }
    }
    Ok(comments)
}

impl Node {
    fn replies(&self) -> Result<Tree> {
        let Some(children) = &self.children else { return Ok(Vec::new()) };
        let replies = serde_json::from_str(children.get());
        // serde's own sentence would quote what people wrote.
        Ok(replies.map_err(|error| {
            let (line, column) = (error.line(), error.column());
            anyhow!(
                "the replies to comment {} are not as expected at line {line} column {column}",
                self.id_code,
            )
        })?)
    }

    fn answering(self, parent: Option<String>) -> Comment {
        let author = self.user.and_then(|user| {
            Some(Author { username: user.username?, user_id: user.user_id, name: user.name })
        });
        let Self { id_code, created_at, body_html, .. } = self;
        Comment { id_code, parent, created_at, body_html, author }
    }
}
