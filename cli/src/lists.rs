//! Things named by ids, and lists of everything.

use std::collections::BTreeSet;
use std::fmt::Display;

use anyhow::bail;
use shared::store::Result as StoreResult;

/// Rows in one statement.
pub(crate) const PAGE: i64 = 1000;

/// Every row, a page of at most [`PAGE`] after the other: `page` brings those after a row.
pub(crate) async fn all<T, Id>(
    page: impl AsyncFn(Option<Id>) -> StoreResult<Vec<T>>,
    id: impl Fn(&T) -> Id,
) -> StoreResult<Vec<T>> {
    let mut all = Vec::new();
    loop {
        let rows = page(all.last().map(&id)).await?;
        let is_last = rows.len() < PAGE as usize;
        all.extend(rows);
        if is_last {
            return Ok(all);
        }
    }
}

/// What these ids name, each of them once; or nothing at all: a typing mistake changes nothing.
pub(crate) async fn all_known<Id: Copy + Display + Ord, T>(
    what: &str,
    ids: &[Id],
    find: impl AsyncFn(Id) -> StoreResult<Option<T>>,
) -> anyhow::Result<Vec<T>> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for id in BTreeSet::from_iter(ids.iter().copied()) {
        match find(id).await? {
            Some(one) => known.push(one),
            None => unknown.push(id.to_string()),
        }
    }
    if !unknown.is_empty() {
        bail!("there is no {what} {}; nothing was posted", unknown.join(", nor "));
    }
    Ok(known)
}
