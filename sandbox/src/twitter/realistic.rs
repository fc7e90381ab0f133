//! A community as one finds it: a company's account, those who follow it, and what is said of it.
//!
//! The seed decides everything.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::community::Community;
use super::records::{Standing, UserId};

/// What people write about.
const TAGS: &[&str] = &["millrace", "rustlang", "opensource"];
/// In which people write for a month, and half of it in the last week.
const SPAN: TimeDelta = TimeDelta::days(30);

const GIVEN: &[&str] =
    &["Ada", "Bjørn", "Čestmír", "Inês", "José", "Олена", "Zoë", "さくら", "Liam", "Nora"];
const FAMILY: &[&str] =
    &["Okafor", "Müller-Weiß", "Núñez", "Wiśniewska", "O’Brien", "Öst", "Dvořák"];
const PLACES: &[&str] = &["Leeds, UK", "Bogotá", "Malmö 🇸🇪", "Remote", "Київ"];
const SENTENCES: &[&str] = &[
    "I moved our syncs over and slept through the night",
    "does anybody run this with <100 MB of memory",
    "R&D asked what changed. Nothing did, it just resumed",
    "wrote up how we handle rate limits",
    "the docs say what it does NOT promise, I like that",
];

impl Community {
    /// A community in which the account `@acme` has so many followers, and people wrote so many
    /// posts that mention it or have one of three hashtags: `millrace`, `rustlang`, `opensource`.
    /// Some were edited or deleted since, some of the people suspended. `@acme` is returned beside it.
    pub fn realistic(seed: u64, followers: usize, posts: usize) -> (Self, UserId) {
        Self::realistic_until(seed, followers, posts, Self::empty().now() + SPAN)
    }

    /// As [`Community::realistic`], of the month before an instant.
    pub fn realistic_until(
        seed: u64,
        followers: usize,
        posts: usize,
        end: DateTime<Utc>,
    ) -> (Self, UserId) {
        let mut rng = StdRng::seed_from_u64(seed);
        // Every act takes its second.
        let preparing = TimeDelta::seconds(2 * followers as i64 + 10);
        let mut community = Self::founded_at(end - SPAN - preparing);
        let acme = community.add_user("acme", "Acme, Inc.");
        let people: Vec<_> = (0..followers).map(|n| join(&mut community, n, &mut rng)).collect();
        for &person in &people {
            community.follow(person, acme);
        }
        write(&mut community, &people, posts, end, &mut rng);
        for &person in people.iter().skip(7).step_by(97) {
            community.users.entry(person).and_modify(|it| it.standing = Standing::Suspended);
        }
        community.turn_to(end);
        (community, acme)
    }
}

fn join(community: &mut Community, number: usize, rng: &mut StdRng) -> UserId {
    let name = format!("{} {}", one_of(GIVEN, rng), one_of(FAMILY, rng));
    // The longest names there are have fifteen characters.
    let username = match number % 9 {
        0 => format!("the_person_{number:04}"),
        _ => format!("user{number}"),
    };
    let id = community.add_user(&username, &name);
    let followers_count = rng.random_range(0..2_000);
    let user = community.user_mut(id);
    user.followers_count = followers_count;
    user.location = rng.random_bool(0.5).then(|| one_of(PLACES, rng).to_owned());
    user.description = if rng.random_bool(0.6) { "I build things.".into() } else { String::new() };
    id
}

fn write(
    community: &mut Community,
    people: &[UserId],
    posts: usize,
    end: DateTime<Utc>,
    rng: &mut StdRng,
) {
    let begin = end - SPAN;
    for number in 0..posts {
        let Some(&author) = people.choose(rng) else { return };
        community.turn_to(moment(begin, number, posts));
        let text = text(number, rng);
        let id = community.post(author, &text);
        community.post_mut(id).photo = rng.random_bool(0.1);
        match number % 40 {
            11 => drop(community.edit_post(id, &format!("{text} (edited)"))),
            23 => community.delete_post(id),
            _ => {}
        }
    }
}

/// The first half of the posts in the first three weeks, the second in the last.
fn moment(begin: DateTime<Utc>, number: usize, posts: usize) -> DateTime<Utc> {
    let half = (posts / 2).max(1);
    let (from, days, nth) = match number.checked_sub(half) {
        None => (TimeDelta::zero(), 23, number),
        Some(nth) => (TimeDelta::days(23), 7, nth),
    };
    // A minute is left for the last acts to be indexed.
    let length = TimeDelta::days(days) - TimeDelta::minutes(1);
    begin + from + length * nth as i32 / (posts - half).max(1) as i32
}

/// A third mentions the account, and one in ten has two of the hashtags.
fn text(number: usize, rng: &mut StdRng) -> String {
    let sentence = one_of(SENTENCES, rng);
    let tag = one_of(TAGS, rng);
    match number % 30 {
        0 | 10 | 20 => format!("{sentence} #{} #{} ({number})", TAGS[0], TAGS[1]),
        n if n % 3 == 1 => format!("@acme {sentence} ({number})"),
        2 => format!("{} #{tag} ({number})", [sentence; 8].join(". ")),
        _ => format!("{sentence} #{tag} ({number})"),
    }
}

fn one_of(words: &[&'static str], rng: &mut StdRng) -> &'static str {
    words.choose(rng).expect("the vocabulary has no empty list")
}
