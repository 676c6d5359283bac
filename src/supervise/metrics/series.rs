//! Values over time in bounded memory: a summary of each metric, and a thinned curve of those that are drawn.
//!
//! Thinning is deterministic: when a curve is full, neighbours are joined to their mean and each further point
//! joins twice as many values. The same values give the same curve, in however many pieces they came.

use serde::{Deserialize, Serialize};

/// Points of a curve at most.
pub(super) const POINTS: usize = 128;

/// What is known of one metric, whatever the length of its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// The first finite value.
    pub first: Option<f64>,
    /// The last finite value.
    pub last: Option<f64>,
    /// The lowest finite value.
    pub lowest: Option<f64>,
    /// The highest finite value.
    pub highest: Option<f64>,
    /// How many values there were, NaN and infinite ones included.
    pub count: u64,
    /// How many were NaN or infinite.
    pub broken: u64,
    /// Whether the last value was NaN or infinite.
    pub broken_now: bool,
}

impl Summary {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            first: None,
            last: None,
            lowest: None,
            highest: None,
            count: 0,
            broken: 0,
            broken_now: false,
        }
    }

    pub(super) fn take(&mut self, value: f64) {
        self.count += 1;
        self.broken_now = !value.is_finite();
        if self.broken_now {
            self.broken += 1;
            return;
        }
        self.first.get_or_insert(value);
        self.last = Some(value);
        self.lowest = Some(self.lowest.map_or(value, |low| low.min(value)));
        self.highest = Some(self.highest.map_or(value, |high| high.max(value)));
    }
}

/// A curve to draw: x is a step, an epoch, or the number of the value, as its [`super::Track`] says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The metric.
    pub name: String,
    /// Points, in the order of the log.
    pub points: Vec<(f32, f32)>,
    /// How many values each point stands for.
    stride: u32,
    /// The point that is not full yet: sums of x and y, and of how many values.
    open: (f64, f64, u32),
}

impl Curve {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), points: Vec::new(), stride: 1, open: (0.0, 0.0, 0) }
    }

    pub(super) fn take(&mut self, x: f64, y: f64) {
        if !x.is_finite() || !y.is_finite() {
            return;
        }
        self.open = (self.open.0 + x, self.open.1 + y, self.open.2 + 1);
        if self.open.2 < self.stride {
            return;
        }
        self.points.push(mean(self.open));
        self.open = (0.0, 0.0, 0);
        if self.points.len() >= POINTS {
            self.points = self
                .points
                .chunks(2)
                .map(|pair| match *pair {
                    [one, two] => (f32::midpoint(one.0, two.0), f32::midpoint(one.1, two.1)),
                    _ => pair[0],
                })
                .collect();
            self.stride = self.stride.saturating_mul(2);
        }
    }

    /// All points, the one that is not full yet included.
    #[must_use]
    pub fn drawn(&self) -> Vec<(f32, f32)> {
        let mut points = self.points.clone();
        if self.open.2 > 0 {
            points.push(mean(self.open));
        }
        points
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a picture needs no more than single precision")]
fn mean((x, y, count): (f64, f64, u32)) -> (f32, f32) {
    let count = f64::from(count.max(1));
    ((x / count) as f32, (y / count) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_stays_small_and_keeps_its_shape() {
        let mut curve = Curve::new("loss");
        for step in 0..100_000_u32 {
            curve.take(f64::from(step), 4.0 - 3.0 * f64::from(step) / 100_000.0);
        }
        let drawn = curve.drawn();
        assert!(drawn.len() <= POINTS && drawn.len() >= POINTS / 2, "{}", drawn.len());
        for (x, y) in &drawn {
            assert!((y - (4.0 - 3.0 * x / 100_000.0)).abs() < 0.01, "({x}, {y})");
        }
        assert!(drawn.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_curve_goes_on_where_it_was_saved() {
        let value = |step: u32| f64::from(step % 7);
        let mut whole = Curve::new("loss");
        let mut parts = Curve::new("loss");
        for step in 0..1_000 {
            whole.take(f64::from(step), value(step));
            parts.take(f64::from(step), value(step));
            if step % 37 == 0 {
                parts = serde_json::from_str(&serde_json::to_string(&parts).unwrap()).unwrap();
            }
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn a_summary_counts_what_is_no_number_apart() {
        let mut summary = Summary::new("loss");
        for value in [2.0, 1.0, f64::NAN, 3.0, f64::INFINITY] {
            summary.take(value);
        }
        assert_eq!((summary.first, summary.last), (Some(2.0), Some(3.0)));
        assert_eq!((summary.lowest, summary.highest), (Some(1.0), Some(3.0)));
        assert_eq!((summary.count, summary.broken, summary.broken_now), (5, 2, true));
    }
}
