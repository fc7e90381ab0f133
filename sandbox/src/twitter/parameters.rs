//! What a request says in its query, as strictly as X reads it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::lookups::RECENT;
use super::problems::Problem;
use super::records::PostId;

pub(super) struct Parameters(pub(super) HashMap<String, String>);

/// Where a page begins and how much there is on it.
pub(super) struct Paging {
    /// The number of the last record on the page before.
    pub(super) after: Option<u64>,
    pub(super) most: usize,
}

const USER_FIELDS: &[&str] = &[
    "created_at",
    "description",
    "entities",
    "id",
    "location",
    "name",
    "pinned_tweet_id",
    "profile_image_url",
    "protected",
    "public_metrics",
    "url",
    "username",
    "verified",
];
const POST_FIELDS: &[&str] = &[
    "attachments",
    "author_id",
    "conversation_id",
    "created_at",
    "edit_history_tweet_ids",
    "entities",
    "id",
    "lang",
    "note_tweet",
    "public_metrics",
    "referenced_tweets",
    "text",
];
const MEDIA_FIELDS: &[&str] = &[
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "preview_image_url",
    "type",
    "url",
    "width",
];
const EXPANSIONS: &[&str] = &["attachments.media_keys", "author_id"];

impl Parameters {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn user_fields(&self) -> Result<BTreeSet<&str>, Problem> {
        self.some_of("user.fields", USER_FIELDS, &["id", "name", "username"])
    }

    pub(super) fn post_fields(&self) -> Result<BTreeSet<&str>, Problem> {
        let always = ["id", "text", "edit_history_tweet_ids"];
        self.some_of("tweet.fields", POST_FIELDS, &always)
    }

    pub(super) fn media_fields(&self) -> Result<BTreeSet<&str>, Problem> {
        self.some_of("media.fields", MEDIA_FIELDS, &["media_key", "type"])
    }

    pub(super) fn expansions(&self) -> Result<BTreeSet<&str>, Problem> {
        self.some_of("expansions", EXPANSIONS, &[])
    }

    fn some_of<'a>(
        &'a self,
        name: &str,
        known: &[&str],
        always: &[&'a str],
    ) -> Result<BTreeSet<&'a str>, Problem> {
        let mut fields: BTreeSet<_> = always.iter().copied().collect();
        for field in self.text(name).into_iter().flat_map(|list| list.split(',')) {
            if !known.contains(&field) {
                let said = format!(
                    "The `{name}` query parameter value [{field}] is not one of [{}]",
                    known.join(",")
                );
                return Err(Problem::invalid(name, field, &said));
            }
            fields.insert(field);
        }
        Ok(fields)
    }

    pub(super) fn paging(
        &self,
        token: &str,
        least: usize,
        usual: usize,
        most: usize,
    ) -> Result<Paging, Problem> {
        let after = self.text(token).map(|text| {
            let said = format!("The `{token}` query parameter value [{text}] is not valid");
            number_of(text).ok_or_else(|| Problem::invalid(token, text, &said))
        });
        let asked = self.text("max_results").map(|text| {
            let said = format!(
                "The `max_results` query parameter value [{text}] is not between {least} and {most}"
            );
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| Problem::invalid("max_results", text, &said))
        });
        Ok(Paging { after: after.transpose()?, most: asked.transpose()?.unwrap_or(usual) })
    }

    /// The least id of a post that is asked for.
    pub(super) fn since(&self) -> Result<Option<PostId>, Problem> {
        let (start_time, since_id) = (self.text("start_time"), self.text("since_id"));
        if start_time.is_some() && since_id.is_some() {
            let said = "Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time' or 'end_time'.";
            return Err(Problem::invalid("since_id", since_id.unwrap_or_default(), said));
        }
        if let Some(text) = since_id {
            let id = text.parse().map(|id: u64| PostId(id + 1));
            return id.map(Some).map_err(|_| Problem::invalid("since_id", text, "Invalid id"));
        }
        let instant = start_time.map(|text| {
            let said =
                format!("The `start_time` query parameter value [{text}] is not a date-time");
            let instant = DateTime::parse_from_rfc3339(text);
            instant.map_err(|_| Problem::invalid("start_time", text, &said))
        });
        Ok(instant.transpose()?.map(|instant| PostId::at(instant.to_utc())))
    }

    /// As [`Parameters::since`], where nothing older can be asked for.
    pub(super) fn recent_since(&self, now: DateTime<Utc>) -> Result<Option<PostId>, Problem> {
        let since = self.since()?;
        let (first, minutes) = (now - RECENT, "%Y-%m-%dT%H:%MZ");
        if since.is_none_or(|since| since.instant() >= first) {
            return self.not_to_come(since, now);
        }
        let first = first.format(minutes);
        Err(match (self.text("since_id"), self.text("start_time")) {
            (Some(id), _) => {
                let larger = PostId::at(now - RECENT);
                let said = format!(
                    "'since_id' must be a tweet id created after {first}. Please use a 'since_id' that is larger than {larger}"
                );
                Problem::invalid("since_id", id, &said)
            }
            (None, start) => {
                let start = start.unwrap_or_default();
                let said = format!(
                    "Invalid 'start_time':'{start}'. 'start_time' must be on or after {first}"
                );
                Problem::invalid("start_time", start, &said)
            }
        })
    }

    fn not_to_come(
        &self,
        since: Option<PostId>,
        now: DateTime<Utc>,
    ) -> Result<Option<PostId>, Problem> {
        if since.is_some_and(|since| since.instant() > now) {
            let start = self.text("start_time").or(self.text("since_id")).unwrap_or_default();
            let said = "Invalid 'start_time'. 'start_time' must be before now";
            return Err(Problem::invalid("start_time", start, said));
        }
        Ok(since)
    }
}

/// A token says where a page ended, but not to us.
pub(super) fn token_of(number: u64) -> String {
    format!("7140dibdnow9c7btw{:x}", number ^ SECRET)
}

fn number_of(token: &str) -> Option<u64> {
    let number = u64::from_str_radix(token.strip_prefix("7140dibdnow9c7btw")?, 16);
    number.ok().map(|number| number ^ SECRET)
}

const SECRET: u64 = 0x5d5c_3a19_77e1_f00d;

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Parameters(pairs.iter().map(owned).collect())
    }

    fn now() -> DateTime<Utc> {
        "2024-05-08T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_recent_search_refuses_what_is_a_week_old_and_what_is_to_come() {
        let refused = |pairs| parameters(pairs).recent_since(now()).is_err();
        assert!(!refused(&[("start_time", "2024-05-01T12:00:00Z")]));
        assert!(refused(&[("start_time", "2024-05-01T11:59:59Z")]));
        assert!(refused(&[("start_time", "2024-05-08T12:00:01Z")]));
        assert!(refused(&[("since_id", "1519056945277198339")]));
        assert!(refused(&[("since_id", "1"), ("start_time", "2024-05-08T00:00:00Z")]));
        assert!(!refused(&[]));
    }

    #[test]
    fn a_token_leads_back_to_its_number() {
        assert_eq!(number_of(&token_of(42)), Some(42));
        assert_eq!(number_of("made up"), None);
    }
}
