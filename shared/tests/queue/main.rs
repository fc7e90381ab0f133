//! One examination for the three queues. What each promises beyond it stands in its own file.

mod examination;
mod gate;
mod memory;
mod postgres;
mod sqs;
mod sqs_answers;
