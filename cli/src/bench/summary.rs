//! The rounds of each side, brought together: medians, how far the rounds lie apart, and how the
//! engine compares with the floor.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{Aim, Figure, Measured, Spread};
use super::side::Side;
use super::usage::Usage;

#[derive(Debug, Serialize)]
pub(super) struct SideSummary {
    pub(super) side: Side,
    pub(super) figures: Vec<FigureSummary>,
    pub(super) usage: UsageSummary,
}

#[derive(Debug, Serialize)]
pub(super) struct FigureSummary {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) spread: Spread,
    pub(super) aim: Option<Aim>,
    /// Round by round.
    pub(super) values: Vec<f64>,
}

#[derive(Debug, Serialize)]
pub(super) struct UsageSummary {
    pub(super) cpu_seconds: Spread,
    pub(super) database_cpu_seconds: Spread,
    pub(super) others_cores: Spread,
    pub(super) peak_memory_megabytes: Spread,
}

/// All rounds, by side.
pub(super) type Rounds = BTreeMap<Side, Vec<Measured>>;

pub(super) fn sides(rounds: &Rounds) -> Vec<SideSummary> {
    rounds.iter().filter_map(|(&side, rounds)| side_summary(side, rounds)).collect()
}

/// Each round's engine against the same round's floor: whatever else the machine did then met both.
/// Empty unless both were measured.
pub(super) fn engine_against_floor(rounds: &Rounds) -> Vec<FigureSummary> {
    let of = |side: Side| rounds.get(&side).map_or(&[][..], Vec::as_slice);
    let pairs = || of(Side::Engine).iter().zip(of(Side::Floor));
    let speed = Figure::new("of the floor's records/s", Some(Aim::AtLeast(0.7)));
    let speeds = pairs().filter_map(|(engine, floor)| {
        Some(engine.figures.first()?.value / floor.figures.first()?.value)
    });
    // Says the same of a machine that others use, too.
    let work = Figure::new("of the floor's records/CPU s, database included", None);
    let works = pairs().map(|(engine, floor)| floor.usage.work() / engine.usage.work());
    [figure_summary(&speed, speeds.collect()), figure_summary(&work, works.collect())]
        .into_iter()
        .flatten()
        .collect()
}

impl Usage {
    fn work(&self) -> f64 {
        self.cpu_seconds + self.database_cpu_seconds
    }
}

/// `None` without rounds.
fn side_summary(side: Side, rounds: &[Measured]) -> Option<SideSummary> {
    let figures = rounds.first()?.figures.iter().enumerate().filter_map(|(at, figure)| {
        figure_summary(figure, rounds.iter().map(|round| round.figures[at].value).collect())
    });
    let spread = |of: fn(&Usage) -> f64| Spread::of(rounds.iter().map(|round| of(&round.usage)));
    Some(SideSummary {
        side,
        figures: figures.collect(),
        usage: UsageSummary {
            cpu_seconds: spread(|usage| usage.cpu_seconds)?,
            database_cpu_seconds: spread(|usage| usage.database_cpu_seconds)?,
            others_cores: spread(|usage| usage.others_cores)?,
            peak_memory_megabytes: spread(|usage| usage.peak_memory_megabytes)?,
        },
    })
}

fn figure_summary(figure: &Figure, values: Vec<f64>) -> Option<FigureSummary> {
    let spread = Spread::of(values.iter().copied())?;
    Some(FigureSummary { name: figure.name.clone(), spread, aim: figure.aim, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(records_per_second: f64, cpu_seconds: f64) -> Measured {
        Measured {
            figures: vec![Figure::new("records/s", None).of(records_per_second)],
            usage: Usage {
                cpu_seconds,
                database_cpu_seconds: 1.0,
                others_cores: 0.0,
                peak_memory_megabytes: 20.0,
            },
        }
    }

    #[test]
    fn the_engine_is_compared_with_the_floor_of_its_own_round() {
        let rounds = Rounds::from([
            (Side::Floor, vec![round(1000.0, 1.0), round(100.0, 1.0), round(1000.0, 1.0)]),
            (Side::Engine, vec![round(800.0, 3.0), round(80.0, 3.0), round(500.0, 3.0)]),
        ]);
        let compared = engine_against_floor(&rounds);
        assert_eq!(compared[0].values, [0.8, 0.8, 0.5]);
        assert_eq!(compared[0].spread, Spread { median: 0.8, lowest: 0.5, highest: 0.8 });
        assert_eq!(compared[1].values, [0.5, 0.5, 0.5]);
    }

    #[test]
    fn a_side_that_was_not_measured_is_not_compared() {
        let rounds = Rounds::from([(Side::Engine, vec![round(800.0, 3.0)])]);
        assert!(engine_against_floor(&rounds).is_empty());
        assert_eq!(sides(&rounds).len(), 1);
    }
}
