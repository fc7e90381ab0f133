//! A command called bare, with nothing but its name, answers with its help.
//!
//! Clap's own `arg_required_else_help` would do, if it did not take a variable of the environment
//! for an argument.

use std::io::{self, Write};

use clap::CommandFactory;
use clap::error::ErrorKind;

use crate::Millrace;

/// Exits with 2, after the help where that says more than the error. `--help` itself exits with 0.
pub(crate) fn exit(error: clap::Error) -> ! {
    let called = called_bare(std::env::args().skip(1));
    if let (ErrorKind::MissingRequiredArgument, Some(mut command)) = (error.kind(), called) {
        // Whoever closed the pipe has seen enough.
        let _ = write!(io::stderr(), "{}", command.render_help());
        std::process::exit(2);
    }
    error.exit()
}

/// The command that is called, if every word of the call is the name of one.
fn called_bare(words: impl Iterator<Item = String>) -> Option<clap::Command> {
    let mut command = Millrace::command();
    command.build();
    for word in words {
        command = command.find_subcommand(word)?.clone();
    }
    Some(command)
}
