//! What a page asks to be written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

/// Closed on purpose: the sink cannot meet an operation it does not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Operation {
    UpsertMembers(Vec<Member>),
    /// Tells more of members that are known; whoever is not is left out, and nobody is added.
    UpdateMembers(Vec<Member>),
    /// Each with the member who did it.
    UpsertActivities(Vec<Activity>),
    /// Tells of organizations; who belongs to them is told of members, by their names.
    UpsertOrganizations(Vec<Organization>),
}

impl Operation {
    pub fn name(&self) -> &'static str {
        match self {
            Self::UpsertMembers(_) => "upsert_members",
            Self::UpdateMembers(_) => "update_members",
            Self::UpsertActivities(_) => "upsert_activities",
            Self::UpsertOrganizations(_) => "upsert_organizations",
        }
    }

    pub fn records(&self) -> usize {
        match self {
            Self::UpsertMembers(members) | Self::UpdateMembers(members) => members.len(),
            Self::UpsertActivities(activities) => activities.len(),
            Self::UpsertOrganizations(organizations) => organizations.len(),
        }
    }
}

/// A person, as one page of one platform shows them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Member {
    /// The account this page is about. Members are matched by it.
    pub identity: Identity,
    pub display_name: Option<String>,
    pub emails: BTreeSet<String>,
    /// The earliest real sign of them; an activity's time counts by itself.
    pub joined_at: Option<DateTime<Utc>>,
    /// Followers by platform.
    pub reach: BTreeMap<String, i64>,
    /// Name → platform → value, as [`MemberAttribute`]s define them. Absent and null never overwrite.
    pub attributes: BTreeMap<String, Map<String, Value>>,
    /// Where they work, by name, as they say.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub organizations: BTreeSet<String>,
}

/// A company or another body that people belong to. Unique by tenant and name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Organization {
    pub name: String,
    pub url: Option<String>,
    pub description: Option<String>,
    pub location: Option<String>,
    pub email: Option<String>,
    pub website: Option<String>,
    pub avatar_url: Option<String>,
    pub twitter_username: Option<String>,
}

/// An account on a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identity {
    pub platform: String,
    pub username: String,
    /// The platform's own id: a renamed account stays the same member.
    pub source_id: Option<String>,
}

impl Member {
    pub fn of(identity: Identity) -> Self {
        Self { identity, ..Self::default() }
    }

    /// Notes an attribute under the identity's platform; `None` and null say nothing.
    pub fn attribute(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        let platform = self.identity.platform.clone();
        self.attribute_on(&platform, name, value)
    }

    /// As [`Member::attribute`], of an account elsewhere that is only hearsay: it is noted, and not
    /// matched by.
    pub fn attribute_on(
        mut self,
        platform: &str,
        name: &str,
        value: Option<impl Into<Value>>,
    ) -> Self {
        if let Some(value) = value.map(Into::into).filter(|value| !value.is_null()) {
            self.attributes.entry(name.to_owned()).or_default().insert(platform.to_owned(), value);
        }
        self
    }

    /// Adds what a later mention of the same account says: the newer wins, except that the first
    /// display name stays and the earliest `joined_at` counts.
    pub fn merge(&mut self, newer: Self) {
        if !newer.identity.username.is_empty() {
            self.identity.username = newer.identity.username;
        }
        self.identity.source_id = newer.identity.source_id.or(self.identity.source_id.take());
        self.display_name = self.display_name.take().or(newer.display_name);
        self.emails.extend(newer.emails);
        self.joined_at = self.joined_at.into_iter().chain(newer.joined_at).min();
        self.reach.extend(newer.reach);
        self.organizations.extend(newer.organizations);
        for (name, values) in newer.attributes {
            self.attributes.entry(name).or_default().extend(values);
        }
    }
}

impl Organization {
    /// Of which nothing else is said.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Adds what a later mention says: the newer wins, and what it leaves out stays.
    pub fn merge(&mut self, newer: Self) {
        let Self { name: _, url, description, location, email, website, avatar_url, .. } = newer;
        let said = [
            (&mut self.url, url),
            (&mut self.description, description),
            (&mut self.location, location),
            (&mut self.email, email),
            (&mut self.website, website),
            (&mut self.avatar_url, avatar_url),
            (&mut self.twitter_username, newer.twitter_username),
        ];
        for (known, newer) in said {
            *known = newer.or(known.take());
        }
    }
}

/// A thing a person did. Unique by tenant, platform, type and source id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Activity {
    pub platform: String,
    /// comment, message, star, …
    pub kind: String,
    pub source_id: String,
    /// The source id of what it answers; it may be stored before its parent.
    pub source_parent_id: Option<String>,
    /// Where that is, if elsewhere than the activity itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_parent_platform: Option<String>,
    pub timestamp: DateTime<Utc>,
    pub title: Option<String>,
    pub body: Option<String>,
    pub url: Option<String>,
    pub channel: Option<String>,
    pub attributes: Map<String, Value>,
    pub score: i16,
    pub is_contribution: bool,
    pub member: Member,
    /// To whom it was done, where there is one.
    pub object_member: Option<Member>,
}

impl Activity {
    /// Done by this member, on the platform of their account. The rest is added by struct update.
    pub fn by(
        member: Member,
        kind: &str,
        source_id: impl Into<String>,
        timestamp: DateTime<Utc>,
    ) -> Self {
        Self {
            platform: member.identity.platform.clone(),
            kind: kind.to_owned(),
            source_id: source_id.into(),
            source_parent_id: None,
            source_parent_platform: None,
            timestamp,
            title: None,
            body: None,
            url: None,
            channel: None,
            attributes: Map::new(),
            score: 0,
            is_contribution: false,
            member,
            object_member: None,
        }
    }
}

/// Something members have, defined once per tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberAttribute {
    pub name: &'static str,
    pub kind: AttributeType,
    pub label: &'static str,
    /// Of no use to people.
    pub hidden: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    String,
    Url,
    Boolean,
    Number,
}

impl AttributeType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Url => "url",
            Self::Boolean => "boolean",
            Self::Number => "number",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(username: &str) -> Member {
        let identity = Identity {
            platform: "devto".into(),
            username: username.into(),
            source_id: Some("7".into()),
        };
        Member::of(identity)
    }

    #[test]
    fn a_later_mention_adds_and_never_erases() {
        let mut ada = member("ada").attribute("bio", Some("mathematician"));
        ada.display_name = Some("Ada".into());
        ada.joined_at = Some("2020-01-02T00:00:00Z".parse().unwrap());
        let mut later = member("ada_l")
            .attribute("bio", None::<String>)
            .attribute("url", Some("https://ada.example"))
            .attribute_on("github", "url", Some("https://github.com/ada"));
        later.joined_at = Some("2020-01-01T00:00:00Z".parse().unwrap());
        later.display_name = Some("Countess".into());

        ada.merge(later);

        assert_eq!(ada.identity.username, "ada_l");
        assert_eq!(ada.display_name.as_deref(), Some("Ada"));
        assert_eq!(ada.joined_at, Some("2020-01-01T00:00:00Z".parse().unwrap()));
        assert_eq!(ada.attributes["bio"]["devto"], "mathematician");
        assert_eq!(ada.attributes["url"]["devto"], "https://ada.example");
        assert_eq!(ada.attributes["url"]["github"], "https://github.com/ada");
    }
}
