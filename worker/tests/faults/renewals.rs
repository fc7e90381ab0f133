//! Workers killed over the renewal of a credential. What the platform has not heard of, another does.
//! What it answered in vain nobody can get again: then the tenant is asked, once, and nothing else is
//! lost.

use std::time::Duration;

use sandbox::twitter::Fault;
use sqlx::PgPool;

use crate::harness::{Service, Stage, until};

const SOON: Duration = Duration::from_secs(20);
const RENEWAL: &str = "/2/oauth2/token";

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_renewal_that_was_not_heard_of_is_done_by_another_worker(pool: PgPool) {
    let stage = Stage::set_mixed(pool).await;
    let _generator = stage.generator().start().await;
    let successor = die_over_a_renewal(&stage, Fault::Hang).await;
    stage.check_again().await;
    assert_eq!(complaints(&successor), 0);
}

#[sqlx::test(migrator = "shared::store::MIGRATIONS")]
async fn a_renewal_whose_answer_died_is_asked_for_once_and_nothing_else_is_lost(pool: PgPool) {
    let stage = Stage::set_mixed(pool).await;
    let _generator = stage.generator().start().await;
    let successor = die_over_a_renewal(&stage, Fault::AnswerHangs).await;
    stage.check_again().await;
    assert_eq!(complaints(&successor), 1);
}

/// Kills the only worker while it waits for a renewal that X misbehaves about; who comes next.
async fn die_over_a_renewal(stage: &Stage, fault: Fault) -> Service {
    let worker = stage.worker().start().await;
    stage.connect_all().await;
    stage.until_at_rest().await;
    let x = &stage.mix.as_ref().expect("a mix").x.twitter;
    let (asked, given) = (asked(stage), x.renewals());
    let answers = matches!(fault, Fault::AnswerHangs);
    x.misbehave(RENEWAL, 1, fault);
    x.expire_access_tokens();
    stage.people_write_and_checks_are_asked_for().await;
    until("a renewal that waits for X", SOON, async || {
        let waits = self::asked(stage) > asked && x.renewals() == given + u64::from(answers);
        waits.then_some(())
    })
    .await;
    stage.kill(worker).await;
    stage.worker().start().await
}

/// How often X was asked to renew something.
fn asked(stage: &Stage) -> usize {
    let x = &stage.mix.as_ref().expect("a mix").x.twitter;
    x.requests().iter().filter(|request| request.asks_for(RENEWAL)).count()
}

fn complaints(worker: &Service) -> usize {
    let printed = worker.printed();
    let errors = printed.lines().filter(|line| line.contains("\"level\":\"ERROR\""));
    errors.filter(|line| line.contains("needs to be reconnected")).count()
}
