//! The command line itself.

use insta::assert_snapshot;
use sqlx::PgPool;

use crate::millrace::Millrace;

/// A place where no database is: it is not asked.
const NOWHERE: &str = "postgres://nobody@127.0.0.1:1/nothing";

#[tokio::test]
async fn the_help_is_a_table_of_the_commands() {
    let help = Millrace::at(NOWHERE).run(&["--help"]).await.ok();
    assert_snapshot!(help, @"
    Keeps integrations in sync, and tells how they are

    Usage: millrace <COMMAND>

    Commands:
      demo                 Show whole onboardings on this machine alone, on simulated platforms
      dev                  Run both services and a database of their own, until Ctrl-C
      migrate              Bring the database's schema up to this version
      tenants              Customers, and the tokens that let them in
      credentials          What lets integrations in, sealed by master keys
      connect              Connect a tenant to a platform, and start the onboarding
      discover             List what could be synced with these settings: channels, repositories, …
      integrations         What tenants have connected; pause, resume and delete it
      runs                 Runs, newest first
      run                  All about one run, or its progress until it ends
      process-integration  Start a run of each of these integrations, or join the live one
      continue-run         Go on with runs: what failed in them is tried again, what waits is due
      process-stream       Step these streams again, whatever became of them
      dead-letters         Messages that were given up; send them again
      bench                Measure the engine against the same work without one
      help                 Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[tokio::test]
async fn a_command_called_bare_prints_its_help() {
    let millrace = Millrace::at(NOWHERE);
    for command in [
        &["connect"][..],
        &["continue-run"],
        &["dead-letters"],
        &["integrations", "pause"],
        &["process-integration"],
        &["process-stream"],
        &["run"],
        &["tenants"],
        &["tenants", "create"],
        &[],
    ] {
        let help = millrace.run(command).await.refusal(2);
        let usage = format!("Usage: {} ", [&["millrace"], command].concat().join(" "));
        assert!(help.contains(&usage), "`{usage}` is missing in:\n{help}");
        assert!(!help.contains("error:"), "{help}");
    }
}

#[tokio::test]
async fn a_command_that_lacks_an_argument_says_which() {
    let millrace = Millrace::at(NOWHERE);
    let refusal = millrace.run(&["connect", "devto", "--tenant", "acme"]).await.refusal(2);
    assert!(refusal.contains("<--settings <JSON>|--settings-file <FILE>>"), "{refusal}");
    let refusal = millrace.run(&["process-integration", "--onboarding"]).await.refusal(2);
    assert!(refusal.contains("--integration <ID>|--kind <KIND>"), "{refusal}");
}

#[tokio::test]
async fn every_mistake_in_the_configuration_is_named_at_once() {
    let arguments = ["process-integration", "-p", "devto", "--visibility-seconds", "soon"];
    let refusal = Millrace::at("mysql://elsewhere").run(&arguments).await.refusal(2);
    assert!(refusal.contains("--database-url: must begin with postgres://"), "{refusal}");
    assert!(refusal.contains("--visibility-seconds: `soon` is not valid"), "{refusal}");
}

#[sqlx::test(migrations = false)]
async fn a_database_without_the_schema_says_how_to_make_it(pool: PgPool) {
    let refusal = Millrace::on(&pool).run(&["tenants", "list"]).await.refusal(1);
    assert!(refusal.contains("`millrace migrate`"), "{refusal}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_an_error_at_once() {
    let refusal = Millrace::at(NOWHERE).run(&["runs"]).await.refusal(1);
    assert!(refusal.contains("the database is not there: "), "{refusal}");
    assert!(refusal.contains("Connection refused"), "{refusal}");
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_reader_who_has_seen_enough_is_no_failure(pool: PgPool) {
    let listing = Millrace::on(&pool).run_unread(&["runs"]).await;
    assert_eq!((listing.code, listing.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_reader_of_the_help_who_has_seen_enough_is_no_panic() {
    let unheard = Millrace::at(NOWHERE).run_unheard(&["process-stream"]).await;
    assert_eq!(unheard.code, Some(2));
}

#[tokio::test]
async fn what_measures_nothing_is_a_mistake() {
    let refusal = Millrace::at(NOWHERE).run(&["bench", "--rounds", "0"]).await.refusal(2);
    assert!(refusal.contains("'--rounds <ROUNDS>'"), "{refusal}");
}
