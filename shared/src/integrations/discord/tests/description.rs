//! Our requests, what we read of the answers, and the simulated Discord, each held against the
//! published description.

use super::super::payloads::{
    Application, Guild, GuildMember, ListedChannel, Message, ThreadList, User,
};
use super::*;
use crate::sdk::ApiClient;

/// Which operations there are and what stands in their answers, pruned to what we use.
fn description() -> Value {
    serde_json::from_str(include_str!("description.json")).expect("JSON")
}

/// A path with its ids as the description writes them.
fn described(path: &str) -> String {
    let parts: Vec<_> = path.split('/').collect();
    let describe = |index: usize, part: &str| match (parts.get(index.wrapping_sub(1)), part) {
        (Some(&"guilds"), _) => "{guild_id}".to_owned(),
        (Some(&"channels"), _) => "{channel_id}".to_owned(),
        (Some(&"members"), _) => "{user_id}".to_owned(),
        _ => part.to_owned(),
    };
    let described: Vec<_> =
        parts.iter().enumerate().map(|(index, part)| describe(index, part)).collect();
    described.join("/")
}

/// A guild in which every list has a second page.
fn many_pages() -> Community {
    let mut community = Community::empty();
    let ada = community.add_user("ada");
    community.join(ada);
    for number in 0..1_000 {
        let user = community.add_user(&format!("user{number}"));
        community.join(user);
    }
    let general = community.add_channel(Kind::Text, "general");
    for number in 0..101 {
        let begun = community.post(general, ada, &format!("{number}"));
        let thread = match number {
            0 => community.start_private_thread(general, "Between us"),
            _ => community.start_thread(begun, &format!("{number}")),
        };
        community.invite_bot(thread);
        community.archive(thread);
    }
    community
}

#[tokio::test]
async fn every_request_we_send_is_described_and_every_described_one_is_sent() {
    let site = serve(many_pages()).await;
    let registry = Registry::default().with(integration(&site));
    let discord = registry.find("discord").expect("discord");
    let access = Access::with(token());
    let now = site.look(Community::now);
    let connection = RawConnection::new(settings(&site), now, access.clone());
    discord.identify(&access).await.expect("an owner");
    discord.verify(connection.clone()).await.expect("it can work");
    discord.discover(connection).await.expect("units");
    let joined = rehearsal(&site).run().await;
    assert_eq!(joined.ending, Ending::Processed, "{joined}");
    site.edit(Community::let_bot_manage_threads);
    let all = rehearsal(&site).run().await;
    site.edit(|community| {
        let (ada, channel) = (community.bot, community.channels().next().expect("one").id);
        community.post(channel, ada, "new");
    });
    rehearsal(&site).check().state(all.state).run().await;

    let description = description();
    let operations = description["operations"].as_object().expect("operations");
    let mut sent = BTreeSet::new();
    for request in site.requests() {
        let path = described(&request.path);
        let operation = operations.get(&path).unwrap_or_else(|| panic!("{path} is not described"));
        let query = operation["query"].as_array().expect("a list");
        for pair in request.query.iter().flat_map(|query| query.split('&')) {
            let name = pair.split('=').next().unwrap_or_default();
            assert!(query.contains(&json!(name)), "{path} has no {name}");
        }
        sent.insert(path);
    }
    assert_eq!(sent, operations.keys().cloned().collect());
}

/// With every field that is described, or with those alone that are never left out; and then what
/// may be null is.
fn sample(schema: &str, full: bool) -> Value {
    let description = description();
    let schema = &description["schemas"][schema];
    let always = schema["always"].as_object().expect("fields").iter();
    let sometimes = schema["sometimes"].as_object().expect("fields").iter().filter(|_| full);
    let fields = always.chain(sometimes).map(|(name, kind)| {
        let kind = kind.as_str().expect("a kind");
        let value =
            if kind.ends_with("|null") && !full { Value::Null } else { field(name, kind, full) };
        (name.clone(), value)
    });
    Value::Object(fields.collect())
}

fn field(name: &str, kind: &str, full: bool) -> Value {
    let kind = kind.trim_end_matches("|null");
    if let Some(kind) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        return json!([field(name, kind, full)]);
    }
    match kind {
        "string" if name.ends_with("timestamp") || name == "joined_at" => {
            json!("2024-05-01T12:00:00.123000+00:00")
        }
        "string" => json!("7"),
        "integer" => json!(7),
        "boolean" => json!(true),
        schema => sample(schema, full),
    }
}

/// The smallest answer is understood; of the largest everything that we read is there, or its place
/// would be empty.
fn check<T: serde::de::DeserializeOwned + std::fmt::Debug>(schema: &str) {
    serde_json::from_value::<T>(sample(schema, false)).expect(schema);
    let full = serde_json::from_value::<T>(sample(schema, true)).expect(schema);
    let full = format!("{full:?}");
    for empty in ["None", "false", "[]", ": 0"] {
        assert!(!full.contains(empty), "what we read of {schema} is not all described: {full}");
    }
}

#[test]
fn whatever_we_read_is_described() {
    check::<User>("User");
    check::<Application>("Application");
    check::<Guild>("Guild");
    check::<GuildMember>("Member");
    check::<ListedChannel>("Channel");
    check::<ThreadList>("ThreadList");
    check::<Message>("Message");
}

#[tokio::test]
async fn the_simulated_discord_answers_as_described() {
    let site = serve(Community::realistic(2, 60, 600)).await;
    site.edit(Community::let_bot_manage_threads);
    let onboarding = rehearsal(&site).run().await;
    assert_eq!(onboarding.ending, Ending::Processed, "{onboarding}");
    let client =
        ApiClient::with("discord", site.url(), Options { scheme: "Bot", ..Options::default() });
    let client = client.expect("a client");
    let access = Access::with(token());
    let description = description();
    let operations = &description["operations"];
    for request in site.requests() {
        let path = request.path.trim_start_matches('/');
        let answer = client.get(path).query("limit", 100).by(&access).json::<Value>().await;
        let kind = operations[described(&request.path)]["answer"].as_str().expect("a schema");
        check_kind(&description, kind, &answer.expect(path).body, path);
    }
}

fn check_kind(description: &Value, kind: &str, value: &Value, place: &str) {
    if value.is_null() {
        return assert!(kind.ends_with("|null"), "{place} is null");
    }
    let kind = kind.trim_end_matches("|null");
    if let Some(kind) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        let values = value.as_array().unwrap_or_else(|| panic!("{place} is no list"));
        return values.iter().for_each(|value| check_kind(description, kind, value, place));
    }
    match kind {
        "string" => assert!(value.is_string(), "{place}: {value}"),
        "integer" => assert!(value.is_u64(), "{place}: {value}"),
        "boolean" => assert!(value.is_boolean(), "{place}: {value}"),
        schema => check_fields(description, schema, value),
    }
}

/// Fields that the description leaves out are those of kinds it was pruned of.
fn check_fields(description: &Value, schema: &str, value: &Value) {
    let fields = &description["schemas"][schema];
    for (name, value) in value.as_object().expect(schema) {
        let kind = fields["always"].get(name).or_else(|| fields["sometimes"].get(name));
        if let Some(kind) = kind.and_then(Value::as_str) {
            check_kind(description, kind, value, &format!("{schema}.{name}"));
        }
    }
}
