//! Mentions in what people write: `<@U012AB3CD>`, or `<@U012AB3CD|ada>`, stands for a user.
//!
//! What they write is no HTML: Slack sends `<`, `>` and `&` as entities, and its own marks between
//! angle brackets.

/// The ids of those who are mentioned, in order.
pub(super) fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    text.split("<@").skip(1).filter_map(|rest| Some(Mention::at(rest)?.id))
}

/// With `@ada` for a mention of whom `name` knows the name; others stay as they are.
pub(super) fn with_names<'n>(text: &str, name: impl Fn(&str) -> Option<&'n str>) -> String {
    let mut parts = text.split("<@");
    let mut named = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        let known =
            Mention::at(rest).and_then(|it| Some((name(it.id).map_or(it.label, Some)?, it.after)));
        match known {
            Some((name, after)) => named.extend(["@", name, after]),
            None => named.extend(["<@", rest]),
        }
    }
    named
}

struct Mention<'a> {
    id: &'a str,
    label: Option<&'a str>,
    after: &'a str,
}

impl<'a> Mention<'a> {
    /// In what follows a `<@`.
    fn at(rest: &'a str) -> Option<Self> {
        let (inside, after) = rest.split_once('>')?;
        let (id, label) = match inside.split_once('|') {
            Some((id, label)) => (id, Some(label).filter(|label| !label.is_empty())),
            None => (inside, None),
        };
        let is_id = id.starts_with(['U', 'W']) && id.bytes().all(|it| it.is_ascii_alphanumeric());
        is_id.then_some(Self { id, label, after })
    }
}
