//! What a platform says to a refusal, in its own words: an error's code and its sentence.
//!
//! Each platform has its form for it, and one reading serves them all: the names are few, and none
//! means different things to two of them. What is repeated is for an operator to act upon, in rows
//! and logs: so it is one line, not long, without the secrets that were sent and without whatever
//! looks like one.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// Characters that are repeated of a sentence.
const LONGEST: usize = 200;
/// The longest word with digits in it that is surely no token.
const LONGEST_WORD: usize = 19;
/// The shortest secret that is looked for: a shorter one would be found in any sentence.
const SHORTEST_SECRET: usize = 4;

/// Where platforms put an error's code; the narrowest first.
const CODES: [&str; 4] = ["code", "reason", "error", "type"];
/// And where they put the sentence.
const SENTENCES: [&str; 5] = ["message", "error_description", "detail", "title", "description"];

/// An error's code and sentence, as far as the platform gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) code: Option<String>,
    pub(super) sentence: Option<String>,
}

impl Words {
    /// Of the body of a refusal, without these secrets. A page of HTML has no words.
    pub(super) fn of(body: &[u8], secrets: &[SecretString]) -> Self {
        let Ok(Value::Object(said)) = serde_json::from_slice(body) else { return Self::default() };
        let whole = Self::in_object(&said);
        let narrowest = match (said.get("errors"), said.get("error")) {
            (Some(Value::Array(errors)), _) => errors.first().and_then(Value::as_object),
            (_, Some(Value::Object(error))) => Some(error),
            _ => None,
        };
        let narrowest = narrowest.map(Self::in_object).unwrap_or_default();
        let clean = |text: String| without(secrets, &quoted(&without(secrets, &text)));
        Self {
            code: narrowest.code.or(whole.code).map(clean),
            sentence: narrowest.sentence.or(whole.sentence).map(clean),
        }
    }

    fn in_object(said: &Map<String, Value>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| text(said.get(*name)?));
        let sentence = first(&SENTENCES);
        Self { code: first(&CODES).map(|code| last_step(&code).to_owned()), sentence }
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.sentence, &self.code) {
            (Some(sentence), Some(code)) => write!(f, "{sentence} ({code})"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => Ok(()),
        }
    }
}

/// A platform's words as they may be shown: one line, not too long, without what looks like a token.
pub fn quoted(said: &str) -> String {
    let line = said.split(|c: char| c.is_whitespace() || c.is_control());
    let line: Vec<_> = line.filter(|word| !word.is_empty()).map(without_tokens).collect();
    let line = line.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() && text != "about:blank" => {
            Some(text.clone())
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Some codes are addresses of a description: `https://api.x.com/2/problems/client-forbidden`.
fn last_step(code: &str) -> &str {
    match code.rsplit_once('/') {
        Some((address, step)) if address.contains("//") && !step.is_empty() => step,
        _ => code,
    }
}

fn without(secrets: &[SecretString], said: &str) -> String {
    let secrets = secrets.iter().map(ExposeSecret::expose_secret);
    let secrets = secrets.filter(|secret| secret.len() >= SHORTEST_SECRET);
    secrets.fold(said.to_owned(), |said, secret| said.replace(secret, "…"))
}

/// Tokens are long, of letters and digits.
fn without_tokens(word: &str) -> String {
    let is_in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~' | '.');
    let mut said = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(is_in_token) {
        let (before, after) = rest.split_at(start);
        let end = after.find(|c| !is_in_token(c)).unwrap_or(after.len());
        let part = &after[..end];
        said.push_str(before);
        said.push_str(if looks_like_a_token(part) { "…" } else { part });
        rest = &after[end..];
    }
    said + rest
}

fn looks_like_a_token(part: &str) -> bool {
    let has = |is: fn(&u8) -> bool| part.as_bytes().iter().any(is);
    part.len() > LONGEST_WORD && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(body: &Value) -> String {
        Words::of(body.to_string().as_bytes(), &[]).to_string()
    }

    #[test]
    fn each_platforms_refusal_is_repeated_in_its_own_words() {
        for (platform, body, expected) in [
            (
                "discord",
                json!({"message": "Missing Access", "code": 50001}),
                "Missing Access (50001)",
            ),
            (
                "github",
                json!({"message": "Resource not accessible by integration", "status": "403",
                    "documentation_url": "https://docs.github.com/rest"}),
                "Resource not accessible by integration",
            ),
            (
                "github, of a form",
                json!({"message": "Validation Failed",
                    "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}]}),
                "Validation Failed (missing_field)",
            ),
            (
                "x, of an application",
                json!({"title": "Client Forbidden", "detail": "You must use keys from a Project.",
                    "reason": "client-not-enrolled", "client_id": "1234",
                    "type": "https://api.twitter.com/2/problems/client-forbidden"}),
                "You must use keys from a Project. (client-not-enrolled)",
            ),
            (
                "x, of a parameter",
                json!({"errors": [{"parameters": {"max_results": ["1"]}, "message": "It is not between 5 and 100"}],
                    "title": "Invalid Request", "detail": "One or more parameters was invalid.",
                    "type": "https://api.twitter.com/2/problems/invalid-request"}),
                "It is not between 5 and 100 (invalid-request)",
            ),
            (
                "x, of a token",
                json!({"title": "Unauthorized", "type": "about:blank", "status": 401}),
                "Unauthorized",
            ),
            (
                "oauth 2",
                json!({"error": "invalid_grant", "error_description": "The token was used."}),
                "The token was used. (invalid_grant)",
            ),
            ("slack", json!({"ok": false, "error": "invalid_auth"}), "invalid_auth"),
            ("forem", json!({"error": "not found", "status": 404}), "not found"),
            (
                "an error inside",
                json!({"error": {"code": 403, "message": "The caller may not."}}),
                "The caller may not. (403)",
            ),
            ("nothing that is said", json!({"ok": false}), ""),
            ("no object", json!("no"), ""),
        ] {
            assert_eq!(words(&body), expected, "{platform}");
        }
        assert_eq!(Words::of(b"<html>Sorry!</html>", &[]), Words::default());
    }

    #[test]
    fn what_was_sent_in_secret_is_not_repeated() {
        let body = json!({"error": "bad hunter2", "message": "no hunter2 here\nnor shh42, ab"});
        let secrets = ["hunter2", "shh42", "ab"].map(SecretString::from);
        let said = Words::of(body.to_string().as_bytes(), &secrets).to_string();
        assert_eq!(said, "no … here nor …, ab (bad …)");
    }

    #[test]
    fn what_looks_like_a_token_is_not_repeated_and_what_does_not_is() {
        for (said, expected) in [
            ("the token xoxb-1234567890-abcdefghij ended", "the token … ended"),
            ("token=ghp_16C7e42F292c6912E7710c838347Ae178B4a.", "token=…"),
            ("bearer \"AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA0\"", "bearer \"…\""),
            ("channel 81384788765712384 is closed", "channel 81384788765712384 is closed"),
            (
                "see https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
                "",
            ),
            ("it ended at 2024-05-01T12:00:00.000Z", ""),
            ("`user.fields` is not one of profile_image_url, public_metrics", ""),
        ] {
            let expected = if expected.is_empty() { said } else { expected };
            assert_eq!(quoted(said), expected);
        }
    }

    #[test]
    fn what_is_repeated_is_one_line_and_not_long() {
        assert_eq!(quoted(" one\r\n\ttwo\0three  "), "one two three");
        let long = quoted(&"é ".repeat(1000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
    }
}
