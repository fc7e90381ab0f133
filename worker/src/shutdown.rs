//! Stopping in two steps: first nothing new is begun, then what is under way is let go.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Cloned and handed down; a child stops with its parent, and by itself.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Begin nothing new. What is under way finishes.
    pub soft: CancellationToken,
    /// Let go of what is under way: a fetch is dropped. A transaction never is.
    pub hard: CancellationToken,
}

impl Shutdown {
    pub fn child(&self) -> Self {
        Self { soft: self.soft.child_token(), hard: self.hard.child_token() }
    }

    /// Once `asked` is cancelled, stops: softly at once, hard after `grace`.
    pub async fn when(self, asked: CancellationToken, grace: Duration) {
        asked.cancelled().await;
        self.soft.cancel();
        tokio::time::sleep(grace).await;
        self.hard.cancel();
    }
}
