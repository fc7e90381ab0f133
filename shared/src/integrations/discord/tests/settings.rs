//! What tenants enter.

use super::*;

fn entered(guild_id: Value) -> Result<Settings, String> {
    serde_json::from_value(json!({"guild_id": guild_id})).map_err(|error| error.to_string())
}

#[test]
fn a_guild_is_entered_by_its_id_or_by_the_address_of_a_channel_in_it() {
    let expected: Snowflake = "81384788765712384".parse().expect("an id");
    for text in [
        "81384788765712384",
        " 81384788765712384 ",
        "https://discord.com/channels/81384788765712384",
        "https://discord.com/channels/81384788765712384/381887113391505410",
    ] {
        assert_eq!(entered(json!(text)).expect(text).guild(), expected);
    }
}

#[test]
fn what_is_no_guild_is_refused_by_its_name() {
    for text in
        ["", "Millers", "+5", "https://discord.com/channels/@me/5", "99999999999999999999999"]
    {
        let error = entered(json!(text)).expect_err(text);
        assert!(error.contains("is no id of a guild"), "{error}");
    }
    // Above what many JSON libraries keep, so it may be another number by now.
    assert!(entered(json!(81_384_788_765_712_384_u64)).is_err());
    let misspelt = json!({"guild_id": "5", "channels": []});
    let error = serde_json::from_value::<Settings>(misspelt).unwrap_err().to_string();
    assert!(error.contains("channels"), "{error}");
}
