//! Members: who joins, who is renamed, who is gone.

use super::*;

async fn crowd(people: usize) -> (Simulated, Vec<Id>) {
    let mut community = Community::empty();
    let people = (0..people).map(|number| community.add_user(&format!("user{number}"))).collect();
    let people: Vec<_> = people;
    people.iter().for_each(|id| community.join(*id));
    (serve(community).await, people)
}

#[tokio::test]
async fn the_members_of_an_onboarding_come_a_thousand_at_a_time() {
    let (site, _) = crowd(2_500).await;
    let run = rehearsal(&site).run().await;
    assert_eq!(joins(&[&run]), site.look(true_joins));
    let pages: Vec<_> =
        site.requests().into_iter().filter(|it| it.path.ends_with("/members")).collect();
    assert_eq!(pages.len(), 3);
    assert_eq!(pages[0].query.as_deref(), Some("limit=1000"));
}

#[tokio::test]
async fn a_join_becomes_this() {
    let (site, people) = crowd(1).await;
    site.edit(|community| {
        let user = community.user_mut(people[0]);
        user.username = "ada".to_owned();
        user.avatar = Some("cafe".to_owned());
    });
    let run = rehearsal(&site).run().await;
    let join = run.activities().find(|it| it.member.identity.username == "ada");
    assert_json_snapshot!(join, @r#"
    {
      "platform": "discord",
      "kind": "joined_guild",
      "source_id": "gen-1193841549901824006-2024-01-08T09:00:07.000Z",
      "source_parent_id": null,
      "timestamp": "2024-01-08T09:00:07Z",
      "title": null,
      "body": null,
      "url": null,
      "channel": null,
      "attributes": {},
      "score": 3,
      "is_contribution": false,
      "member": {
        "identity": {
          "platform": "discord",
          "username": "ada",
          "source_id": "1193841549901824006"
        },
        "display_name": null,
        "emails": [],
        "joined_at": "2024-01-08T09:00:07Z",
        "reach": {},
        "attributes": {
          "avatarUrl": {
            "discord": "https://cdn.discordapp.com/avatars/1193841549901824006/cafe.png"
          },
          "sourceId": {
            "discord": "1193841549901824006"
          }
        }
      },
      "object_member": null
    }
    "#);
}

#[tokio::test]
async fn a_check_finds_who_joined_since_and_nobody_else() {
    let (site, _) = crowd(30).await;
    let run = settled(&site).await;
    let newcomer = site.edit(|community| {
        community.pass(TimeDelta::minutes(30));
        let newcomer = community.add_user("newcomer");
        community.join(newcomer);
        newcomer
    });
    let check = check_after(&site, &run, 1).await;
    let who: Vec<_> = joins(&[&check]).into_iter().map(|(who, _)| who).collect();
    assert_eq!(who, [newcomer.to_string()]);
    // Once more, since it lies within the overlap; and then no more.
    let again = check_after(&site, &check, 20).await;
    assert_eq!(joins(&[&again]), joins(&[&check]));
    let nothing = check_after(&site, &again, 20).await;
    assert_eq!((nothing.operations.len(), nothing.requests), (0, 6), "{nothing}");
}

/// A round is three checks here. Somebody with a low id joins behind the reader's back.
#[tokio::test]
async fn checks_go_round_a_long_list_and_miss_nobody() {
    let (site, people) = crowd(9_500).await;
    site.edit(|community| {
        for early in &people[..10] {
            community.leave(*early);
        }
    });
    let onboarding = rehearsal(&site).run().await;
    assert_eq!(onboarding.ending, Ending::Processed);
    let mut run = check_after(&site, &onboarding, 20).await;
    let mut seen = joins(&[&onboarding, &run]);
    for early in &people[..10] {
        site.edit(|community| community.join(*early));
        run = check_after(&site, &run, 20).await;
        assert!(run.requests <= 5 + 4, "{run}");
        seen.extend(joins(&[&run]));
    }
    for _ in 0..3 {
        run = check_after(&site, &run, 20).await;
        seen.extend(joins(&[&run]));
    }
    let missing: Vec<_> = site.look(true_joins).difference(&seen).cloned().collect();
    assert_eq!(missing, []);
}

#[tokio::test]
async fn a_page_of_members_that_failed_is_where_the_next_check_begins() {
    let (site, _) = crowd(2_500).await;
    site.edit(|community| community.pass(TimeDelta::hours(1)));
    site.misbehave("after=", 5, Fault::Status(StatusCode::INTERNAL_SERVER_ERROR));
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 });
    let check = check_after(&site, &run, 20).await;
    assert_eq!(check.ending, Ending::Processed);
    assert_eq!(joins(&[&run, &check]), site.look(true_joins));
    let again = check_after(&site, &check, 20).await;
    assert_eq!(joins(&[&again]).len(), 0);
}

#[tokio::test]
async fn members_that_repeat_for_ever_end_as_a_hole() {
    let (site, _) = crowd(1_500).await;
    site.misbehave("/members?", ALWAYS, Fault::RepeatedPage);
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, joins(&[&run]).len()), (&Ending::Hole { streams: 1 }, 999));
}

#[tokio::test]
async fn without_the_members_intent_the_run_says_what_to_switch_on_and_reads_the_messages() {
    let Small { site, .. } = Small::start().await;
    site.edit(|community| community.members_intent = false);
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Hole { streams: 1 });
    assert!(run.to_string().contains("Server Members Intent"), "{run}");
    assert_eq!(found(&[&run]), site.look(truth));
}

#[tokio::test]
async fn a_renamed_user_is_the_same_account_under_another_name() {
    let Small { site, ada, general, .. } = Small::start().await;
    let run = settled(&site).await;
    site.edit(|community| {
        community.user_mut(ada).username = "countess".to_owned();
        community.post(general, ada, "It is me");
    });
    let check = check_after(&site, &run, 20).await;
    let last = check.activities().last().expect("a message");
    assert_eq!(last.member.identity.username, "countess");
    assert_eq!(last.member.identity.source_id, Some(ada.to_string()));
}

/// The forerunner appended another random number on every page, and so made another member.
#[tokio::test]
async fn a_deleted_user_is_one_member_however_often_it_is_read_and_not_another_of_that_name() {
    let Small { site, ada, ben, .. } = Small::start().await;
    site.edit(|community| {
        community.delete_user(ada);
        community.delete_user(ben);
    });
    let identities = |run: &Rehearsed| -> BTreeSet<_> {
        run.activities().map(|activity| activity.member.identity.clone()).collect()
    };
    let (first, second) = (rehearsal(&site).run().await, rehearsal(&site).run().await);
    assert_eq!(identities(&first), identities(&second));
    let deleted: Vec<_> = identities(&first)
        .into_iter()
        .filter(|identity| identity.username.starts_with("Deleted User#"))
        .collect();
    assert_eq!(deleted.len(), 2);
    assert_ne!(deleted[0].username, deleted[1].username);
    let ids: BTreeSet<_> = deleted.into_iter().filter_map(|it| it.source_id).collect();
    assert_eq!(ids, BTreeSet::from([ada.to_string(), ben.to_string()]));
}
