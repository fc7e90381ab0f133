//! The progress of a run, until it ends: a bar for people at a terminal, a line whenever something
//! changed for everybody else.
//!
//! It only looks, now and then, at what the database says, and costs no more than a tenth of a
//! connection however long a look takes. So it sees what every worker does, and may miss what lasts
//! for less than a moment.

mod look;
mod rate;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use shared::domain::{RunId, RunState};
use shared::store::{Store, StoreError};

use look::{Progress, Seen};
use rate::Rate;

use crate::moment::seconds;

/// The shortest rest between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Shows the run's progress until it ends; how it ended. While the database is away it says so, and
/// looks again.
pub(crate) async fn follow(
    store: &Store,
    run: RunId,
    mut output: Output,
) -> anyhow::Result<RunState> {
    loop {
        let looked_at = Instant::now();
        let rest = match Progress::look(store, run).await {
            Ok(progress) => {
                output.show(&progress)?;
                if progress.state().is_finished() {
                    output.end();
                    return Ok(progress.state());
                }
                LOOK_EVERY.max(looked_at.elapsed() * 9)
            }
            // A look in vain costs the database nothing, however long it takes.
            Err(error) if is_away(&error) => {
                output.show_absence()?;
                LOOK_EVERY
            }
            Err(error) => return Err(error),
        };
        tokio::time::sleep(rest).await;
    }
}

fn is_away(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(StoreError::may_pass)
}

const ABSENCE: &str = "the database is away; looking again";

/// Where progress is shown.
pub(crate) enum Output {
    Bar(Bar),
    Lines(Lines),
}

impl Output {
    /// A bar if a terminal shows it, else lines.
    pub(crate) fn of_stdout() -> Self {
        let target = ProgressDrawTarget::stdout();
        if target.is_hidden() {
            Self::Lines(Lines::of("", Box::new(io::stdout())))
        } else {
            Self::Bar(Bar::drawn_on("", target))
        }
    }

    /// The same for one of several runs that are followed side by side.
    pub(crate) fn of_stdout_among(bars: &MultiProgress, name: &str) -> Self {
        match Self::of_stdout() {
            Self::Lines(_) => Self::Lines(Lines::of(name, Box::new(io::stdout()))),
            Self::Bar(_) => {
                let Bar { bar, rate } = Bar::drawn_on(name, ProgressDrawTarget::hidden());
                Self::Bar(Bar { bar: bars.add(bar), rate })
            }
        }
    }

    fn show(&mut self, progress: &Progress) -> io::Result<()> {
        match self {
            Self::Bar(bar) => bar.show(progress),
            Self::Lines(lines) => lines.show(progress)?,
        }
        Ok(())
    }

    fn show_absence(&mut self) -> io::Result<()> {
        match self {
            Self::Bar(bar) => bar.bar.set_message(ABSENCE),
            Self::Lines(lines) => lines.show_absence()?,
        }
        Ok(())
    }

    /// What is shown stays.
    fn end(&self) {
        if let Self::Bar(Bar { bar, .. }) = self {
            bar.abandon();
        }
    }
}

pub(crate) struct Lines {
    /// Before each line, with a space; empty for a run that is followed alone.
    name: String,
    to: Box<dyn Write + Send>,
    last: Shown,
}

/// What the last line said.
#[derive(PartialEq)]
enum Shown {
    Nothing,
    Absence,
    Progress(Seen),
}

impl Lines {
    fn of(name: &str, to: Box<dyn Write + Send>) -> Self {
        Self { name: before(name), to, last: Shown::Nothing }
    }

    fn show(&mut self, progress: &Progress) -> io::Result<()> {
        if !self.is_news(Shown::Progress(progress.seen())) {
            return Ok(());
        }
        let (ended, known) = (progress.ended_streams(), progress.known_streams());
        let (now, words) = (seconds(progress.at()), progress.yield_in_words());
        let state = progress.state_in_words();
        let name = &self.name;
        writeln!(self.to, "{name}{now} {ended} of {known} streams, {words}; {state}")?;
        self.to.flush()
    }

    fn show_absence(&mut self) -> io::Result<()> {
        if self.is_news(Shown::Absence) {
            writeln!(self.to, "{}{ABSENCE}", self.name)?;
        }
        self.to.flush()
    }

    fn is_news(&mut self, shown: Shown) -> bool {
        let before = std::mem::replace(&mut self.last, shown);
        before != self.last
    }
}

pub(crate) struct Bar {
    bar: ProgressBar,
    rate: Rate,
}

impl Bar {
    fn drawn_on(name: &str, target: ProgressDrawTarget) -> Self {
        let template =
            format!("{}{{bar:30}} {{pos}} of {{len}} streams, {{prefix}}\n{{msg}}", before(name));
        let style = ProgressStyle::with_template(&template)
            .expect("the template is written here, and a test draws it");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        Self { bar, rate: Rate::default() }
    }

    fn show(&mut self, progress: &Progress) {
        let rate = self.rate.with(Instant::now(), progress.records());
        self.bar.set_length(progress.known_streams().unsigned_abs());
        self.bar.set_position(progress.ended_streams().unsigned_abs());
        self.bar.set_prefix(format!("{} ({rate:.0}/s)", progress.yield_in_words()));
        self.bar.set_message(progress.state_in_words());
    }
}

/// Names stand in a column.
fn before(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name:<13} ") }
}
