//! When a loss grows away from what it had reached.
//!
//! The rule: the median of the last eight values of a training loss is above twice the lowest such median so
//! far (in size) plus one half, and above it by six times the spread that the values had there. Medians keep single spikes
//! out, the half keeps noise around zero out, the spread keeps losses out that were never calm. Never judges
//! an evaluation: over-fitting is no divergence.

use serde::{Deserialize, Serialize};

use crate::supervise::metrics::is_evaluation;

/// Values of a median.
const WINDOW: usize = 8;
/// Losses that are watched at most.
const MOST: usize = 8;
/// What a median must be above twice the lowest one by.
const LEAST: f64 = 0.5;
/// How many times the spread it must be above the lowest one by.
const SPREADS: f64 = 6.0;

/// The training losses of one log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Losses(Vec<Loss>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Loss {
    name: String,
    last: Vec<f64>,
    /// The lowest median, and the spread of the values around it.
    lowest: Option<(f64, f64)>,
}

impl Losses {
    /// Takes the next finite value. Gives a sentence without its end if it diverges.
    pub(super) fn take(&mut self, name: &str, value: f64) -> Option<String> {
        if is_evaluation(name) {
            return None;
        }
        let loss = match self.0.iter_mut().position(|loss| loss.name == name) {
            Some(at) => &mut self.0[at],
            None if self.0.len() < MOST => {
                self.0.push(Loss { name: name.to_owned(), last: Vec::new(), lowest: None });
                self.0.last_mut()?
            }
            None => return None,
        };
        loss.last.push(value);
        if loss.last.len() > WINDOW {
            loss.last.remove(0);
        }
        if loss.last.len() < WINDOW {
            return None;
        }
        let now = median(&loss.last);
        let Some((lowest, spread)) = loss.lowest.filter(|(lowest, _)| now >= *lowest) else {
            let away: Vec<f64> = loss.last.iter().map(|value| (value - now).abs()).collect();
            loss.lowest = Some((now, median(&away)));
            return None;
        };
        let limit = (lowest + lowest.abs() + LEAST).max(lowest + SPREADS * spread);
        (now > limit)
            .then(|| format!("`{name}` was down to {} and is now around {}", short(lowest), short(now)))
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
        (Some(one), Some(two)) if sorted.len().is_multiple_of(2) => f64::midpoint(*one, *two),
        (_, Some(middle)) => *middle,
        _ => 0.0,
    }
}

fn short(value: f64) -> String {
    crate::supervise::figures::short(value)
}
