//! Comments, which nest.

use std::collections::BTreeMap;

use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use super::{SharedUser, iso};
use crate::devto::community::Community;
use crate::devto::records::{Comment, CommentId, Visibility};

/// Comments with all that was replied to them, each thread nested as deep as it goes.
pub(in crate::devto) struct Threads<'a> {
    pub(in crate::devto) comments: &'a [CommentId],
    pub(in crate::devto) community: &'a Community,
}

impl Serialize for Threads<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut threads = serializer.serialize_seq(Some(self.comments.len()))?;
        for &id in self.comments {
            let comment = self.community.comment(id);
            threads.serialize_element(&Thread { comment, community: self.community })?;
        }
        threads.end()
    }
}

struct Thread<'a> {
    comment: &'a Comment,
    community: &'a Community,
}

impl Serialize for Thread<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { comment, community } = *self;
        let mut thread = serializer.serialize_struct("comment", 6)?;
        thread.serialize_field("type_of", "comment")?;
        thread.serialize_field("id_code", &comment.id.to_string())?;
        thread.serialize_field("created_at", &iso(comment.created_at))?;
        let tombstone = match comment.visibility {
            Visibility::Shown => None,
            Visibility::Deleted => Some("<p>[deleted]</p>"),
            Visibility::Hidden => Some("<p>[hidden by post author]</p>"),
        };
        thread.serialize_field("body_html", tombstone.unwrap_or(&comment.body_html))?;
        match tombstone {
            None => thread.serialize_field("user", &SharedUser::of(community.user(comment.author))),
            Some(_) => thread.serialize_field("user", &BTreeMap::<(), ()>::new()),
        }?;
        thread.serialize_field("children", &Threads { comments: &comment.replies, community })?;
        thread.end()
    }
}
