//! Children find their parents, whichever of the two comes first, and by whichever way.

use shared::domain::Activity;
use shared::store::{Page, Result};
use sqlx::PgPool;
use tokio::task::JoinHandle;

use crate::gate::{Gate, in_time};
use crate::ground::{Ground, Held, counted};
use crate::records::{account, activities, comment, reply};

/// Each child with its parent.
async fn families(ground: &Ground) -> Vec<String> {
    ground
        .lines(
            "select child.source_id || ' answers ' || parent.source_id
             from activities child join activities parent on parent.id = child.parent_id
             order by 1",
        )
        .await
}

async fn finish(held: &Held) {
    held.store.finish_run(held.lease, None, 0).await.unwrap();
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_child_finds_its_parent_in_the_same_page_whatever_their_order(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(activities([reply("a2", "a1"), reply("a3", "a2"), comment("a1")])).await;

    assert_eq!(families(&ground).await, ["a2 answers a1", "a3 answers a2"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_child_finds_its_parent_in_an_earlier_and_in_a_later_page(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(activities([reply("c", "b")])).await;
    assert!(families(&ground).await.is_empty());
    held.commit(activities([reply("b", "a")])).await;
    held.commit(activities([comment("a")])).await;
    held.commit(activities([reply("d", "a")])).await;

    assert_eq!(families(&ground).await, ["b answers a", "c answers b", "d answers a"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_child_finds_its_parent_in_another_run_and_never_at_another_tenants(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let rival = ground.of_another_tenant().await;
    let (one, other) = (ground.hold().await, ground.hold().await);
    let theirs = rival.hold().await;

    one.commit(activities([reply("c", "p"), reply("e", "q")])).await;
    finish(&one).await;
    theirs.commit(activities([comment("p"), comment("q")])).await;
    finish(&theirs).await;
    let elsewhere = Activity { platform: "elsewhere".into(), ..comment("q") };
    other.commit(activities([comment("p"), elsewhere])).await;
    finish(&other).await;

    assert_eq!(families(&ground).await, ["c answers p"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_parent_may_be_on_another_platform_than_its_child(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let commit = |id: &str, to: &str| Activity {
        platform: "git".into(),
        source_parent_platform: Some("toy".into()),
        ..reply(id, to)
    };
    let namesake = |id: &str| Activity { platform: "git".into(), ..comment(id) };

    held.commit(activities([commit("early", "p")])).await;
    held.commit(activities([namesake("p")])).await;
    assert!(families(&ground).await.is_empty(), "of that name on the child's own platform");
    held.commit(activities([comment("p"), commit("beside", "p")])).await;
    held.commit(activities([commit("late", "p"), commit("itself", "itself")])).await;
    held.commit(activities([comment("itself")])).await;

    let tied = ["beside answers p", "early answers p", "itself answers itself", "late answers p"];
    assert_eq!(families(&ground).await, tied);
    held.commit(activities([Activity { platform: "git".into(), ..reply("late", "p") }])).await;
    assert_eq!(families(&ground).await.len(), 4, "it has moved to the namesake");
    let on = "select parent.platform from activities child
              join activities parent on parent.id = child.parent_id where child.source_id = 'late'";
    assert_eq!(ground.lines(on).await, ["git"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn nothing_is_its_own_parent(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    // As some platforms say of the first message of a thread.
    held.commit(activities([reply("root", "root"), reply("answer", "root")])).await;
    held.commit(activities([reply("root", "root")])).await;
    finish(&held).await;

    assert_eq!(families(&ground).await, ["answer answers root"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_empty_parent_is_none(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(activities([comment(""), reply("c", "")])).await;

    assert!(families(&ground).await.is_empty());
    let waiting = "select source_id from activities where source_parent_id is not null";
    assert!(ground.lines(waiting).await.is_empty());
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_child_that_moved_to_another_parent_is_moved(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([comment("p"), comment("q"), reply("c", "p"), reply("d", "p")])).await;

    held.commit(activities([reply("c", "q"), reply("d", "not there yet")])).await;
    assert_eq!(families(&ground).await, ["c answers q"]);

    held.commit(activities([comment("not there yet")])).await;
    assert_eq!(families(&ground).await, ["c answers q", "d answers not there yet"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn whose_parent_is_found_is_noted_as_changed(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(activities([reply("c", "p")])).await;

    ground.clock.advance(std::time::Duration::from_secs(60));
    held.commit(activities([comment("p")])).await;

    let later = "select source_id from activities where updated_at > created_at";
    assert_eq!(ground.lines(later).await, ["c"]);
}

/// Commits a child and its parent in two transactions of which neither sees the other.
async fn commit_side_by_side(ground: &Ground, child: &Held, parent: &Held) {
    // By somebody else: two pages about one person wait for each other.
    let said = Activity { member: account("bob", None), ..reply("c", "p") };
    let held_up = HeldUp::committing(ground, child, said).await;
    parent.commit(activities([comment("p")])).await;
    held_up.go_on().await;
    assert!(families(ground).await.is_empty(), "neither saw the other");
}

/// A page of one activity that has done everything but commit.
struct HeldUp {
    gate: Gate,
    committing: JoinHandle<Result<()>>,
}

impl HeldUp {
    async fn committing(ground: &Ground, held: &Held, activity: Activity) -> Self {
        let source = held.take().await;
        // Spending quota is the last thing a page does.
        let spends = counted("held up");
        let page = Page { operations: activities([activity]), spends, ..Page::default() };
        let gate = Gate::before_committing(ground, "quota_ledger", "new.owner = 'held up'").await;
        let store = ground.store.clone();
        let committing = tokio::spawn(async move { store.commit_page(source, &page).await });
        gate.until_waiting(1).await;
        Self { gate, committing }
    }

    async fn go_on(self) {
        self.gate.open().await;
        self.committing.await.unwrap().unwrap();
    }
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_child_and_a_parent_committed_at_one_moment_are_tied_at_the_last_finish(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (child, parent) = (ground.hold().await, ground.hold().await);
    finish(&ground.hold().await).await;
    commit_side_by_side(&ground, &child, &parent).await;

    finish(&parent).await;

    assert_eq!(families(&ground).await, ["c answers p"]);
    finish(&child).await;
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_run_that_fails_last_ties_them_as_well(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    commit_side_by_side(&ground, &held, &held).await;

    let failure = shared::store::RunFailure { error: "on fire".into(), needs_reconnect: false };
    held.store.fail_run(held.lease, &failure, 0).await.unwrap();

    assert_eq!(families(&ground).await, ["c answers p"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_finish_does_not_wait_for_a_child_that_a_page_is_writing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (one, other) = (ground.hold().await, ground.hold().await);
    commit_side_by_side(&ground, &one, &one).await;
    let edited =
        Activity { title: Some("edited".into()), member: account("bob", None), ..reply("c", "p") };
    let held_up = HeldUp::committing(&ground, &other, edited).await;

    in_time(finish(&one)).await;

    held_up.go_on().await;
    assert_eq!(families(&ground).await, ["c answers p"], "the page that wrote it tied it");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_parent_does_not_wait_for_a_child_that_another_page_is_writing(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let child = Activity { member: account("bob", None), ..reply("c", "p") };
    held.commit(activities([child.clone()])).await;
    let held_up = HeldUp::committing(&ground, &held, child).await;

    in_time(held.commit(activities([comment("p")]))).await;

    held_up.go_on().await;
    assert!(families(&ground).await.is_empty());
    finish(&held).await;
    assert_eq!(families(&ground).await, ["c answers p"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_parent_that_another_page_stores_at_that_moment_is_the_parent(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let (one, other) = (ground.hold().await, ground.hold().await);
    // Two pages that both add a person wait for each other before they come to what was done.
    one.commit(activities([comment("earlier")])).await;
    let held_up = HeldUp::committing(&ground, &one, comment("p")).await;

    let both =
        tokio::spawn(
            async move { other.commit(activities([comment("p"), reply("c", "p")])).await },
        );
    held_up.gate.until_waiting(2).await;
    held_up.go_on().await;

    both.await.unwrap();
    assert_eq!(families(&ground).await, ["c answers p"]);
}
