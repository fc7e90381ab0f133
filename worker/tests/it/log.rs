//! What is logged in a test's thread, down to the last trace.

use std::io;

use tokio::sync::watch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
pub(crate) struct Log(watch::Sender<String>);

impl Log {
    pub(crate) fn begin(&self) -> DefaultGuard {
        let lines = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_env_filter(EnvFilter::new("trace"))
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(lines)
    }

    pub(crate) fn text(&self) -> String {
        self.0.borrow().clone()
    }

    pub(crate) fn lines_with(&self, word: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }

    /// Waits until somebody says so.
    pub(crate) async fn until(&self, said: &str) {
        self.0.subscribe().wait_for(|text| text.contains(said)).await.unwrap();
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|text| text.push_str(&String::from_utf8_lossy(line)));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
