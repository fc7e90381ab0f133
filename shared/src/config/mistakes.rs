//! What is wrong with what was told, gathered until all of it can be named at once.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

/// No length that anybody is told is longer: a day, in seconds.
const LONGEST: u64 = 24 * 60 * 60;
/// Nor is there more of anything; room for it may be made at the start.
const MOST: u32 = 100_000;

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

    /// Reads a number of seconds, at least one and at most a day.
    pub fn read_seconds(&mut self, argument: &str, text: &str) -> Option<Duration> {
        self.read_seconds_up_to(argument, text, LONGEST)
    }

    /// Reads a number of seconds, at least one and at most so many.
    pub fn read_seconds_up_to(
        &mut self,
        argument: &str,
        text: &str,
        longest: u64,
    ) -> Option<Duration> {
        match self.read::<u64>(argument, text)? {
            0 => self.note(argument, "must be at least one second"),
            seconds if seconds > longest => {
                self.note(argument, format!("must be at most {longest} seconds"));
            }
            seconds => return Some(Duration::from_secs(seconds)),
        }
        None
    }

    /// Reads how many of something there may be, at least one.
    pub fn read_count<T: TryFrom<u32>>(&mut self, argument: &str, text: &str) -> Option<T> {
        match self.read::<u32>(argument, text)? {
            0 => self.note(argument, "must be at least 1"),
            count if count > MOST => self.note(argument, format!("must be at most {MOST}")),
            count => return T::try_from(count).ok(),
        }
        None
    }

    /// Reads whether something is wanted. Nothing is no.
    pub fn read_switch(&mut self, argument: &str, text: &str) -> Option<bool> {
        match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "1" => Some(true),
            "no" | "false" | "off" | "0" | "" => Some(false),
            _ => {
                self.note(argument, format!("`{text}` is neither yes nor no"));
                None
            }
        }
    }

    /// Reads where something is asked over HTTP.
    pub fn read_url(&mut self, argument: &str, text: &str) -> Option<Url> {
        // What was told is not repeated: it may carry a password.
        match text.parse::<Url>() {
            Err(error) => self.note(argument, format!("is no URL: {error}")),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                self.note(argument, "must begin with https:// or http://");
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                self.note(argument, "must not carry a user or a password");
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                self.note(argument, "must not carry a query");
            }
            Ok(url) => return Some(url),
        }
        None
    }

    pub fn note(&mut self, argument: &str, mistake: impl Display) {
        self.0.push(format!("{argument}: {mistake}"));
    }

    /// What was checked, if there was no mistake; else as [`Mistakes::or_exit`].
    pub fn check_or_exit<T>(check: impl FnOnce(&mut Self) -> Option<T>) -> T {
        let mut mistakes = Self::default();
        let checked = check(&mut mistakes);
        mistakes.or_exit(checked)
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
