//! What can happen, one thing after another.

use shared::domain::RunMode;

use super::forum::Failure;
use super::gate::Point;
use super::wire::Lost;

pub(super) const WORKERS: usize = 3;
pub(super) const GENERATORS: usize = 2;
pub(super) const INTEGRATIONS: usize = 2;

/// Processes are numbered: first the workers, then the generators.
pub(super) type Nth = usize;

#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Everybody's clock moves on by so many seconds; nobody's timers ring.
    AdvanceTime(u64),
    Beat(Nth),
    /// A worker that has nothing to do receives a message.
    Deliver(Nth),
    /// These begin at the same moment.
    Together(Vec<Operation>),

    // What happens to processes.
    /// It will be held when it next comes to this point; until then it goes on.
    HoldAt(Nth, Point),
    /// Whatever is held goes on.
    Release(Nth),
    /// A third of the lease has passed on its own clock: it extends its lease.
    Heartbeat(Nth),
    /// The slice has passed on its own clock.
    SliceOver(Nth),
    Stop {
        process: Nth,
        grace: bool,
    },
    Kill(Nth),
    /// A connection to the database dies, and perhaps the process with it.
    Accident {
        process: Nth,
        how: How,
        fatal: bool,
    },

    // What happens to messages; that they are reordered goes without saying.
    DuplicateMessage(Nth),
    LoseMessage,
    PurgeQueue,
    RefuseMessages(usize),
    QueueAway,
    QueueBack,
    /// The next call that a process makes to the queue, or its answer.
    Lose(Nth, Lost),

    // What happens on the platform.
    ApiFails {
        forum: usize,
        failure: Failure,
        times: usize,
    },
    Write {
        forum: usize,
        board: usize,
    },
    Edit {
        forum: usize,
        post: usize,
    },
    Reply {
        forum: usize,
        post: usize,
    },

    // What tenants and operators ask for.
    Trigger {
        integration: usize,
        mode: RunMode,
    },
    /// The same as a message.
    Post {
        integration: usize,
        mode: RunMode,
    },
    Pause(usize),
    Resume(usize),
    Reconnect(usize),
    /// The integration's latest run is continued, ended or not.
    Continue(usize),
    /// A message asks for one stream of the latest run to be stepped again.
    StepAgain {
        integration: usize,
        stream: usize,
    },
}

/// How a connection dies.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    BeforeCommit,
    AfterCommit,
    BeforeAnyStatement,
    AfterAnyStatement,
    AfterBytes(usize),
}
