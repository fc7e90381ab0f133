//! What came of it: a table for people, JSON for whoever compares.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use anyhow::Context;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use super::figures::{Aim, Measured, Rounded};
use super::side::Side;
use super::size::Size;
use super::summary::{self, FigureSummary, Rounds, SideSummary, UsageSummary};
use crate::stdout;

pub(super) struct Report {
    size: Size,
    load_before: f64,
    rounds: Rounds,
}

/// The whole of it.
#[derive(Serialize)]
struct Figures {
    machine: Machine,
    size: Size,
    sides: Vec<SideSummary>,
    engine_against_floor: Vec<FigureSummary>,
}

#[derive(Serialize)]
struct Machine {
    cores: usize,
    processor: Option<String>,
    /// Of the last minute, before and after.
    load_average: [f64; 2],
}

impl Report {
    pub(super) fn begin(size: Size) -> Self {
        Self { size, load_before: load_average(), rounds: Rounds::new() }
    }

    pub(super) fn note(&mut self, side: Side, measured: Measured) {
        self.rounds.entry(side).or_default().push(measured);
    }

    /// Prints the table, beside the JSON if that goes to standard output.
    pub(super) fn publish(self, json: Option<&Path>) -> anyhow::Result<()> {
        let figures = Figures {
            machine: Machine::this(self.load_before),
            size: self.size,
            sides: summary::sides(&self.rounds),
            engine_against_floor: summary::engine_against_floor(&self.rounds),
        };
        let text = serde_json::to_string_pretty(&figures)?;
        match json {
            Some(path) if path == Path::new("-") => {
                eprintln!("{}", figures.table());
                stdout::line(text)?;
            }
            Some(path) => {
                stdout::line(figures.table())?;
                fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
            }
            None => stdout::line(figures.table())?,
        }
        Ok(())
    }
}

impl Machine {
    fn this(load_before: f64) -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let named = processors.lines().find(|line| line.starts_with("model name"));
        Self {
            cores: available_parallelism().map_or(1, usize::from),
            processor: named.and_then(|line| Some(line.split_once(": ")?.1.to_owned())),
            load_average: [load_before, load_average()],
        }
    }
}

/// Not a number where there is no `/proc`.
fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

impl Figures {
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(ASCII_MARKDOWN);
        table.set_header([
            "side", "median", "", "from", "to", "aim", "CPU s", "database", "MB", "others",
        ]);
        for side in &self.sides {
            let mut usage = Some(&side.usage);
            for figure in &side.figures {
                // Of the side as a whole, so beside its first figure.
                table.add_row(row(&side.side.to_string(), figure, usage.take()));
            }
        }
        for figure in &self.engine_against_floor {
            table.add_row(row("engine against floor", figure, None));
        }
        for column in table.column_iter_mut().filter(|column| ![0, 2].contains(&column.index)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

fn row(side: &str, figure: &FigureSummary, usage: Option<&UsageSummary>) -> Vec<String> {
    let FigureSummary { name, spread, aim, .. } = figure;
    let rounded = |value: f64| Rounded(value).to_string();
    let aim = aim.map(|aim| format!("{aim} {}", verdict(aim, spread.median)));
    let mut row = vec![
        side.to_owned(),
        rounded(spread.median),
        name.clone(),
        rounded(spread.lowest),
        rounded(spread.highest),
        aim.unwrap_or_default(),
    ];
    if let Some(usage) = usage {
        row.extend([
            rounded(usage.cpu_seconds.median),
            rounded(usage.database_cpu_seconds.median),
            rounded(usage.peak_memory_megabytes.median),
            rounded(usage.others_cores.median),
        ]);
    }
    row
}

fn verdict(aim: Aim, value: f64) -> &'static str {
    if aim.is_reached(value) { "✓" } else { "✗" }
}
