//! What is wrong with what was told, gathered until all of it can be named at once.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// Mistakes in the configuration, all of them.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    /// Reads a value, or notes in a sentence what is wrong with it.
    pub fn read<T: FromStr<Err: Display>>(&mut self, argument: &str, text: &str) -> Option<T> {
        text.parse()
            .map_err(|error| self.note(argument, format!("`{text}` is not valid: {error}")))
            .ok()
    }

    /// Reads a number of seconds, at least one.
    pub fn read_seconds(&mut self, argument: &str, text: &str) -> Option<Duration> {
        match self.read::<u64>(argument, text)? {
            0 => {
                self.note(argument, "must be at least one second");
                None
            }
            seconds => Some(Duration::from_secs(seconds)),
        }
    }

    /// Reads how many of something there may be, at least one.
    pub fn read_count<T: FromStr<Err: Display> + From<u8> + PartialOrd>(
        &mut self,
        argument: &str,
        text: &str,
    ) -> Option<T> {
        let count = self.read::<T>(argument, text)?;
        if count < T::from(1) {
            self.note(argument, "must be at least 1");
            return None;
        }
        Some(count)
    }

    pub fn note(&mut self, argument: &str, mistake: impl Display) {
        self.0.push(format!("{argument}: {mistake}"));
    }

    /// Exits with 2 and every mistake, if there is one. Before anything is started.
    pub fn or_exit<T>(self, value: Option<T>) -> T {
        match value {
            Some(value) if self.0.is_empty() => value,
            _ => {
                for mistake in &self.0 {
                    eprintln!("error: {mistake}");
                }
                eprintln!("\nFor more information, try '--help'.");
                std::process::exit(2);
            }
        }
    }

    pub fn all(&self) -> &[String] {
        &self.0
    }
}
