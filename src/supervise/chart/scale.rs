//! From values to places on an axis, and where to write numbers on it.

/// Marks on an axis, about.
const MARKS: f32 = 5.0;

/// One axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f32,
    high: f32,
    step: f32,
}

impl Scale {
    /// An axis from the lowest to the highest of these. `None` without any.
    pub(super) fn around(values: impl Iterator<Item = f32>) -> Option<Self> {
        let (low, high) = bounds(values)?;
        let (low, high) = opened(low, high);
        Some(Self { low, high, step: step(high - low) })
    }

    /// The same for values: single ones far above all others are left outside, and it ends at marks.
    pub(super) fn of_values(values: impl Iterator<Item = f32>) -> Option<Self> {
        let mut sorted: Vec<f32> = values.collect();
        sorted.sort_by(f32::total_cmp);
        let (low, mut high) = (*sorted.first()?, *sorted.last()?);
        // The first losses of a training are often many times the rest, and would press it flat.
        let most = sorted[(sorted.len() - 1) * 98 / 100];
        if high - low > 4.0 * (most - low) && most > low {
            high = most;
        }
        let (low, high) = opened(low, high);
        let step = step(high - low);
        Some(Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step })
    }

    /// Where a value is between these two places; values outside are at the nearer end.
    pub(super) fn at(&self, value: f32, from: f32, to: f32) -> f32 {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        from + part * (to - from)
    }

    /// Where to write numbers.
    pub(super) fn ticks(&self) -> Vec<f32> {
        let first = (self.low / self.step - 1e-3).ceil();
        let mut ticks = Vec::new();
        let mut number = 0.0;
        while ticks.len() < 12 {
            let tick = (first + number) * self.step;
            if tick > self.high + self.step * 1e-3 {
                break;
            }
            ticks.push(tick);
            number += 1.0;
        }
        ticks
    }
}

fn bounds(values: impl Iterator<Item = f32>) -> Option<(f32, f32)> {
    values.fold(None, |found, value| match found {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

/// Apart from each other, and not so far that the difference is no number.
fn opened(low: f32, high: f32) -> (f32, f32) {
    let (low, high) = (low.max(-1e30), high.min(1e30));
    let least = (low.abs().max(high.abs()) * 1e-4).max(1e-9);
    if high - low < least { (low - least, low + least) } else { (low, high) }
}

/// 1, 2 or 5 times a power of ten.
fn step(span: f32) -> f32 {
    let rough = span / MARKS;
    let power = 10_f32.powf(rough.log10().floor());
    let factor = match rough / power {
        part if part < 1.5 => 1.0,
        part if part < 3.5 => 2.0,
        part if part < 7.5 => 5.0,
        _ => 10.0,
    };
    factor * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_numbers() {
        let scale = Scale::of_values([0.31, 2.47].into_iter()).unwrap();
        assert_eq!(scale.ticks(), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        let steps = Scale::around([0.0, 1_000.0].into_iter()).unwrap();
        assert_eq!(steps.ticks(), [0.0, 200.0, 400.0, 600.0, 800.0, 1_000.0]);
        assert_eq!(steps.at(500.0, 0.0, 10.0), 5.0);
    }

    #[test]
    fn odd_values_make_an_axis_too() {
        for values in [vec![1.0], vec![0.0, 0.0], vec![-1e38, 1e38], vec![1e-30, 2e-30], vec![5.0; 100]] {
            let scale = Scale::of_values(values.iter().copied()).unwrap();
            assert!(!scale.ticks().is_empty(), "{values:?}");
            assert!(scale.at(values[0], 0.0, 1.0).is_finite());
        }
        assert_eq!(Scale::of_values(std::iter::empty()), None);
    }

    #[test]
    fn a_huge_first_loss_does_not_press_the_rest_flat() {
        let mut values = vec![1e6];
        values.extend((0..200).map(|number| 2.0 - number as f32 / 200.0));
        let scale = Scale::of_values(values.into_iter()).unwrap();
        assert!(scale.at(1.0, 0.0, 1.0) < 0.1 && scale.at(1.9, 0.0, 1.0) > 0.7);
    }
}
