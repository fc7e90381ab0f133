//! What a page of followers brings, and which of them are new.
//!
//! X lists them, the latest first, and does not say since when they follow. So the newest of them
//! are remembered, two pages of a check. A check reads on until it meets three of these in a row:
//! from there down, everybody was there before. One alone proves nothing, since who leaves and comes
//! back is among the latest again. When everybody remembered has left, the list is read to its end.

use chrono::DateTime;

use super::answers::{Page, User};
use super::streams::{Stream, remembered};
use super::{Twitter, records};
use crate::sdk::{Operation, Place, Result, Run, StreamOutput};

/// Followers on a page of an onboarding: the most there can be.
const PER_PAGE: u32 = 1000;
/// Of a check, where mostly none is new: X charges by users.
const PER_PAGE_OF_CHECK: u32 = 100;
/// About four kilobytes.
const REMEMBERED: usize = 2 * PER_PAGE_OF_CHECK as usize;
/// Those known, one below the other, that end a check.
const IN_A_ROW: usize = 3;

pub(super) fn per_page(profile: &str, run: &Run<Twitter>) -> u32 {
    if known(profile, run).is_some() { PER_PAGE_OF_CHECK } else { PER_PAGE }
}

/// Who was there when followers were first read has followed since nobody knows when; who is new
/// since, as of this check.
pub(super) fn output(
    profile: &str,
    place: &Place,
    page: &Page<User>,
    run: &Run<Twitter>,
) -> Result<StreamOutput<Stream>> {
    let next = page.place_after(place, |user| &user.id)?;
    let known = known(profile, run);
    let met = known.and_then(|known| before_the_known(&page.records, known));
    let since = known.map_or(DateTime::UNIX_EPOCH, |_| run.connection.started_at);
    let candidates = page.records.iter().take(met.unwrap_or(usize::MAX));
    let follows = candidates
        .filter(|user| known.is_none_or(|known| !known.contains(&user.id)))
        .map(|user| records::follow(profile, user, since));
    Ok(StreamOutput {
        operations: vec![Operation::UpsertActivities(follows.collect())],
        next_page: next
            .filter(|_| met.is_none())
            .map(|place| Stream::Followers { profile: profile.to_owned(), place }),
        mark: mark(place, &page.records),
        ..StreamOutput::empty()
    })
}

/// `None`: they were never read, or all are to be read again.
fn known<'a>(profile: &str, run: &'a Run<Twitter>) -> Option<&'a [String]> {
    remembered(run)?.newest_followers(profile)
}

/// How many stand on a page above those we know; `None`: we have not come to these yet.
fn before_the_known(page: &[User], known: &[String]) -> Option<usize> {
    let is_known = |user: &User| known.contains(&user.id);
    page.windows(IN_A_ROW).position(|row| row.iter().all(is_known))
}

/// Those of a page who may be among the newest of all.
fn mark(place: &Place, page: &[User]) -> Option<String> {
    let ids = page.iter().take(REMEMBERED).map(|user| user.id.as_str());
    (place.page <= 2).then(|| ids.collect::<Vec<_>>().join(","))
}

/// The newest of all, by the marks of pages in their order. Whom they did not reach is where he was.
pub(super) fn newest<'a>(
    marks: impl Iterator<Item = &'a str>,
    known: Option<&[String]>,
) -> Vec<String> {
    let ids = marks.flat_map(|mark| mark.split(',')).filter(|id| !id.is_empty());
    let mut newest: Vec<_> = ids.map(str::to_owned).collect();
    let known = known.unwrap_or_default();
    let reached = newest.last().and_then(|last| known.iter().position(|id| id == last));
    newest.extend(reached.into_iter().flat_map(|at| &known[at + 1..]).cloned());
    newest.truncate(REMEMBERED);
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_newest_are_those_of_the_pages_and_below_them_those_they_did_not_reach() {
        let known = ids("a b c d");
        let newest = |marks: &[&'static str]| newest(marks.iter().copied(), Some(&known)).join(" ");
        assert_eq!(newest(&["a,b"]), "a b c d");
        assert_eq!(newest(&["x,a,c"]), "x a c d", "b left");
        assert_eq!(newest(&["x,y", "z"]), "x y z", "none of the known was met");
        assert_eq!(newest(&[""]), "", "nobody follows any more");
    }

    #[test]
    fn as_many_are_remembered_as_two_pages_hold() {
        let many: Vec<_> = (0..1000).map(|id| id.to_string()).collect();
        assert_eq!(newest([many.join(",").as_str()].into_iter(), None), many[..REMEMBERED]);
    }
}
