use crate::integrations::slack::text::{mentioned, with_names};

fn named(text: &str) -> String {
    with_names(text, |id| (id == "U1A").then_some("ada"))
}

#[test]
fn mentions_become_names() {
    assert_eq!(named("<@U1A>: ask <@U1A>!"), "@ada: ask @ada!");
    assert_eq!(named("<@U1A|old.handle>"), "@ada");
}

#[test]
fn of_somebody_unknown_the_label_is_taken_or_nothing_is_changed() {
    assert_eq!(named("<@U2B|ben> and <@W3C>"), "@ben and <@W3C>");
}

#[test]
fn whatever_else_stands_in_brackets_stays() {
    for text in
        ["<https://x.test|link> <!here> <#C1|help>", "<@", "<@>", "<@U1A", "<@ada>", "a <@ b>"]
    {
        assert_eq!(named(text), text);
        assert_eq!(mentioned(text).count(), 0, "{text}");
    }
}

#[test]
fn those_who_are_mentioned_are_found_in_order() {
    assert_eq!(mentioned("<@U2B|ben> <@x> é<@U1A>").collect::<Vec<_>>(), ["U2B", "U1A"]);
}
