use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use insta::assert_snapshot;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::{Identity, Member, Operation, RunMode};
use crate::sdk::testing::{Ending, Rehearsal};
use crate::sdk::{
    CheckSchedule, Connection, Integration, Result, Run, RunSummary, StreamOutput, SyncError,
};

/// Does with each stream what its name says.
#[derive(Default)]
struct Play {
    first: Vec<Stream>,
    begun: Arc<AtomicUsize>,
    begins_badly: usize,
    asked: AtomicUsize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "stream", rename_all = "snake_case")]
enum Stream {
    Page { number: u32 },
    Child { of: u32 },
    LimitedOnce,
    FailsAlways,
    FailsTwice,
    Gone,
    Refused,
    Rests,
}

#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(default)]
    pages: u32,
}

#[derive(Default, Serialize, Deserialize)]
struct State {
    processed: usize,
    failed: usize,
}

impl Integration for Play {
    const KIND: &'static str = "play";
    const CHECKS: CheckSchedule = CheckSchedule::EveryTick;

    type Settings = Settings;
    type State = State;
    type Prepared = ();
    type Stream = Stream;

    async fn preprocess(&self, _: &Connection<Self>) -> Result<()> {
        if self.begun.fetch_add(1, Ordering::Relaxed) < self.begins_badly {
            return Err(anyhow!("not yet").into());
        }
        Ok(())
    }

    async fn streams(&self, _: &Run<Self>) -> Result<Vec<Stream>> {
        Ok(self.first.clone())
    }

    async fn process_stream(
        &self,
        stream: &Stream,
        run: &Run<Self>,
    ) -> Result<StreamOutput<Stream>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let empty = StreamOutput::empty();
        match stream {
            Stream::Page { number } => Ok(StreamOutput {
                operations: vec![Operation::UpsertMembers(vec![member(*number)])],
                new_streams: vec![Stream::Child { of: 1 }],
                next_page: (*number < run.connection.settings.pages)
                    .then_some(Stream::Page { number: number + 1 }),
                ..empty
            }),
            Stream::LimitedOnce if asked == 0 => {
                Err(SyncError::RateLimited { retry_after: Duration::from_secs(7) })
            }
            Stream::FailsTwice if asked < 2 => Err(anyhow!("a hiccup").into()),
            Stream::FailsAlways => Err(anyhow!("broken").into()),
            Stream::Gone => Err(SyncError::Permanent(anyhow!("not there"))),
            Stream::Refused => Err(SyncError::Unauthorized(anyhow!("who are you?"))),
            Stream::Rests => Ok(StreamOutput { sleep: Some(Duration::from_secs(9)), ..empty }),
            Stream::Child { .. } | Stream::LimitedOnce | Stream::FailsTwice => Ok(empty),
        }
    }

    fn is_processing_finished(
        &self,
        stream: &Stream,
        _: &StreamOutput<Stream>,
        run: &Run<Self>,
    ) -> bool {
        run.connection.mode == RunMode::Check && matches!(stream, Stream::Page { number: 2 })
    }

    async fn postprocess(
        &self,
        run: &Run<Self>,
        summary: &RunSummary<Stream>,
    ) -> Result<Option<State>> {
        let before = &run.connection.state;
        Ok(Some(State {
            processed: before.processed + summary.processed().count(),
            failed: before.failed + summary.failed().count(),
        }))
    }
}

fn member(number: u32) -> Member {
    let username = format!("member{number}");
    Member::of(Identity { platform: "play".into(), username, source_id: None })
}

fn play(first: &[Stream]) -> Rehearsal {
    Rehearsal::of(Play { first: first.to_vec(), ..Play::default() })
}

