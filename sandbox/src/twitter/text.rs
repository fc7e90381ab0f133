//! What X recognises in a text, and how it writes texts down.

use std::ops::Range;

/// A `#tag` or an `@name`, by its place in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) at: Range<usize>,
    /// Without its sign.
    pub(super) word: String,
}

pub(super) fn hashtags(text: &str) -> Vec<Found> {
    let words = words_after('#', text).into_iter();
    words.filter(|found| !found.word.chars().all(|c| c.is_ascii_digit())).collect()
}

pub(super) fn mentions(text: &str) -> Vec<Found> {
    words_after('@', text)
}

fn words_after(sign: char, text: &str) -> Vec<Found> {
    let chars: Vec<char> = text.chars().collect();
    let in_word = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let begins =
        |at: &usize| chars[*at] == sign && in_word(at + 1) && (*at == 0 || !in_word(at - 1));
    let found = (0..chars.len()).filter(begins).map(|at| {
        let end = (at + 1..).find(|&at| !in_word(at)).unwrap_or(chars.len());
        Found { at: at..end, word: chars[at + 1..end].iter().collect() }
    });
    found.collect()
}

/// Texts are sent with these three written as entities.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What is shown of a post that is longer than a post once was; `None`: all of it.
pub(super) fn shortened(text: &str) -> Option<String> {
    const LONGEST: usize = 280;
    (text.chars().count() > LONGEST).then(|| {
        let mut short: String = text.chars().take(LONGEST - 4).collect();
        short.push('…');
        short
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(found: Vec<Found>) -> Vec<String> {
        found.into_iter().map(|found| found.word).collect()
    }

    #[test]
    fn tags_and_names_are_found_where_they_are_words() {
        let text = "@ada_l wrote #Rust (#日本語), not a#b, #1 nor x@y.example #c3!";
        assert_eq!(words(hashtags(text)), ["Rust", "日本語", "c3"]);
        assert_eq!(words(mentions(text)), ["ada_l"]);
        assert_eq!(hashtags("é #a")[0].at, 2..4);
    }
}
