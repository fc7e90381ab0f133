//! What is logged in a test's thread, down to the last trace.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

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
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    pub(crate) fn lines_with(&self, word: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
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
