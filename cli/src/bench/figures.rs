//! What was measured once, and what came of measuring it several times.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::usage::Usage;

/// One side, measured once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) figures: Vec<Figure>,
    pub(super) usage: Usage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    /// What, and in which unit.
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) aim: Option<Aim>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

/// The middle of several values, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

impl Figure {
    pub(super) fn new(name: &str, aim: Option<Aim>) -> Self {
        Self { name: name.to_owned(), value: f64::NAN, aim }
    }

    pub(super) fn of(self, value: f64) -> Self {
        Self { value, ..self }
    }
}

impl Aim {
    pub(super) fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(aim) => value >= aim,
            Self::AtMost(aim) => value <= aim,
        }
    }
}

impl Spread {
    /// `None` of nothing.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Self { median, lowest, highest })
    }
}

/// In one line, for whoever waits.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Figure { name, value, .. } in &self.figures {
            write!(f, "{} {name}, ", Rounded(*value))?;
        }
        self.usage.fmt(f)
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(aim) => write!(f, "≥ {}", Rounded(*aim)),
            Self::AtMost(aim) => write!(f, "≤ {}", Rounded(*aim)),
        }
    }
}

/// With as many digits as mean something.
pub(super) struct Rounded(pub(super) f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{:.digits$}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[]), None);
        let of_three = Spread { median: 2.0, lowest: 1.0, highest: 9.0 };
        assert_eq!(spread(&[9.0, 1.0, 2.0]), Some(of_three));
        let of_four = Spread { median: 2.5, lowest: 1.0, highest: 9.0 };
        assert_eq!(spread(&[9.0, 1.0, 2.0, 3.0]), Some(of_four));
    }

    #[test]
    fn an_aim_is_reached_from_its_own_side() {
        assert!(Aim::AtLeast(0.7).is_reached(0.7));
        assert!(!Aim::AtLeast(0.7).is_reached(0.69));
        assert!(Aim::AtMost(2.0).is_reached(1.9));
        assert!(!Aim::AtMost(2.0).is_reached(2.1));
    }

    #[test]
    fn figures_are_shown_with_the_digits_that_mean_something() {
        let shown = [12_345.67, 99.96, 12.34, 0.816].map(|value| Rounded(value).to_string());
        assert_eq!(shown, ["12346", "100.0", "12.3", "0.82"]);
    }
}
