//! What is left of limits, whose share it is, and when it will be done.

use super::*;

#[test]
fn the_evidence_holds_what_is_left_of_the_quota() {
    let mut facts = held();
    facts.quota = Some(QuotaLeft { records: 70, resets_at: at("13:00:00"), now: at("12:00:00") });
    let evidence = serde_json::to_value(explain(&facts).evidence).expect("JSON");
    assert_eq!(evidence["quota"], json!({"records_left": 70, "resets_at": "2024-05-01T13:00:00Z"}));
    assert_eq!(evidence["lease"], json!({"holder": "worker-7", "until": "2024-05-01T12:00:30Z"}));
}

fn lists(left: u64, tenants: usize) -> LimitFacts {
    LimitFacts {
        class: "conversations.history".into(),
        counted_by: CountedBy::Application,
        allowed: 50,
        per: Duration::from_secs(60),
        left,
        blocked_until: None,
        tenants,
        turn: Some(at("13:00:00")),
    }
}

#[test]
fn a_run_that_waits_for_its_share_says_of_which_limit_and_who_else_wants_some() {
    let mut facts = delayed(DelayReason::Quota);
    let waits = "It waits for its share of `conversations.history`: 0 left of the 50 in 60 s";
    let goes_on = "it goes on at 2024-05-01T13:00:00Z.";
    facts.limits = vec![lists(0, 5)];
    let all = format!("{waits} of all tenants together, and 4 other tenants want some: {goes_on}");
    says(&facts, Reason::Quota, &all);
    facts.limits = vec![LimitFacts { counted_by: CountedBy::Credential, ..lists(0, 1) }];
    says(&facts, Reason::Quota, &format!("{waits} of this credential: {goes_on}"));
}

#[test]
fn an_end_is_estimated_by_what_is_left_and_the_share_of_the_budget() {
    let mut facts = delayed(DelayReason::Quota);
    facts.limits = vec![lists(0, 2)];
    facts.streams.processed = 10;
    facts.streams.requests = 20;
    facts.streams.pending = 125;
    // 250 requests at 25 a minute, from when it goes on.
    assert_eq!(explain(&facts).about_ends_at, Some(at("13:10:00")));
}

#[test]
fn no_end_is_estimated_where_nothing_is_known() {
    let known = |change: fn(&mut RunFacts)| {
        let mut facts = held();
        facts.limits = vec![lists(3, 2)];
        facts.streams.requests = 20;
        change(&mut facts);
        explain(&facts).about_ends_at.is_some()
    };
    assert!(known(|_| {}));
    assert!(!known(|facts| facts.limits.clear()), "nothing is counted");
    assert!(!known(|facts| facts.streams.processed = 0), "nothing was fetched yet");
    assert!(!known(|facts| facts.run.state = RunState::Processed), "it is done");
}
