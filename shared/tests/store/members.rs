//! Who is who: an account is found by the platform's own id of it first, then by its name.

use shared::domain::{Activity, Identity, Member};
use sqlx::PgPool;

use crate::ground::Ground;
use crate::records::{account, activities, comment, members, person};

/// Each account as `<name>#<id>`, with its member's display name.
async fn accounts(ground: &Ground) -> Vec<String> {
    ground
        .lines(
            "select coalesce(i.username, '-') || '#' || coalesce(i.source_id, '-') || ' is ' || m.display_name
             from member_identities i join members m on m.id = i.member_id
             order by i.source_id, i.username, m.display_name",
        )
        .await
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_renamed_account_stays_one_member(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(members([person("Ada", "ada", "1")])).await;
    held.commit(members([person("Countess", "lovelace", "1")])).await;

    assert_eq!(accounts(&ground).await, ["lovelace#1 is Ada"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_account_renamed_within_a_page_bears_its_last_name(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(members([person("Ada", "ada", "1"), person("Countess", "lovelace", "1")])).await;

    assert_eq!(accounts(&ground).await, ["lovelace#1 is Ada"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_name_that_passed_to_another_account_is_taken_from_the_one_that_had_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(members([person("Ada", "ada", "1")])).await;
    held.commit(members([person("Bob", "ada", "2")])).await;
    assert_eq!(accounts(&ground).await, ["-#1 is Ada", "ada#2 is Bob"]);

    // The one that lost it is still known by its id, and gets another.
    held.commit(members([person("Countess", "lovelace", "1")])).await;
    assert_eq!(accounts(&ground).await, ["lovelace#1 is Ada", "ada#2 is Bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn two_accounts_that_swap_names_in_one_page_stay_who_they_are(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(members([person("Ada", "ada", "1"), person("Bob", "bob", "2")])).await;

    held.commit(members([person("A", "bob", "1"), person("B", "ada", "2")])).await;

    assert_eq!(accounts(&ground).await, ["bob#1 is Ada", "ada#2 is Bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn of_two_accounts_with_one_name_in_a_page_the_later_bears_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    // Between two records of the page the one gave the name up and the other took it.
    held.commit(members([person("Ada", "ada", "1"), person("Bob", "ada", "2")])).await;
    assert_eq!(accounts(&ground).await, ["-#1 is Ada", "ada#2 is Bob"]);

    // And back again.
    held.commit(members([account("ada", "2"), account("ada", "1")])).await;
    assert_eq!(accounts(&ground).await, ["ada#1 is Ada", "-#2 is Bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_account_known_only_by_name_adopts_the_id_it_is_first_seen_with(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(members([person("Ada", "ada", None)])).await;
    held.commit(members([person("Countess", "ada", "1")])).await;
    assert_eq!(accounts(&ground).await, ["ada#1 is Ada"]);

    // From here on it is known by its id, and found by its name alone as well.
    held.commit(members([person("Countess", "ada", None)])).await;
    assert_eq!(accounts(&ground).await, ["ada#1 is Ada"]);
    held.commit(members([person("Bob", "ada", "2")])).await;
    assert_eq!(accounts(&ground).await, ["-#1 is Ada", "ada#2 is Bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_account_mentioned_with_and_without_its_id_in_a_page_is_one(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    let mentions = [person("Ada", "ada", None), account("ada", "1"), account("ada", None)];
    held.commit(members(mentions)).await;

    assert_eq!(accounts(&ground).await, ["ada#1 is Ada"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_name_without_an_id_gives_way_to_an_account_that_is_known_and_takes_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(members([person("Somebody", "ada", None), person("Ada", "lovelace", "1")])).await;

    held.commit(members([account("ada", "1")])).await;

    // Names are unique on a platform: whoever is called so now is the account with the id.
    assert_eq!(accounts(&ground).await, ["ada#1 is Ada"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn nameless_accounts_are_told_apart_by_their_ids(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let page = || members([person("Gone", "", "1"), person("Deleted", "", "2")]);

    held.commit(page()).await;
    held.commit(page()).await;

    assert_eq!(accounts(&ground).await, ["-#1 is Gone", "-#2 is Deleted"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_empty_id_is_no_id(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(members([person("Ada", "ada", ""), person("Bob", "bob", "")])).await;

    assert_eq!(accounts(&ground).await, ["ada#- is Ada", "bob#- is Bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_name_on_another_platform_is_somebody_else(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let elsewhere = |member: Member| {
        let identity = Identity { platform: "elsewhere".into(), ..member.identity };
        Member { identity, ..member }
    };

    let here = [person("Ada", "ada", "1"), elsewhere(person("Another Ada", "ada", "1"))];
    held.commit(members(here)).await;

    assert_eq!(accounts(&ground).await, ["ada#1 is Ada", "ada#1 is Another Ada"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn tenants_never_see_each_others_members(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let rival = ground.of_another_tenant().await;
    let (ours, theirs) = (ground.hold().await, rival.hold().await);

    ours.commit(activities([Activity { member: person("Ada", "ada", "1"), ..comment("c") }])).await;
    let same_names = Activity { member: person("Bob", "ada", "1"), ..comment("c") };
    theirs.commit(activities([same_names])).await;
    theirs.commit(members([account("renamed", "1")])).await;

    let who = "select t.name || ' knows ' || i.username || ' as ' || m.display_name || ' who said ' || a.source_id
               from tenants t
               join member_identities i on i.tenant_id = t.id
               join members m on m.id = i.member_id and m.tenant_id = t.id
               join activities a on a.member_id = m.id and a.tenant_id = t.id
               order by 1";
    assert_eq!(
        ground.lines(who).await,
        ["acme knows ada as Ada who said c", "rival knows renamed as Bob who said c"]
    );
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn whom_a_thing_was_done_to_is_a_member_like_any_other(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let assigned = |by: &str, to: &str| Activity {
        kind: "assigned".into(),
        member: person(by, by, None),
        object_member: Some(person(to, to, None)),
        ..comment(&format!("{by} to {to}"))
    };

    held.commit(activities([assigned("ada", "bob"), assigned("bob", "bob")])).await;
    // Who did it is what a later page knows; to whom, it may not know.
    let forgetful = Activity { object_member: None, ..assigned("ada", "bob") };
    held.commit(activities([forgetful])).await;

    let who = "select m.display_name || ' assigned ' || o.display_name
               from activities a join members m on m.id = a.member_id join members o on o.id = a.object_member_id
               order by 1";
    assert_eq!(ground.lines(who).await, ["ada assigned bob", "bob assigned bob"]);
    assert_eq!(accounts(&ground).await, ["ada#- is ada", "bob#- is bob"]);
    let joined = "select display_name || ' ' || (joined_at is null) from members order by 1";
    assert_eq!(ground.lines(joined).await, ["ada false", "bob false"], "bob did something, too");
}
