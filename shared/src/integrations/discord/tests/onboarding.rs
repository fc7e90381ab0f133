//! An onboarding reads everything that the bot may read.

use super::*;

#[tokio::test]
async fn an_onboarding_finds_every_readable_message_once_and_every_person() {
    let site = serve(Community::realistic(7, 120, 1500)).await;
    let run = rehearsal(&site).run().await;
    assert_eq!(run.ending, Ending::Processed, "{run}");
    let truth = site.look(truth);
    assert!(truth.len() > 1000);
    assert_eq!(found(&[&run]), truth);
    assert_eq!(joins(&[&run]), site.look(true_joins));
    let told = run.activities().filter(|activity| activity.kind == "message").count();
    assert_eq!(told, truth.len(), "a message was told twice");
}

#[tokio::test]
async fn the_bot_that_may_manage_threads_finds_the_private_ones_too() {
    let mut community = Community::realistic(7, 10, 100);
    let channel = community.channels().find(|it| it.name == "general").expect("a channel").id;
    let ada = community.add_user("ada");
    for archived in [false, true] {
        let thread = community.start_private_thread(channel, "Between us");
        community.post(thread, ada, "Nobody knows");
        if archived {
            community.archive(thread);
        }
    }
    let invited = community.start_private_thread(channel, "Come in");
    community.post(invited, ada, "Welcome, bot");
    community.invite_bot(invited);
    community.archive(invited);

    let site = serve(community).await;
    let run = rehearsal(&site).run().await;
    let before = site.look(truth);
    assert_eq!(found(&[&run]), before);
    assert_eq!(before.values().filter(|it| it.said == "Welcome, bot").count(), 1);

    site.edit(Community::let_bot_manage_threads);
    let run = rehearsal(&site).run().await;
    let after = site.look(truth);
    assert_eq!(after.len(), before.len() + 2);
    assert_eq!(found(&[&run]), after);
}

/// Five requests for the lists of the guild, one for each thousand members, two for the archived
/// threads of each text channel and one for those of each forum; and one for each begun hundred of
/// messages of each place.
#[tokio::test]
async fn an_onboarding_asks_once_for_each_list_and_each_hundred_messages() {
    let site = serve(Community::realistic(7, 120, 1500)).await;
    let run = rehearsal(&site).run().await;
    let expected = site.look(|community| {
        let readable: Vec<_> =
            community.channels().filter(|it| community.bot_may_read(it)).collect();
        let lists = readable.iter().map(|it| match it.kind {
            Kind::Text => 2,
            Kind::Announcement | Kind::Forum => 1,
            _ => 0,
        });
        let pages = readable.iter().map(|it| {
            let messages = community.messages(it.id).count();
            // A page that is full may not have been the last.
            if messages == 0 { 0 } else { messages / 100 + 1 }
        });
        5 + 1 + lists.sum::<usize>() + pages.sum::<usize>()
    });
    assert_eq!(run.requests, expected as u64);
}

#[tokio::test]
async fn resuming_costs_the_page_that_was_lost_and_nothing_else() {
    let site = serve(Community::realistic(5, 20, 200)).await;
    let whole = rehearsal(&site).run().await;
    let resumed = rehearsal(&site).dying_over_every_page().run().await;
    assert_eq!(resumed.requests, 2 * whole.requests);
    assert_eq!((found(&[&resumed]), resumed.state), (site.look(truth), whole.state));
}

#[tokio::test]
async fn only_the_channels_that_were_chosen_are_read_and_their_threads() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        let other = community.add_channel(Kind::Text, "other");
        community.post(other, ada, "Not chosen");
        let begun = community.post(general, ada, "Chosen");
        let thread = community.start_thread(begun, "In depth");
        community.post(thread, ada, "Chosen too");
    });
    let run = rehearsal(&site).units(&[&general.to_string()]).run().await;
    let said: Vec<_> = found(&[&run]).into_values().map(|it| it.said).collect();
    assert_eq!(said, ["Hello!", "Hello Ada", "Chosen", "Chosen too"]);
}

#[tokio::test]
async fn a_run_goes_like_this() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        let begun = community.message(community.channel(general).last_message.expect("one")).id;
        let thread = community.start_thread(begun, "Manners");
        community.post(thread, ada, "Well");
        community.archive(thread);
    });
    assert_snapshot!(rehearsal(&site).run().await, @r#"
    the run -> 2 streams
    {"stream":"guild"} -> done: 0 records, 3 new streams
    {"after":null,"began":"2024-01-08T09:00:15Z","page":1,"since":null,"stream":"members"} -> done: 3 records
    {"newest":"1193841575067648012","page":1,"part":"newest","place":{"channel":{"id":"1193841566679040010","name":"general"}},"stream":"messages"} -> done: 2 records
    {"archive":"public","channel":{"id":"1193841566679040010","name":"general"},"page":1,"since":null,"stream":"threads"} -> done: 0 records, 1 new stream
    {"archive":"joined_private","channel":{"id":"1193841566679040010","name":"general"},"page":1,"since":null,"stream":"threads"} -> done: 0 records
    {"newest":"1193841583456256014","page":1,"part":"newest","place":{"channel":{"id":"1193841566679040010","name":"general"},"thread":{"id":"1193841575067648012","name":"Manners"}},"stream":"messages"} -> done: 1 record
    the run -> processed
    "#);
}

