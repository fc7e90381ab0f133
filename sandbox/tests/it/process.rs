use std::process::Command;
use std::time::Duration;

use sandbox::process::{ChildProcess, Signal};

type Result<T = ()> = anyhow::Result<T>;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_line_that_was_printed_is_found() -> Result {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    let mut child = ChildProcess::start(shell("echo port 4711; exec cat /dev/zero >&-"), &log)?;
    assert_eq!(child.line_with("port", SOON)?, "port 4711");
    Ok(())
}

#[test]
fn a_child_that_dies_early_is_quoted_in_the_error() -> Result {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    let mut child = ChildProcess::start(shell("echo no such table >&2; exit 3"), &log)?;
    let error = child.line_with("ready", SOON).expect_err("it never is").to_string();
    assert!(error.contains("no such table") && error.contains("exit status: 3"), "{error}");
    Ok(())
}

#[test]
fn what_an_earlier_child_printed_is_not_taken_for_this_ones() -> Result {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    ChildProcess::start(shell("echo first"), &log)?.line_with("first", SOON)?;
    let mut second = ChildProcess::start(shell("echo second"), &log)?;
    second.line_with("second", SOON)?;
    assert_eq!(second.printed()?, "second\n");
    Ok(())
}

#[tokio::test]
async fn a_signal_reaches_the_child_and_its_answer_comes_back() -> Result {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    let script = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done";
    let mut child = ChildProcess::start(shell(script), &log)?;
    child.line_with("ready", SOON)?;
    child.signal(Signal::SIGTERM)?;
    assert_eq!(child.stopped(SOON).await?.code(), Some(5));
    Ok(())
}

#[test]
fn killing_takes_the_childs_children_too() -> Result {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("log");
    let mut child = ChildProcess::start(shell("sleep 600 & echo child $!; wait"), &log)?;
    let line = child.line_with("child", SOON)?;
    let grandchild: i32 = line.trim_start_matches("child ").parse()?;
    child.kill()?;
    sandbox::process::until_ready("the grandchild to go", SOON, || {
        Ok(gone(grandchild).then_some(()))
    })
}

#[test]
fn a_stopped_child_cannot_be_signalled() -> Result {
    let directory = tempfile::tempdir()?;
    let mut child = ChildProcess::start(shell("exit 0"), &directory.path().join("log"))?;
    child.wait_until_stopped(SOON)?;
    assert!(child.signal(Signal::SIGTERM).is_err());
    Ok(())
}

/// Gone, or dead and waiting for whoever reaps orphans here.
fn gone(pid: i32) -> bool {
    let ps = Command::new("sh").args(["-c", &format!("kill -s 0 {pid}")]).output();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.contains(") Z ") || ps.is_ok_and(|ps| !ps.status.success())
}
