//! Channels that a tenant chose, and of which there is nothing to read.
//!
//! Whoever connects is told at once. Channels go and close later, too; then each run ends in an error
//! that says so, since it would otherwise say "done" over what was asked for.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use super::survey::Surveyed;
use crate::sdk::SyncError;

/// A chosen channel, and why it cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unreadable {
    /// As it was chosen.
    pub(super) unit: String,
    pub(super) obstacle: Obstacle,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    Missing,
    /// A category, or another place that has no messages of its own.
    Silent {
        name: String,
    },
    Closed {
        name: String,
    },
}

/// Those of the chosen ones, which the guild's channels tell.
pub(super) fn unreadable(
    units: &[String],
    channels: &[Surveyed],
) -> impl Iterator<Item = Unreadable> {
    units.iter().filter_map(|unit| {
        let channel = channels.iter().find(|channel| channel.listed.id.to_string() == *unit);
        Some(Unreadable { unit: unit.clone(), obstacle: obstacle(channel)? })
    })
}

fn obstacle(channel: Option<&Surveyed>) -> Option<Obstacle> {
    let Some(channel) = channel else { return Some(Obstacle::Missing) };
    let name = channel.listed.name.clone();
    match (channel.has_messages(), channel.is_open()) {
        (true, true) => None,
        (true, false) => Some(Obstacle::Closed { name }),
        (false, _) => Some(Obstacle::Silent { name }),
    }
}

/// The sentence is written for the tenant.
impl From<&Unreadable> for SyncError {
    fn from(Unreadable { unit, obstacle }: &Unreadable) -> Self {
        Self::Permanent(match obstacle {
            Obstacle::Missing => anyhow!("there is no channel {unit} in the guild"),
            Obstacle::Silent { name } => {
                anyhow!("nothing is written in {name} itself: choose channels of it")
            }
            Obstacle::Closed { name } => anyhow!(
                "the bot may not read #{name}: let it view the channel and read its history, and \
                 connect where people talk"
            ),
        })
    }
}
