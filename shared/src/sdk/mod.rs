//! What an author of an integration works with.

mod error;

pub use error::{Result, SyncError};
