//! How likely each operation is.
//!
//! Chance alone seldom puts the right things in a row, so a list is made of scenes: a stall with
//! everything that must happen around it is one, a single operation another.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use shared::domain::RunMode;

use super::forum::Failure;
use super::gate::Point;
use super::operations::{GENERATORS, How, INTEGRATIONS, Nth, Operation, WORKERS};
use super::wire::Lost;

/// A list of scenes.
pub(super) fn operations() -> impl Strategy<Value = Vec<Operation>> {
    vec(scene(), 3..10).prop_map(|scenes| scenes.concat())
}

fn scene() -> impl Strategy<Value = Vec<Operation>> {
    prop_oneof![
        6 => anything().prop_map(|operation| vec![operation]),
        6 => work(),
        4 => stall(),
        4 => death(),
        3 => together(),
        2 => change_while_held(),
        2 => refusals(),
        1 => outage(),
    ]
}

/// Time passes, a tick is fired, and what comes of it is done.
fn work() -> impl Strategy<Value = Vec<Operation>> {
    (time(), generator(), vec(worker(), 1..4)).prop_map(|(time, generator, workers)| {
        let mut scene = vec![Operation::AdvanceTime(time), Operation::Beat(generator)];
        scene.extend(workers.into_iter().map(Operation::Deliver));
        scene
    })
}

/// A worker is held for longer than its lease, others find its run, and it wakes.
fn stall() -> impl Strategy<Value = Vec<Operation>> {
    let meanwhile =
        vec(prop_oneof![3 => worker().prop_map(Operation::Deliver), 1 => anything()], 1..4);
    (worker(), point(), 25..90_u64, generator(), meanwhile, any::<bool>()).prop_map(
        |(stalled, point, time, generator, meanwhile, beats_first)| {
            let mut scene = vec![
                Operation::Beat(generator),
                Operation::HoldAt(stalled, point),
                Operation::Deliver(stalled),
                Operation::AdvanceTime(time),
                Operation::Beat(generator),
            ];
            scene.extend(meanwhile);
            if beats_first {
                scene.push(Operation::Heartbeat(stalled));
            }
            scene.push(Operation::Release(stalled));
            scene
        },
    )
}

/// A process comes to a point and dies there, or at its next statement.
fn death() -> impl Strategy<Value = Vec<Operation>> {
    let dying = prop_oneof![
        worker().prop_map(|worker| (worker, Operation::Deliver(worker))),
        generator().prop_map(|generator| (generator, Operation::Beat(generator))),
    ];
    let last = |process| {
        prop_oneof![
            1 => Just(Operation::Kill(process)),
            2 => accident(Just(process)),
        ]
    };
    let dying =
        dying.prop_flat_map(move |(process, begin)| (Just(process), Just(begin), last(process)));
    (dying, point(), time(), generator()).prop_map(
        |((process, begin, last), point, time, beats)| {
            vec![
                Operation::AdvanceTime(time),
                Operation::Beat(beats),
                Operation::HoldAt(process, point),
                begin,
                last,
                Operation::Release(process),
                Operation::AdvanceTime(31),
            ]
        },
    )
}

fn together() -> impl Strategy<Value = Vec<Operation>> {
    let quick = prop_oneof![
        4 => worker().prop_map(Operation::Deliver),
        2 => generator().prop_map(Operation::Beat),
        2 => process().prop_map(Operation::Release),
        1 => integration().prop_map(Operation::Pause),
        2 => integration().prop_map(Operation::Resume),
        2 => trigger(),
        1 => integration().prop_map(Operation::Continue),
        1 => (worker(), any::<bool>()).prop_map(|(process, grace)| Operation::Stop { process, grace }),
    ];
    vec(quick, 2..6).prop_map(|operations| vec![Operation::Together(operations)])
}

/// Somebody changes something while a worker is in the middle of it.
fn change_while_held() -> impl Strategy<Value = Vec<Operation>> {
    (worker(), point(), vec(wish(), 1..3), any::<bool>()).prop_map(
        |(worker, point, wishes, beats)| {
            let mut scene = vec![Operation::HoldAt(worker, point), Operation::Deliver(worker)];
            scene.extend(wishes);
            if beats {
                scene.push(Operation::Heartbeat(worker));
            }
            scene.push(Operation::Release(worker));
            scene
        },
    )
}

fn refusals() -> impl Strategy<Value = Vec<Operation>> {
    (failures(), worker()).prop_map(|(fails, worker)| vec![fails, Operation::Deliver(worker)])
}