#[tokio::test]
async fn a_message_becomes_this() {
    let Small { site, ada, ben, general } = Small::start().await;
    let id = site.edit(|community| {
        community.user_mut(ada).global_name = Some("Ada L.".to_owned());
        community.user_mut(ada).avatar = Some("cafe".to_owned());
        let first = community.messages(general).next().expect("one").id;
        let id = community.reply(first, ada, &format!("<@!{ben}> <@{ben}>: a < b\n**bold**"));
        let message = community.message_mut(id);
        message.mentions.push(ben);
        message.has_attachment = true;
        message.reactions = 2;
        id
    });
    let run = rehearsal(&site).run().await;
    let activity = run.activities().find(|activity| activity.source_id == id.to_string());
    assert_json_snapshot!(activity, @r#"
    {
      "platform": "discord",
      "kind": "message",
      "source_id": "1193841579261952013",
      "source_parent_id": "1193841570873344011",
      "timestamp": "2024-01-08T09:00:13Z",
      "title": null,
      "body": "@ben @ben: a < b\n**bold**",
      "url": "https://discordapp.com/channels/1193841528930304001/1193841566679040010/1193841579261952013",
      "channel": "general",
      "attributes": {
        "attachments": [
          {
            "content_type": "image/png",
            "filename": "mill.png",
            "id": "1193841579261952013",
            "size": 51200,
            "url": "https://cdn.discordapp.com/attachments/1193841566679040010/1193841579261952013/mill.png"
          }
        ],
        "forum": false,
        "reactions": [
          {
            "count": 2,
            "emoji": {
              "id": null,
              "name": "🔥"
            }
          }
        ],
        "thread": false
      },
      "score": 6,
      "is_contribution": true,
      "member": {
        "identity": {
          "platform": "discord",
          "username": "ada",
          "source_id": "1193841549901824006"
        },
        "display_name": "Ada L.",
        "emails": [],
        "joined_at": null,
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
async fn what_looks_like_html_is_text_and_stays() {
    let Small { site, ada, general, .. } = Small::start().await;
    let said = "Vec<String> & <b>not bold</b> <t:1700000000:R> 1 < 2";
    site.edit(|community| community.post(general, ada, said));
    let run = rehearsal(&site).run().await;
    assert!(found(&[&run]).values().any(|message| message.said == said));
}

#[tokio::test]
async fn a_message_in_a_thread_answers_the_thread_and_the_first_of_a_post_nothing() {
    let Small { site, ada, ben, general } = Small::start().await;
    let (thread, post, first) = site.edit(|community| {
        let begun = community.post(general, ada, "About manners");
        let thread = community.start_thread(begun, "Manners");
        let first = community.post(thread, ben, "Yes?");
        community.reply(first, ada, "No.");
        let forum = community.add_channel(Kind::Forum, "help");
        let post = community.start_post(forum, ada, "Help!", "It stopped");
        community.post(post, ben, "What did?");
        (thread, post, first)
    });
    let run = rehearsal(&site).run().await;
    let found = found(&[&run]);
    let parent = |said: &str| {
        let message = found.values().find(|it| it.said == said).expect("a message");
        message.parent.clone()
    };
    let (thread, post) = (Some(thread.to_string()), Some(post.to_string()));
    assert_eq!(parent("About manners"), None);
    assert_eq!((parent("Yes?"), parent("No.")), (thread.clone(), thread));
    assert_ne!(parent("No."), Some(first.to_string()));
    assert_eq!((parent("It stopped"), parent("What did?")), (None, post));
    let forum = run.activities().find(|it| it.body.as_deref() == Some("What did?"));
    let attributes = &forum.expect("it").attributes;
    assert_eq!(
        (&attributes["forum"], &attributes["childChannel"]),
        (&json!(true), &json!("Help!"))
    );
}

#[tokio::test]
async fn bots_webhooks_and_what_merely_happened_are_left_out() {
    let Small { site, ada, general, .. } = Small::start().await;
    site.edit(|community| {
        let bot = community.bot;
        community.post(general, bot, "I am a bot");
        community.write(general, ada, MessageKind::Webhook, "I am a webhook");
        community.write(general, ada, MessageKind::Welcome, "");
    });
    let run = rehearsal(&site).run().await;
    assert_eq!(found(&[&run]).len(), 2);
    assert_eq!(joins(&[&run]).len(), 3, "the owner, Ada and Ben");
}
