//! Names, titles and comments, put together from the vocabulary.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::vocabulary::{
    BLOCKS, CULTURES, Culture, Order, SENTENCES, SUMMARIES, TAGS, TITLE_BEGINNINGS, TITLE_ENDINGS,
    TITLE_SUBJECTS,
};

/// A person's name and the handle it suggests.
pub(super) struct Name {
    pub(super) full: String,
    pub(super) handle: String,
    pub(super) place: &'static str,
}

pub(super) fn name(rng: &mut StdRng) -> Name {
    let Culture { given, family, order, places } = one_of(CULTURES, rng);
    let ((given, given_handle), (family, family_handle)) =
        (one_of(given, rng), one_of(family, rng));
    let full = match order {
        Order::GivenFirst => format!("{given} {family}"),
        Order::FamilyFirst => format!("{family}{given}"),
    };
    let handle = match rng.random_range(0..4) {
        0 => format!("{given_handle}{family_handle}"),
        1 => format!("{given_handle}_{family_handle}"),
        2 => format!("{family_handle}{}", &given_handle[..1]),
        _ => format!("{given_handle}_dev"),
    };
    Name { full, handle, place: one_of(places, rng) }
}

pub(super) fn title(rng: &mut StdRng) -> String {
    let [beginning, subject, ending] =
        [TITLE_BEGINNINGS, TITLE_SUBJECTS, TITLE_ENDINGS].map(|words| one_of(words, rng));
    format!("{beginning} {subject}{ending}")
}

pub(super) fn tags(rng: &mut StdRng) -> Vec<String> {
    let count = rng.random_range(1..=4);
    TAGS.choose_multiple(rng, count).map(|&tag| tag.to_owned()).collect()
}

pub(super) fn summary(rng: &mut StdRng) -> String {
    one_of(SUMMARIES, rng).to_owned()
}

/// Mostly a sentence or two, seldom an essay. The number makes it unlike every other comment.
pub(super) fn comment(rng: &mut StdRng, number: usize, to: &str) -> String {
    let paragraphs = if rng.random_bool(0.02) { rng.random_range(8..30) } else { 1 };
    let mut html = String::new();
    for _ in 0..paragraphs {
        html += &paragraph(rng, to);
        if rng.random_bool(0.06) {
            html += one_of(BLOCKS, rng);
            html += "\n\n";
        }
    }
    html + &format!("<p>#{number}</p>\n\n")
}

fn paragraph(rng: &mut StdRng, to: &str) -> String {
    let count = rng.random_range(1..=3);
    let sentences: Vec<_> = (0..count).map(|_| one_of(SENTENCES, rng)).collect();
    let mention = format!("<a href=\"https://dev.to/{to}\">@{to}</a>");
    format!("<p>{}</p>\n\n", sentences.join(" ").replace("{}", &mention))
}

fn one_of<T: Copy>(words: &[T], rng: &mut StdRng) -> T {
    *words.choose(rng).expect("the vocabulary has no empty list")
}
