//! Who did it: members of a page, and what is still to be asked about them.
//!
//! What hides an account, hides who it was: deleted accounts come as null, and all of them are one
//! member, `ghost`, as GitHub itself shows them. So what they wrote stays, and so does what others
//! answered to it. Bots are members with the attribute `isBot`, under the name that REST gives them
//! (`dependabot[bot]`): the bare one may be a person's. So may that of a mannequin, which stands for
//! somebody whose work was imported.

use std::collections::{BTreeMap, BTreeSet};

use super::said;
use crate::integrations::github::Github;
use crate::integrations::github::answers::{AccountKind, Company, Person};
use crate::integrations::github::queries::PEOPLE_AT_ONCE;
use crate::integrations::github::streams::Stream;
use crate::sdk::{Connection, Identity, Integration, Member, Organization, Run, RunMode};

const GHOST: &str = "ghost";

/// The people of a page.
#[derive(Default)]
pub(in super::super) struct People {
    /// By their ids, and whether their followers were told.
    met: BTreeMap<String, bool>,
    /// Where they work.
    companies: BTreeSet<String>,
}

impl People {
    /// Nobody, if it is nobody's any more.
    pub(super) fn author(&mut self, person: Option<Person>) -> Member {
        match person {
            Some(person) => self.person(person),
            None => Member::of(identity(GHOST.to_owned(), None))
                .attribute("url", Some("https://github.com/ghost")),
        }
    }

    pub(super) fn person(&mut self, mut person: Person) -> Member {
        if let Some(behind) = person.user.take() {
            return self.person(*behind);
        }
        self.note(&person);
        member(person)
    }

    fn note(&mut self, person: &Person) {
        let Some(id) = &person.id else { return };
        *self.met.entry(id.clone()).or_default() |= person.followers.is_some();
        self.companies.extend(companies(person.company.as_deref()));
    }

    /// Leaves it at their names.
    pub(in super::super) fn forget_companies(&mut self) {
        self.companies.clear();
    }

    /// What to ask about them: how many follow those of whom this page did not say it, and what is
    /// known of their companies. A check asks after companies that are new.
    pub(in super::super) fn questions(self, run: &Run<Github>) -> Vec<Stream> {
        let Connection { mode, state, .. } = &run.connection;
        let mut questions = self.followers();
        let is_new = |it: &String| *mode == RunMode::Onboarding || !state.knows_company(it);
        let companies = self.companies.into_iter().filter(is_new);
        questions.extend(companies.map(|company| Stream::Organization { company }));
        questions
    }

    fn followers(&self) -> Vec<Stream> {
        let untold = self.met.iter().filter(|(_, told)| !**told).map(|(id, _)| id.clone());
        let untold: Vec<_> = untold.collect();
        let batches = untold.chunks(PEOPLE_AT_ONCE);
        batches.map(|people| Stream::Followers { people: people.to_vec() }).collect()
    }
}

pub(in super::super) fn told_followers(person: Person) -> Member {
    member(person)
}

/// By the name that people give it, which ties together all who work there.
pub(in super::super) fn organization(written: &str, company: Company) -> Organization {
    let text = |text: Option<String>| text.and_then(said);
    Organization {
        name: company_name(written),
        url: Some(company.url),
        description: text(company.description),
        location: text(company.location),
        email: text(company.email),
        website: text(company.website_url),
        avatar_url: Some(company.avatar_url),
        twitter_username: text(company.twitter_username),
    }
}

fn member(person: Person) -> Member {
    let is_bot = person.kind == AccountKind::Bot;
    let text = |text: Option<String>| text.and_then(said);
    let organizations = companies(person.company.as_deref());
    let source_id = person.database_id.map(|id| id.to_string());
    let twitter = text(person.twitter_username);
    let reach = person.followers.and_then(|followers| i64::try_from(followers.total_count).ok());
    Member {
        display_name: text(person.name),
        emails: text(person.email).into_iter().collect(),
        reach: reach.into_iter().map(|reach| (Github::KIND.to_owned(), reach)).collect(),
        organizations: organizations.iter().map(|it| company_name(it)).collect(),
        ..Member::of(identity(username(&person.login, person.kind), source_id))
    }
    .attribute("url", Some(person.url))
    .attribute("avatarUrl", Some(person.avatar_url))
    .attribute("isHireable", person.is_hireable)
    .attribute("isBot", is_bot.then_some(true))
    .attribute("bio", text(person.bio))
    .attribute("location", text(person.location))
    .attribute("websiteUrl", text(person.website_url))
    .attribute_on("twitter", "url", twitter.map(|name| format!("https://twitter.com/{name}")))
}

fn identity(username: String, source_id: Option<String>) -> Identity {
    Identity { platform: Github::KIND.to_owned(), username, source_id }
}

fn username(login: &str, kind: AccountKind) -> String {
    match kind {
        AccountKind::Bot if !login.ends_with("[bot]") => format!("{login}[bot]"),
        AccountKind::Mannequin => format!("{login}[mannequin]"),
        _ => login.to_owned(),
    }
}

/// `@acme @anvils` are two organizations on GitHub, which does not tell `@Acme` from `@acme`; anything
/// else is one name, however it is written.
fn companies(said: Option<&str>) -> Vec<String> {
    let said = said.unwrap_or_default().trim();
    let handles: Option<Vec<_>> = said
        .split([' ', ',', ';', '|', '/'])
        .filter(|word| !word.is_empty() && !matches!(*word, "and" | "&" | "+"))
        .map(|word| word.strip_prefix('@').filter(|handle| !handle.is_empty()))
        .collect();
    match handles {
        Some(handles) => {
            handles.into_iter().map(|handle| format!("@{}", handle.to_ascii_lowercase())).collect()
        }
        None => vec![said.to_owned()],
    }
}

fn company_name(said: &str) -> String {
    said.strip_prefix('@').unwrap_or(said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::companies;

    #[test]
    fn companies_are_read_as_people_write_them() {
        for (said, expected) in [
            (None, vec![]),
            (Some("  "), vec![]),
            (Some("@acme"), vec!["@acme"]),
            (Some(" @Acme, @anvils & @rockets "), vec!["@acme", "@anvils", "@rockets"]),
            (Some("Acme & Sons"), vec!["Acme & Sons"]),
            (Some("@acme (formerly Anvils)"), vec!["@acme (formerly Anvils)"]),
        ] {
            assert_eq!(companies(said), expected, "{said:?}");
        }
    }
}