fn outage() -> impl Strategy<Value = Vec<Operation>> {
    (generator(), worker(), time()).prop_map(|(generator, worker, time)| {
        vec![
            Operation::HoldAt(worker, Point::Acknowledging),
            Operation::Deliver(worker),
            Operation::QueueAway,
            Operation::Beat(generator),
            Operation::Release(worker),
            Operation::AdvanceTime(time),
            Operation::Beat(generator),
            Operation::QueueBack,
        ]
    })
}

fn anything() -> impl Strategy<Value = Operation> {
    let to_processes = prop_oneof![
        (process(), point()).prop_map(|(process, point)| Operation::HoldAt(process, point)),
        process().prop_map(Operation::Release),
        worker().prop_map(Operation::Heartbeat),
        worker().prop_map(Operation::SliceOver),
        (process(), any::<bool>()).prop_map(|(process, grace)| Operation::Stop { process, grace }),
        process().prop_map(Operation::Kill),
        accident(process()),
    ];
    let to_messages = prop_oneof![
        1 => (0..10_usize).prop_map(Operation::DuplicateMessage),
        1 => Just(Operation::LoseMessage),
        1 => Just(Operation::PurgeQueue),
        1 => (1..3_usize).prop_map(Operation::RefuseMessages),
        1 => Just(Operation::QueueAway),
        2 => Just(Operation::QueueBack),
        2 => (process(), select(vec![Lost::Call, Lost::Answer]))
            .prop_map(|(process, lost)| Operation::Lose(process, lost)),
    ];
    prop_oneof![
        2 => time().prop_map(Operation::AdvanceTime),
        2 => generator().prop_map(Operation::Beat),
        2 => worker().prop_map(Operation::Deliver),
        3 => to_processes,
        3 => to_messages,
        2 => failures(),
        3 => people(),
        3 => wish(),
    ]
}

fn accident(process: impl Strategy<Value = Nth>) -> impl Strategy<Value = Operation> {
    let how = prop_oneof![
        Just(How::BeforeCommit),
        Just(How::AfterCommit),
        Just(How::BeforeAnyStatement),
        Just(How::AfterAnyStatement),
        (0..20_000_usize).prop_map(How::AfterBytes),
    ];
    (process, how, any::<bool>()).prop_map(|(process, how, fatal)| Operation::Accident {
        process,
        how,
        fatal,
    })
}

fn failures() -> impl Strategy<Value = Operation> {
    let failure = prop_oneof![
        4 => Just(Failure::Broken),
        3 => (0..2_000_u64).prop_map(Failure::Limited),
        1 => Just(Failure::Unauthorized),
        1 => Just(Failure::Gone),
        2 => Just(Failure::Bug),
    ];
    (integration(), failure, 1..7_usize).prop_map(|(forum, failure, times)| Operation::ApiFails {
        forum,
        failure,
        times,
    })
}

fn people() -> impl Strategy<Value = Operation> {
    (integration(), 0..10_usize, 0..3).prop_map(|(forum, nth, what)| match what {
        0 => Operation::Write { forum, board: nth },
        1 => Operation::Edit { forum, post: nth },
        _ => Operation::Reply { forum, post: nth },
    })
}

fn wish() -> impl Strategy<Value = Operation> {
    prop_oneof![
        2 => trigger(),
        2 => (integration(), mode()).prop_map(|(integration, mode)| Operation::Post { integration, mode }),
        1 => integration().prop_map(Operation::Pause),
        2 => integration().prop_map(Operation::Resume),
        1 => integration().prop_map(Operation::Reconnect),
        1 => integration().prop_map(Operation::Continue),
        1 => (integration(), 0..10_usize)
            .prop_map(|(integration, stream)| Operation::StepAgain { integration, stream }),
        2 => people(),
    ]
}

fn trigger() -> impl Strategy<Value = Operation> {
    (integration(), mode()).prop_map(|(integration, mode)| Operation::Trigger { integration, mode })
}

fn mode() -> impl Strategy<Value = RunMode> {
    select(vec![RunMode::Onboarding, RunMode::Check])
}

fn point() -> impl Strategy<Value = Point> {
    use Point::*;
    select(vec![Preparing, Listing, Page, Page, Page, Closing, Sending, Sent, Acknowledging])
}

/// Seconds: about a heartbeat, about a lease, about a tick, a few of them, a quarter of an hour.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![1..15_u64, 25..40_u64, 55..65_u64, 60..200_u64, 800..1_000_u64]
}

fn worker() -> impl Strategy<Value = Nth> {
    0..WORKERS
}

fn generator() -> impl Strategy<Value = Nth> {
    WORKERS..WORKERS + GENERATORS
}

fn process() -> impl Strategy<Value = Nth> {
    0..WORKERS + GENERATORS
}

fn integration() -> impl Strategy<Value = usize> {
    0..INTEGRATIONS
}
