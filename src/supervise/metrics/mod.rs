//! What a line of a training log says in numbers.
//!
//! Owns the reading of one line ([`read`]): dicts as Trainer, TRL and JSON loggers print them, `key=value` and
//! `key: value` pairs, and progress bars of tqdm and Lightning. What readings add up to is in [`track`]. Never
//! does IO, never keeps a line, never fails: a line that says nothing gives an empty reading.

mod bar;
mod dict;
mod name;
mod number;
mod pairs;
mod series;
mod track;

pub use bar::Bar;
pub use name::{is_evaluation, is_loss};
pub use series::{Curve, Summary};
pub use track::{Axis, Track};

/// What one line says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The optimisation step it is about.
    pub step: Option<u64>,
    /// How many steps there will be.
    pub steps: Option<u64>,
    /// The epoch it is about; fractions are parts of one.
    pub epoch: Option<f64>,
    /// How many epochs there will be.
    pub epochs: Option<f64>,
    /// Names and values, in the order of the line. Values may be NaN or infinite.
    pub values: Vec<(String, f64)>,
    /// A progress bar.
    pub bar: Option<Bar>,
}

impl Reading {
    /// Whether the line said nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Sorts one named number into its place.
    fn put(&mut self, name: &str, value: f64) {
        match name::Kind::of(name) {
            name::Kind::Step => self.step = whole(value).or(self.step),
            name::Kind::Steps => self.steps = whole(value).or(self.steps),
            name::Kind::Epoch => self.epoch = Some(value).filter(|it| it.is_finite() && *it >= 0.0),
            name::Kind::Epochs => self.epochs = Some(value).filter(|it| it.is_finite() && *it > 0.0),
            name::Kind::Ignored => {}
            name::Kind::Metric | name::Kind::Other => {
                if self.values.len() < MOST && !self.values.iter().any(|(before, _)| before == name) {
                    self.values.push((name.to_owned(), value));
                }
            }
        }
    }
}

/// Values of one line that are kept.
const MOST: usize = 48;

/// Bytes of a line that are looked at.
const LONGEST: usize = 16 * 1024;

/// Reads one line, which has no control characters any more.
#[must_use]
pub fn read(line: &str) -> Reading {
    let line = &line[..line.floor_char_boundary(LONGEST)];
    let mut reading = Reading::default();
    let mut rest = line;
    if let Some((bar, postfix)) = bar::read(line) {
        reading.bar = Some(bar);
        for (name, value) in pairs::all(postfix.inside) {
            reading.put(&name, value);
        }
        // Trainer prints its dict behind the bar, in the same line.
        rest = postfix.behind;
    }
    let found = dict::read(rest).or_else(|| pairs::telling(rest)).unwrap_or_default();
    for (name, value) in found {
        reading.put(&name, value);
    }
    reading
}

fn whole(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number in range"
    )]
    ((0.0..1e15).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}

#[cfg(test)]
mod tests;
