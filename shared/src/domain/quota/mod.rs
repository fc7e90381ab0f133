//! One limit's book: what is spent and leased of it, and who waits for some.
//!
//! Pure arithmetic over one value, so that whoever holds the limit's row decides alone, and a
//! test can live through a thousand windows. Workers do not ask for each request: they lease a
//! *slice*, a few units to be spent within seconds, and say afterwards when its last
//! request was answered.
//!
//! **Never above the limit.** A unit counts from when it is leased until a whole window after its
//! request was answered. The platform counted it somewhere between the two; so in any interval as
//! long as a window, wherever the platform begins its own, it counted no more than there are units.
//! A slice that nobody settles, because its worker died, counts for as long as its requests could.
//!
//! **Checks before onboardings.** Onboardings take nothing that a waiting check could, and leave
//! alone what checks used to need lately (a tenth at the most; nothing where there are no checks).
//! On a limit that tenants share they are spread evenly over the window, so that whoever comes next
//! finds some; checks may burst.
//!
//! **Fair between tenants.** Whoever was served least goes first.
//!
//! To be read in this order:
//!
//! | file | |
//! |---|---|
//! | `terms.rs` | what a limit says, and until when a unit counts |
//! | `book.rs` | the story: asked, leased, settled; what the platform said |
//! | `room.rs` | what is free now |
//! | `turn.rs` | when there will be enough |
//! | `claims.rs` | who wants some, and who goes first |
//! | `reserve.rs` | what is kept for checks |
//! | `pace.rs` | onboardings at an even pace |
//! | `log.rs`, `said.rs` | what was spent, what the platform said |

mod book;
mod claims;
mod log;
mod pace;
mod reserve;
mod room;
mod said;
mod terms;
#[cfg(test)]
mod tests;
mod turn;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::book::Book;
pub use self::terms::{Terms, Windows};
use super::{RunMode, TenantId};

/// Somebody wants some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What the slice will be called; random.
    pub slice: SliceId,
    pub tenant: TenantId,
    pub mode: RunMode,
    /// Less is of no use.
    pub least: u64,
    pub wanted: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SliceId(pub u64);

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// So many units, each to be spent within `life`.
    Leased { units: u64, life: Duration },
    /// None now; its turn is expected then.
    Wait { until: DateTime<Utc> },
}

/// A slice whose every request has been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    pub slice: SliceId,
    pub spent: u64,
    /// When the last request was answered.
    pub at: DateTime<Utc>,
}
