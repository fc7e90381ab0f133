use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use sandbox::postgres::{Binaries, Cluster};
use sandbox::process::{Signal, until_ready};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

type Result<T = ()> = anyhow::Result<T>;

/// The root of a clone of Millrace.
struct Clone {
    root: TempDir,
}

impl Clone {
    /// One that the server's user can reach.
    fn new() -> Result<Self> {
        Self::with_mode(0o755)
    }

    fn with_mode(mode: u32) -> Result<Self> {
        let root = tempfile::tempdir()?;
        fs::set_permissions(root.path(), Permissions::from_mode(mode))?;
        Ok(Self { root })
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join(".millrace/postgres")
    }
}

async fn connect(cluster: &Cluster, database: &str) -> Result<PgConnection> {
    Ok(PgConnection::connect(&cluster.url(database)).await?)
}

async fn run(cluster: &Cluster, sql: &'static str) -> Result {
    sqlx::raw_sql(sql).execute(&mut connect(cluster, "postgres").await?).await?;
    Ok(())
}

async fn number(cluster: &Cluster, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(&mut connect(cluster, "postgres").await?).await?)
}

fn nobody_listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

#[tokio::test]
async fn a_database_is_made_once_however_often_it_is_asked_for() -> Result {
    let cluster = Cluster::temporary()?;
    cluster.create_database("acme")?;
    cluster.create_database("acme")?;
    connect(&cluster, "acme").await?;
    assert!(cluster.create_database(r#"acme" template "x"#).is_err());
    Ok(())
}

#[tokio::test]
async fn what_was_committed_survives_an_immediate_stop_and_a_start_on_the_same_port() -> Result {
    let clone = Clone::new()?;
    let mut cluster = Cluster::start(&clone.directory())?;
    let port = cluster.port();
    run(&cluster, "create table kept as select 42::bigint as answer").await?;

    cluster.stop_immediately()?;
    assert!(nobody_listens(port));
    assert_eq!(cluster.pid(), None);
    cluster.start_again()?;

    assert_eq!(cluster.port(), port);
    assert_eq!(number(&cluster, "select answer from kept").await?, 42);
    Ok(())
}

#[tokio::test]
async fn a_server_that_was_killed_can_be_started_again() -> Result {
    let clone = Clone::new()?;
    let mut cluster = Cluster::start(&clone.directory())?;
    run(&cluster, "create table kept as select 42::bigint as answer").await?;
    let pid = cluster.pid().expect("it runs");
    kill(Pid::from_raw(pid as i32), Signal::SIGKILL)?;
    cluster.stop()?;
    cluster.start_again()?;
    assert_eq!(number(&cluster, "select answer from kept").await?, 42);
    Ok(())
}

#[tokio::test]
async fn a_persistent_cluster_is_found_again_by_the_next_process() -> Result {
    let clone = Clone::new()?;
    let cluster = Cluster::start(&clone.directory())?;
    run(&cluster, "create table kept as select 42::bigint as answer").await?;
    let port = cluster.port();
    drop(cluster);
    assert!(nobody_listens(port));

    let cluster = Cluster::start(&clone.directory())?;
    assert_eq!(number(&cluster, "select answer from kept").await?, 42);
    Ok(())
}

#[tokio::test]
async fn the_pid_file_of_a_dead_server_is_in_nobodys_way() -> Result {
    let clone = Clone::new()?;
    let mut cluster = Cluster::start(&clone.directory())?;
    let pid_file = clone.directory().join("data/postmaster.pid");
    let left_behind = fs::read_to_string(&pid_file)?;
    let pid = cluster.pid().expect("it runs").to_string();
    cluster.stop()?;
    drop(cluster);
    // As after a reboot, when the number belongs to another process: to this one.
    fs::write(&pid_file, left_behind.replacen(&pid, &std::process::id().to_string(), 1))?;

    assert_eq!(number(&Cluster::start(&clone.directory())?, "select 1::bigint").await?, 1);
    Ok(())
}

#[tokio::test]
async fn the_second_to_come_is_a_guest_and_leaves_the_server_running() -> Result {
    let clone = Clone::new()?;
    let owner = Cluster::start(&clone.directory())?;
    let mut guest = Cluster::start(&clone.directory())?;
    assert!(guest.is_guest() && !owner.is_guest());
    assert_eq!(guest.url("postgres"), owner.url("postgres"));

    guest.stop()?;
    drop(guest);
    assert_eq!(number(&owner, "select 1::bigint").await?, 1);
    Ok(())
}

#[test]
fn a_guest_that_comes_when_the_owner_has_gone_becomes_the_owner() -> Result {
    let clone = Clone::new()?;
    drop(Cluster::start(&clone.directory())?);
    assert!(!Cluster::start(&clone.directory())?.is_guest());
    Ok(())
}

#[tokio::test]
async fn two_clusters_run_side_by_side_and_share_nothing() -> Result {
    let (here, there) = (Clone::new()?, Clone::new()?);
    let first = Cluster::start(&here.directory())?;
    let second = Cluster::start(&there.directory())?;
    let third = Cluster::temporary()?;
    run(&first, "create table mine ()").await?;
    let tables = "select count(*) from pg_tables where tablename = 'mine'";
    assert_eq!(number(&first, tables).await?, 1);
    assert_eq!(number(&second, tables).await?, 0);
    assert_eq!(number(&third, tables).await?, 0);
    Ok(())
}

#[tokio::test]
async fn nobody_gets_in_without_the_password() -> Result {
    let cluster = Cluster::temporary()?;
    let keyless = format!("postgres://millrace@127.0.0.1:{}/postgres", cluster.port());
    assert!(PgConnection::connect(&keyless).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_temporary_cluster_leaves_nothing_behind() -> Result {
    let cluster = Cluster::temporary()?;
    let port = cluster.port();
    let mut connection = connect(&cluster, "postgres").await?;
    let data: String = sqlx::query_scalar("show data_directory").fetch_one(&mut connection).await?;
    drop(connection);
    assert!(Path::new(&data).exists());

    drop(cluster);
    assert!(nobody_listens(port));
    assert!(!Path::new(&data).parent().expect("its home").exists());
    Ok(())
}

#[tokio::test]
async fn an_interrupted_initdb_is_not_taken_for_a_cluster() -> Result {
    let clone = Clone::new()?;
    fs::create_dir_all(clone.directory().join("unfinished/base"))?;
    assert_eq!(number(&Cluster::start(&clone.directory())?, "select 1::bigint").await?, 1);
    Ok(())
}

#[test]
fn a_server_that_cannot_start_says_why_in_the_error() -> Result {
    let clone = Clone::new()?;
    drop(Cluster::start(&clone.directory())?);
    fs::write(clone.directory().join("data/PG_VERSION"), "7\n")?;
    let error = Cluster::start(&clone.directory()).err().expect("no server reads that");
    assert!(format!("{error:#}").contains("initialized by PostgreSQL version 7"), "{error:#}");
    Ok(())
}

/// Only root has a home that the server's user cannot enter.
#[tokio::test]
async fn a_clone_out_of_the_servers_reach_gets_a_link_to_its_cluster() -> Result {
    if !nix::unistd::Uid::effective().is_root() {
        return Ok(());
    }
    let clone = Clone::with_mode(0o700)?;
    let directory = clone.directory();
    let cluster = Cluster::start(&directory)?;
    run(&cluster, "create table kept as select 42::bigint as answer").await?;
    drop(cluster);
    let elsewhere = fs::read_link(&directory)?;

    let cluster = Cluster::start(&directory)?;
    assert_eq!(number(&cluster, "select answer from kept").await?, 42);
    drop(cluster);

    // A new clone in the same place does not see the old one's data.
    fs::remove_file(&directory)?;
    let cluster = Cluster::start(&directory)?;
    assert_eq!(fs::read_link(&directory)?, elsewhere);
    assert_eq!(
        number(&cluster, "select count(*) from pg_tables where tablename = 'kept'").await?,
        0
    );
    drop(cluster);
    fs::remove_dir_all(&elsewhere)?;
    // Goes too if no other clone's cluster is in it.
    let _ = fs::remove_dir(elsewhere.parent().expect("/var/lib/millrace"));
    Ok(())
}

#[tokio::test]
async fn the_programs_may_be_named_by_hand() -> Result {
    let real = Binaries::find(None)?;
    let ours = Clone::new()?;
    let bin = ours.root.path().join("bin");
    symlink(real.directory(), &bin)?;
    let cluster = Cluster::temporary_with(Binaries::find(Some(&bin))?)?;
    assert_eq!(cluster.binaries().directory(), bin);
    assert_eq!(number(&cluster, "select 1::bigint").await?, 1);
    Ok(())
}

#[tokio::test]
async fn files_run_in_one_transaction_each() -> Result {
    let cluster = Cluster::temporary()?;
    let ours = Clone::new()?;
    let file = ours.root.path().join("0001.sql");
    fs::write(&file, "create table a (); create table b (); select broken")?;
    assert!(cluster.run_file("postgres", &file).is_err());
    let tables = "select count(*) from pg_tables where tablename in ('a', 'b')";
    assert_eq!(number(&cluster, tables).await?, 0);
    Ok(())
}

#[tokio::test]
async fn many_may_connect_at_once() -> Result {
    let cluster = Cluster::temporary()?;
    let mut connections = Vec::new();
    for _ in 0..120 {
        connections.push(connect(&cluster, "postgres").await?);
    }
    let mut last = connections.pop().expect("one of them");
    let open: i64 =
        sqlx::query_scalar("select count(*) from pg_stat_activity where usename = 'millrace'")
            .fetch_one(&mut last)
            .await?;
    assert!(open >= 120, "{open}");
    Ok(())
}

#[test]
fn an_orphaned_server_is_stopped_before_the_next_one_starts() -> Result {
    let clone = Clone::new()?;
    let owner = Cluster::start(&clone.directory())?;
    let orphan = owner.pid().expect("it runs");
    // The lock's file replaced: to the next one it looks as if the owner had died.
    fs::remove_file(clone.directory().with_extension("lock"))?;
    let heir = Cluster::start(&clone.directory())?;
    assert!(!heir.is_guest());
    assert_ne!(heir.pid(), Some(orphan));
    until_ready("the orphan to go", Duration::from_secs(10), || {
        Ok(nobody_listens(owner.port()).then_some(()))
    })
}
