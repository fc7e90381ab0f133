//! What is told of people who are known: their reach, and whom they work for.

use shared::domain::{Member, Operation, Organization};
use shared::sdk::{Directory, KnownAccount, SyncError};
use shared::store::TenantMembers;
use sqlx::PgPool;

use crate::ground::Ground;
use crate::records::{account, members, person};

const REACH: &str =
    "select display_name || ' ' || reach || ' ' || attributes from members order by 1";

fn update(updated: impl IntoIterator<Item = Member>) -> Vec<Operation> {
    vec![Operation::UpdateMembers(updated.into_iter().collect())]
}

fn reaching(mut member: Member, followers: i64) -> Member {
    member.reach = [("toy".to_owned(), followers)].into();
    member
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_update_reaches_those_who_are_known_and_adds_nobody(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let known = [person("Ada", "ada", "1"), person("Bob", "bob", None), person("Cy", "cy", "3")];
    held.commit(members(known)).await;

    let renamed = reaching(account("countess", "1"), 5);
    let by_name = reaching(account("bob", "2"), 7).attribute("bio", Some("builder"));
    let another_cy = reaching(account("cy", "4"), 9);
    let stranger = reaching(account("dan", None), 11);
    held.commit(update([renamed, by_name, another_cy, stranger])).await;

    assert_eq!(
        ground.lines(REACH).await,
        [
            r#"Ada {"toy": 5, "total": 5} {}"#,
            r#"Bob {"toy": 7, "total": 7} {"bio": {"toy": "builder"}}"#,
            "Cy {} {}",
        ]
    );
    let names = "select username from member_identities order by 1";
    assert_eq!(ground.lines(names).await, ["ada", "bob", "cy"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_update_that_says_nothing_new_writes_no_member(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(members([reaching(person("Ada", "ada", "1"), 5)])).await;
    let written = "select xmin::text from members";
    let before = ground.lines(written).await;

    held.commit(update([reaching(account("ada", "1"), 5)])).await;
    assert_eq!(ground.lines(written).await, before);
    held.commit(update([reaching(account("ada", "1"), 6)])).await;
    assert_ne!(ground.lines(written).await, before);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn another_tenants_members_are_neither_updated_nor_found(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let rival = ground.of_another_tenant().await;
    ground.hold().await.commit(members([person("Ada", "ada", "1")])).await;

    rival.hold().await.commit(update([reaching(account("ada", "1"), 5)])).await;

    assert_eq!(ground.lines(REACH).await, ["Ada {} {}"]);
    let theirs = TenantMembers::of(&rival.store, rival.tenant);
    assert_eq!(theirs.accounts("toy", None, 10).await.unwrap(), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn known_accounts_are_found_page_by_page_by_their_names(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let nameless = account("", "9");
    let known = ["dan", "ada", "cy"].map(|name| reaching(account(name, name), 3));
    ground.hold().await.commit(members(known.into_iter().chain([nameless]))).await;
    let members = TenantMembers::of(&ground.store, ground.tenant);
    let account = |name: &str| KnownAccount {
        username: name.into(),
        source_id: Some(name.into()),
        reach: Some(3),
    };

    assert_eq!(members.accounts("toy", None, 2).await.unwrap(), ["ada", "cy"].map(account));
    assert_eq!(members.accounts("toy", Some("cy"), 2).await.unwrap(), [account("dan")]);
    assert_eq!(members.accounts("devto", None, 2).await.unwrap(), []);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_look_at_known_accounts_waits_for_a_database_that_is_away(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let members = TenantMembers::of(&ground.store, ground.tenant);
    ground.store.pool().close().await;
    let looked = members.accounts("toy", None, 2).await;
    assert!(matches!(looked, Err(SyncError::RateLimited { .. })), "{looked:?}");
}

fn works_for(name: &str, organization: &str) -> Member {
    Member { organizations: [organization.to_owned()].into(), ..account(name, None) }
}

fn told(organizations: impl IntoIterator<Item = Organization>) -> Vec<Operation> {
    vec![Operation::UpsertOrganizations(organizations.into_iter().collect())]
}

fn engines(location: Option<&str>) -> Organization {
    let location = location.map(str::to_owned);
    Organization { location, url: Some(String::new()), ..Organization::named(" Engines ") }
}

const BELONGING: &str = "
    select concat_ws(' ', o.name, o.location, o.url, i.username)
    from organizations o
    left join member_organizations b on b.organization_id = o.id
    left join member_identities i on i.member_id = b.member_id
    order by 1";

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn people_who_work_for_the_same_organization_share_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;

    held.commit(members([works_for("ada", "Engines"), works_for("bob", " Engines ")])).await;
    held.commit(told([engines(Some("London"))])).await;
    held.commit(told([engines(None)])).await;
    held.commit(members([works_for("ada", "Engines"), works_for("cy", " ")])).await;

    assert_eq!(ground.lines(BELONGING).await, ["Engines London ada", "Engines London bob"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_organization_may_be_told_of_before_anybody_belongs_to_it(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let page =
        told([engines(Some("London")), Organization::named("Looms"), Organization::named("")]);
    let page = [page, members([works_for("ada", "Looms")])].concat();
    held.commit(page).await;
    assert_eq!(ground.lines(BELONGING).await, ["Engines London", "Looms ada"]);
    held.commit(members([works_for("bob", "Engines")])).await;
    assert_eq!(ground.lines(BELONGING).await, ["Engines London bob", "Looms ada"]);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn an_organization_of_which_nothing_new_is_said_is_not_written(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    held.commit(told([engines(Some("London"))])).await;
    let written = "select xmin::text from organizations";
    let before = ground.lines(written).await;

    held.commit(members([works_for("ada", "Engines")])).await;
    held.commit(told([engines(None), engines(Some("London"))])).await;
    assert_eq!(ground.lines(written).await, before);
    held.commit(told([engines(Some("Turin"))])).await;
    assert_ne!(ground.lines(written).await, before);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn what_a_page_leaves_is_there_at_the_end_of_its_run(pool: PgPool) {
    let ground = Ground::on(pool).await;
    let held = ground.hold().await;
    let source = held.take().await;
    let page = shared::store::Page { mark: Some("new\0est: 7".into()), ..Default::default() };
    held.store.commit_page(source, &page).await.unwrap();
    held.commit(members([account("ada", None)])).await;

    let ended = held.store.ended_streams(held.lease.run_id).await.unwrap();

    let marks: Vec<_> = ended.iter().map(|ended| ended.mark.as_deref()).collect();
    assert_eq!(marks, [Some("newest: 7"), None]);
    assert!(ended.iter().all(|ended| !ended.failed));
}
