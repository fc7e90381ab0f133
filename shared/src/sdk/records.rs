//! What records are made of, whatever the platform.

use md5::{Digest, Md5};
use serde_json::{Map, Value};

/// What somebody said of themselves; platforms send "" for what people leave empty.
pub fn said(text: impl Into<Option<String>>) -> Option<String> {
    text.into().filter(|text| !text.trim().is_empty())
}

/// An activity's attributes by their names.
pub fn attributes<'a>(named: impl IntoIterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The id of what the platform gives none: the same whenever it is made of the same text.
pub fn generated_id(of: &str) -> String {
    let hex: String = Md5::digest(of).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("gen-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_empty_says_nothing() {
        assert_eq!(said(" \n".to_owned()), None);
        assert_eq!(said(None), None);
        assert_eq!(said(Some("Ada".to_owned())).as_deref(), Some("Ada"));
    }

    #[test]
    fn a_generated_id_stays() {
        assert_eq!(generated_id("ada-star-0-github"), generated_id("ada-star-0-github"));
        assert_eq!(generated_id(""), "gen-d41d8cd98f00b204e9800998ecf8427e");
    }
}
