//! A check asks for what is new, and only where the guild names something new.

use super::*;

#[tokio::test]
async fn a_check_with_nothing_new_costs_six_requests() {
    let site = serve(Community::realistic(7, 120, 1500)).await;
    let run = settled(&site).await;
    let check = check_after(&site, &run, 20).await;
    assert_eq!((&check.ending, check.requests), (&Ending::Processed, 6), "{check}");
    assert_eq!(check.operations.len(), 0);
    let guild = site.look(|community| community.guild);
    let paths: Vec<_> = site.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(
        paths,
        [
            "/users/@me".to_owned(),
            format!("/guilds/{guild}"),
            format!("/guilds/{guild}/members/{}", site.look(|community| community.bot)),
            format!("/guilds/{guild}/channels"),
            format!("/guilds/{guild}/threads/active"),
            format!("/guilds/{guild}/members"),
        ]
    );
}

#[tokio::test]
async fn the_bot_is_not_asked_for_if_it_was_learnt_with_the_credential() {
    let Small { site, .. } = Small::start().await;
    let run = settled(&site).await;
    let bot = site.look(|community| community.bot).to_string();
    let owner = Owner { id: bot, name: "millrace".to_owned() };
    let check = rehearsal(&site).check().state(run.state).credential_of(owner, token());
    site.clear_requests();
    let check = check.run().await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    assert!(site.requests().iter().all(|request| request.path != "/users/@me"), "{check}");
}

#[tokio::test]
async fn a_check_after_all_kinds_of_acts_finds_them_and_a_check_after_that_nothing() {
    let site = serve(Community::realistic(11, 80, 800)).await;
    let run = settled(&site).await;
    site.edit(act);
    let check = check_after(&site, &run, 5).await;
    assert_eq!(check.ending, Ending::Processed, "{check}");
    let truth = site.look(truth);
    let onboarding = rehearsal(&site).run().await;
    assert_eq!(found(&[&onboarding]), truth);
    let found = found(&[&check]);
    let new: Vec<_> = truth.iter().filter(|(_, it)| it.said.starts_with("new")).collect();
    assert_eq!(new.len(), 9);
    for (id, message) in new {
        assert_eq!(found.get(id), Some(message), "{check}");
    }
    assert_eq!(joins(&[&check]).len(), 1);

    // One more look at the archived threads of the new channel.
    let settled = check_after(&site, &check, 20).await;
    assert_eq!(settled.requests, 8, "{settled}");
    let nothing = check_after(&site, &settled, 20).await;
    assert_eq!((nothing.requests, nothing.operations.len()), (6, 0), "{nothing}");
}

/// Somebody joins and writes: in a channel, in one that was empty, in a new one; in an active
/// thread, in one that this opens again, in a new one, in an old and in a new post.
fn act(community: &mut Community) {
    let newcomer = community.add_user("newcomer");
    community.join(newcomer);
    let named = |community: &Community, name: &str| {
        community.channels().find(|it| it.name == name).expect("a channel").id
    };
    let thread = |community: &Community, of: &str, archived: bool| {
        let channel = named(community, of);
        let mut threads = community.threads();
        threads
            .find(|(it, state)| it.parent == Some(channel) && state.archived == archived)
            .map(|(it, _)| it.id)
    };
    let general = named(community, "general");
    community.post(general, newcomer, "new");
    community.post(named(community, "empty"), newcomer, "new in an empty one");
    let fresh = community.add_channel(Kind::Text, "fresh");
    community.post(fresh, newcomer, "new in a new one");
    for archived in [true, false] {
        let old = thread(community, "help", archived).expect("a post");
        community.post(old, newcomer, "new in a post");
    }
    let begun = community.post(general, newcomer, "new for a thread");
    let begun = community.start_thread(begun, "Brand new");
    community.post(begun, newcomer, "new in a thread");
    let forum = named(community, "help");
    let post = community.start_post(forum, newcomer, "Another", "new post");
    community.post(post, newcomer, "new in a new post");
}

#[tokio::test]
async fn three_hundred_new_messages_are_four_pages_and_no_gap() {
    let Small { site, ada, general, .. } = Small::start().await;
    let run = settled(&site).await;
    site.edit(|community| {
        for number in 0..301 {
            community.post(general, ada, &format!("{number}"));
        }
    });
    let check = check_after(&site, &run, 20).await;
    assert_eq!(found(&[&check]), site.look(truth));
    assert_eq!(asked(&site).len(), 4, "{check}");
}

#[tokio::test]
async fn a_last_page_that_is_full_needs_no_empty_one_to_prove_it() {
    let Small { site, ada, general, .. } = Small::start().await;
    let run = settled(&site).await;
    site.edit(|community| {
        for number in 0..98 {
            community.post(general, ada, &format!("{number}"));
        }
    });
    // With the two that were read before and lie within the overlap.
    let check = check_after(&site, &run, 20).await;
    assert_eq!((found(&[&check]).len(), asked(&site).len()), (100, 1), "{check}");
}

#[tokio::test]
async fn what_was_corrected_right_after_it_was_written_is_read_again_with_the_next_message() {
    let Small { site, ada, ben, general } = Small::start().await;
    let run = settled(&site).await;
    let typo = site.edit(|community| community.post(general, ada, "tpyo"));
    let check = check_after(&site, &run, 1).await;
    site.edit(|community| {
        community.edit(typo, "typo");
        community.post(general, ben, "I see");
    });
    let next = check_after(&site, &check, 20).await;
    assert_eq!(found(&[&check, &next])[&typo.to_string()].said, "typo");
}

#[tokio::test]
async fn a_last_message_that_was_deleted_is_asked_for_once() {
    let Small { site, ada, general, .. } = Small::start().await;
    let run = settled(&site).await;
    site.edit(|community| {
        let id = community.post(general, ada, "Never mind");
        community.delete(id);
    });
    let check = check_after(&site, &run, 20).await;
    assert_eq!(asked(&site).len(), 1, "{check}");
    assert!(found(&[&check]).values().all(|it| it.said != "Never mind"), "{check}");
    let nothing = check_after(&site, &check, 20).await;
    assert_eq!(nothing.requests, 6, "{nothing}");
}

#[tokio::test]
async fn a_channel_that_is_gone_between_two_answers_is_no_error() {
    let Small { site, general, .. } = Small::start().await;
    let path = format!("/channels/{general}/messages");
    site.misbehave(&path, 1, Fault::Status(StatusCode::NOT_FOUND));
    let run = rehearsal(&site).run().await;
    assert_eq!((&run.ending, found(&[&run]).len()), (&Ending::Processed, 0), "{run}");
}

/// A stop rule that never stopped: the forerunner's checks read the whole history.
#[tokio::test]
async fn a_check_reads_no_history() {
    let site = serve(Community::realistic(7, 20, 1500)).await;
    let run = settled(&site).await;
    let somebody = site.look(|community| community.users().next().expect("somebody").id);
    site.edit(|community| {
        let places: Vec<_> = community.channels().map(|it| (it.id, it.kind)).collect();
        for (place, kind) in places {
            if !matches!(kind, Kind::Category | Kind::Forum) {
                community.post(place, somebody, "new");
            }
        }
    });
    let check = check_after(&site, &run, 20).await;
    let places = site.look(|community| {
        let readable = community.channels().filter(|it| community.bot_may_read(it));
        readable.filter(|it| !matches!(it.kind, Kind::Category | Kind::Forum)).count()
    });
    assert_eq!(asked(&site).len(), places, "one page of each");
    assert_eq!(found(&[&check]).values().filter(|it| it.said == "new").count(), places);
}