#[tokio::test]
async fn pages_follow_their_siblings_and_a_stream_mentioned_twice_is_stepped_once() {
    let pages = play(&[Stream::Page { number: 1 }]).settings(json!({"pages": 3}));
    assert_snapshot!(pages.run().await, @r#"
    the run -> 1 stream
    {"number":1,"stream":"page"} -> done: 1 record, 1 new stream, next page
    {"of":1,"stream":"child"} -> done: 0 records
    {"number":2,"stream":"page"} -> done: 1 record, next page
    {"number":3,"stream":"page"} -> done: 1 record
    the run -> processed
    "#);
}

#[tokio::test]
async fn a_check_drops_the_next_page_that_is_not_needed() {
    let pages = play(&[Stream::Page { number: 1 }]).settings(json!({"pages": 3}));
    let check = pages.check().run().await;
    assert_eq!(check.members().count(), 2, "{check}");
}

#[tokio::test]
async fn not_now_costs_no_attempt_and_goes_behind_the_others() {
    let run = play(&[Stream::LimitedOnce, Stream::Rests]).run().await;
    assert_snapshot!(run, @r#"
    the run -> 2 streams
    {"stream":"limited_once"} -> not now, but after 7s
    {"stream":"rests"} -> done: 0 records, then rest for 9s
    {"stream":"limited_once"} -> done: 0 records
    the run -> processed
    "#);
    assert_eq!(run.attempts_spent, 0);
    assert_eq!(run.waits, [Duration::from_secs(7), Duration::from_secs(9)]);
}

#[tokio::test]
async fn a_failure_is_tried_five_times_and_its_siblings_go_on() {
    let run = play(&[Stream::FailsAlways, Stream::Gone, Stream::Page { number: 1 }]).run().await;
    assert_snapshot!(run, @r#"
    the run -> 3 streams
    {"stream":"fails_always"} -> again: broken
    {"stream":"gone"} -> never: not there
    {"number":1,"stream":"page"} -> done: 1 record, 1 new stream
    {"stream":"fails_always"} -> again: broken
    {"of":1,"stream":"child"} -> done: 0 records
    {"stream":"fails_always"} -> again: broken
    {"stream":"fails_always"} -> again: broken
    {"stream":"fails_always"} -> never: broken
    the run -> error: 2 streams given up
    "#);
    assert_eq!(run.attempts_spent, 6);
    assert_eq!(run.state, Some(json!({"processed": 2, "failed": 2})));
}

#[tokio::test]
async fn a_hiccup_leaves_no_hole() {
    let run = play(&[Stream::FailsTwice]).run().await;
    assert_eq!((&run.ending, run.attempts_spent), (&Ending::Processed, 2), "{run}");
}

#[tokio::test]
async fn a_refusal_ends_the_run_at_once_and_remembers_nothing() {
    let before = json!({"processed": 1, "failed": 0});
    let run = play(&[Stream::Refused, Stream::Rests]).state(before.clone()).run().await;
    assert_snapshot!(run, @r#"
    the run -> 2 streams
    {"stream":"refused"} -> reconnect: who are you?
    the run -> needs to be reconnected
    "#);
    assert_eq!(run.state, Some(before));
}

#[tokio::test]
async fn what_is_remembered_is_given_to_the_next_run() {
    let first = play(&[Stream::Rests]).run().await;
    let second = play(&[Stream::Rests, Stream::Gone]).state(first.state).run().await;
    assert_eq!(second.state, Some(json!({"processed": 2, "failed": 1})));
}

#[tokio::test]
async fn a_beginning_is_tried_five_times() {
    for (begins_badly, ending) in [(4, Ending::Processed), (5, Ending::Failed)] {
        let play = Play { first: vec![Stream::Rests], begins_badly, ..Play::default() };
        let run = Rehearsal::of(play).run().await;
        assert_eq!((&run.ending, run.attempts_spent), (&ending, begins_badly), "{run}");
    }
}

#[tokio::test]
async fn settings_that_do_not_decode_end_the_run() {
    let run = play(&[]).settings(json!({"pages": "three"})).run().await;
    assert_snapshot!(run, @r#"
    beginning -> never: settings of `play`: `pages`: invalid type: string "three", expected u32
    the run -> error
    "#);
}

#[tokio::test]
async fn pages_without_end_are_noticed() {
    let pages = play(&[Stream::Page { number: 1 }]).settings(json!({"pages": u32::MAX}));
    assert_eq!(pages.most_steps(50).run().await.ending, Ending::Endless);
}

#[tokio::test]
async fn dying_over_every_page_begins_anew_and_steps_again() {
    let begun = Arc::new(AtomicUsize::default());
    let first = vec![Stream::LimitedOnce, Stream::Rests];
    let play = Play { first, begun: Arc::clone(&begun), ..Play::default() };
    let run = Rehearsal::of(play).dying_over_every_page().run().await;
    assert_eq!(begun.load(Ordering::Relaxed), 3);
    assert_eq!(run.waits, [Duration::from_secs(9)], "the limit was met by the page that was lost");
}
