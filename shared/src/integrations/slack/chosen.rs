//! Whether the channels that a tenant chose can be read.
//!
//! Somebody waits for the answer, so it takes few requests however many were chosen and however
//! large the workspace is: the list tells of two hundred channels at once, and Slack is asked by name
//! only for what it does not list. What is not found out here is found out by the first run.

use std::collections::BTreeSet;

use anyhow::anyhow;

use super::Slack;
use crate::sdk::{Connection, Result, SyncError};

/// Pages of the list: half of what Slack grants in a minute.
const MOST_PAGES: usize = 10;
/// Channels that are asked for by name.
const MOST_ASKED: usize = 3;

impl Slack {
    /// Asks for the list in any case, which shows whether it may.
    pub(super) async fn verify_chosen(&self, connection: &Connection<Self>) -> Result<()> {
        let mut unseen: BTreeSet<&str> = connection.units.iter().map(String::as_str).collect();
        ensure_none(&self.closed_among(&mut unseen, connection).await?)?;
        let mut closed = Vec::new();
        for unit in unseen.into_iter().take(MOST_ASKED) {
            let channel = self.api.conversation(&connection.access, unit).await;
            let channel =
                channel.map_err(|error| error.meaning(format!("the chosen channel {unit}")))?;
            closed.extend((!channel.is_member).then_some(channel.name));
        }
        ensure_none(&closed)
    }

    /// Names of listed ones that the app is not in. What the list shows is unseen no more.
    async fn closed_among(
        &self,
        unseen: &mut BTreeSet<&str>,
        connection: &Connection<Self>,
    ) -> Result<Vec<String>> {
        let Connection { access, settings, .. } = connection;
        let (mut closed, mut place) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.api.conversations(access, settings, place.as_ref()).await?;
            let first = page.items.first().map(|channel| channel.id.clone());
            place = page.place_after(place.as_ref(), first)?;
            let chosen = page.items.into_iter().filter(|it| unseen.remove(it.id.as_str()));
            closed.extend(chosen.filter(|it| !it.is_member).map(|channel| channel.name));
            if place.is_none() || unseen.len() <= MOST_ASKED {
                break;
            }
        }
        Ok(closed)
    }
}

fn ensure_none(closed: &[String]) -> Result<()> {
    let Some((last, others)) = closed.split_last() else { return Ok(()) };
    let others: Vec<_> = others.iter().map(|name| format!("#{name}")).collect();
    let and = if others.is_empty() { "" } else { " and " };
    let others = others.join(", ");
    Err(SyncError::Permanent(anyhow!("invite the app to {others}{and}#{last} first")))
}
