//! Lists, a page at a time: `?limit=` and the cursor that the page before gave.
//!
//! A cursor is the last row's place, not a number of rows, so nothing is shown twice or left out
//! when rows come and go in between. It names its list: one list's cursor is refused by another.

use serde::{Deserialize, Serialize};
use shared::domain::{CredentialId, IntegrationId, RunId, StreamId};
use utoipa::ToSchema;
use uuid::Uuid;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    data: Vec<T>,
    /// Sent as `cursor`, brings the next page; null on the last.
    next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// From one row more than fits, if there are so many: that there is a next page.
    pub(super) fn of<R, Id: Listed>(
        mut rows: Vec<R>,
        limit: Limit,
        id: impl Fn(&R) -> Id,
        show: impl Fn(R) -> T,
    ) -> Self {
        let more = rows.len() > usize::from(limit.0);
        rows.truncate(usize::from(limit.0));
        let last = rows.last().filter(|_| more).map(id);
        Self {
            data: rows.into_iter().map(show).collect(),
            next_cursor: last.map(|id| Cursor(id).text()),
        }
    }
}

/// How many rows a page has, at the most.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(try_from = "u64")]
#[schema(value_type = u64, minimum = 1, maximum = 200, default = 50)]
pub(super) struct Limit(u16);

impl Limit {
    const DEFAULT: Self = Self(50);
    const LARGEST: u16 = 200;

    /// One more, to see whether there is a next page.
    pub(super) fn rows(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<u64> for Limit {
    type Error = String;

    fn try_from(limit: u64) -> Result<Self, String> {
        match u16::try_from(limit) {
            Ok(limit @ 1..=Self::LARGEST) => Ok(Self(limit)),
            _ => Err(format!("a page has 1 to {} rows, not {limit}", Self::LARGEST)),
        }
    }
}

/// Where a page begins: behind this row. Opaque to whoever holds it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Cursor<Id: Listed>(pub(super) Id);

/// What a list goes by.
pub(super) trait Listed: Copy {
    /// Which list.
    const LIST: char;
    fn from_uuid(id: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

impl<Id: Listed> Cursor<Id> {
    fn text(self) -> String {
        format!("{}{}", Id::LIST, self.0.uuid().simple())
    }
}

impl<Id: Listed> TryFrom<String> for Cursor<Id> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = text.strip_prefix(Id::LIST).and_then(|id| Uuid::try_parse(id).ok());
        id.map(|id| Self(Id::from_uuid(id))).ok_or("this list has given no such cursor")
    }
}

macro_rules! listed {
    ($list:literal, $id:ident) => {
        impl Listed for $id {
            const LIST: char = $list;

            fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            fn uuid(self) -> Uuid {
                self.0
            }
        }
    };
}

listed!('c', CredentialId);
listed!('i', IntegrationId);
listed!('r', RunId);
listed!('s', StreamId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_the_place_it_was_given_for() {
        let id = RunId::new();
        assert_eq!(Cursor::<RunId>::try_from(Cursor(id).text()).map(|cursor| cursor.0), Ok(id));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let text = Cursor(RunId::new()).text();
        assert!(Cursor::<StreamId>::try_from(text).is_err());
    }

    #[test]
    fn only_a_page_that_is_followed_has_a_cursor() {
        let ids: Vec<RunId> = (0..3).map(|_| RunId::new()).collect();
        let page = |rows: &[RunId]| Page::of(rows.to_vec(), Limit(2), |id| *id, |id| id);
        assert_eq!(page(&ids).data, ids[..2]);
        assert_eq!(page(&ids).next_cursor, Some(Cursor(ids[1]).text()));
        assert_eq!(page(&ids[..2]).next_cursor, None);
    }
}
