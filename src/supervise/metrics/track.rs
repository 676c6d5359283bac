//! What the readings of a whole log add up to: where the training is, how long it will take, and each metric.
//!
//! Bounded whatever the log holds: so many metrics, so many curves. Small enough to be saved with a ticket.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::name::{Kind, is_evaluation, is_loss};
use super::series::{Curve, Summary};
use super::{Bar, Reading};
use crate::clock::Timestamp;

/// Metrics that are kept at most.
const METRICS: usize = 40;
/// Curves that are kept at most.
const CURVES: usize = 6;
/// Share of the way after which a guess of what is left is worth something.
const ENOUGH: f64 = 0.01;

/// Everything that is known of a training from its log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Track {
    /// The last step.
    pub step: Option<u64>,
    /// How many steps there will be.
    pub steps: Option<u64>,
    /// The last epoch.
    pub epoch: Option<f64>,
    /// How many epochs there will be.
    pub epochs: Option<f64>,
    /// The bar of the training.
    pub bar: Option<Bar>,
    /// Each metric, in the order of their first values.
    pub metrics: Vec<Summary>,
    /// Curves of those worth drawing.
    pub curves: Vec<Curve>,
    /// What x means in the curves; set by the first value drawn.
    pub axis: Option<Axis>,
    /// How many values were read.
    pub values: u64,
    /// Where the training was when it was first seen, and when.
    began: Option<(Timestamp, f64)>,
}

/// What x means in a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Optimisation steps.
    Step,
    /// Epochs.
    Epoch,
    /// The number of the value.
    Reading,
}

impl Track {
    /// Adds what a line said.
    pub fn take(&mut self, reading: &Reading, at: Timestamp) {
        self.place(reading);
        let drawn_before = self.values;
        for (name, value) in &reading.values {
            self.values += 1;
            self.summarise(name, *value);
        }
        if self.values > drawn_before {
            self.draw(reading);
        }
        if let Some(done) = self.done()
            && self.began.is_none()
        {
            self.began = Some((at, done));
        }
    }

    /// Where the training is.
    fn place(&mut self, reading: &Reading) {
        self.steps = reading.steps.or(self.steps);
        self.epochs = reading.epochs.or(self.epochs);
        // A later evaluation or a summary may carry no step, or an older one: never go back by itself.
        self.step = reading.step.or(self.step);
        self.epoch = reading.epoch.or(self.epoch);
        let Some(bar) = reading.bar.as_ref().filter(|bar| bar.is_training()) else { return };
        let label = epochs_of(&bar.label);
        if let Some((epoch, total)) = label {
            self.epoch = Some(epoch);
            self.epochs = total.or(self.epochs);
        }
        // Evaluation draws bars without a name, too: the longest one is the training.
        let newer = self.bar.as_ref().is_none_or(|kept| bar.total >= kept.total || label.is_some());
        if newer {
            if label.is_none() {
                self.step = Some(bar.done);
                self.steps = Some(bar.total);
            }
            self.bar = Some(bar.clone());
        }
    }

    fn summarise(&mut self, name: &str, value: f64) {
        if let Some(summary) = self.metrics.iter_mut().find(|summary| summary.name == name) {
            return summary.take(value);
        }
        // The last places are for what tells of a training.
        let room = if Kind::of(name) == Kind::Metric { METRICS } else { METRICS / 2 };
        if self.metrics.len() < room {
            let mut summary = Summary::new(name);
            summary.take(value);
            self.metrics.push(summary);
        }
    }

    fn draw(&mut self, reading: &Reading) {
        // What Trainer prints at its end is a mean over the whole training, and no point of a curve.
        if reading.values.iter().any(|(name, _)| name == "train_runtime") {
            return;
        }
        let axis = *self.axis.get_or_insert(match (self.step, self.epoch) {
            (Some(_), _) => Axis::Step,
            (None, Some(_)) => Axis::Epoch,
            (None, None) => Axis::Reading,
        });
        for (name, value) in &reading.values {
            if !worth_drawing(name) {
                continue;
            }
            let x = match axis {
                Axis::Step => self.step.map(to_f64),
                Axis::Epoch => self.epoch,
                Axis::Reading => {
                    self.metrics.iter().find(|summary| summary.name == *name).map(|it| to_f64(it.count))
                }
            };
            let Some(x) = x else { continue };
            match self.curves.iter().position(|curve| curve.name == *name) {
                Some(at) => self.curves[at].take(x, *value),
                None if self.curves.len() < CURVES => {
                    let mut curve = Curve::new(name);
                    curve.take(x, *value);
                    self.curves.push(curve);
                }
                None => {}
            }
        }
    }

    /// Which part of the training is done, from 0 to 1; `None` if the log does not say where it ends.
    #[must_use]
    pub fn done(&self) -> Option<f64> {
        let part = |done: f64, all: f64| (all > 0.0).then(|| (done / all).clamp(0.0, 1.0));
        if let (Some(step), Some(steps)) = (self.step, self.steps) {
            return part(to_f64(step), to_f64(steps));
        }
        let inner = self.bar.as_ref().filter(|bar| epochs_of(&bar.label).is_some());
        let inside = inner.and_then(|bar| part(to_f64(bar.done), to_f64(bar.total))).unwrap_or(0.0);
        part(self.epoch? + inside, self.epochs?)
    }

    /// How long the training will still take, from its pace so far; `None` while nobody can know.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<Duration> {
        let done = self.done()?;
        if done >= 1.0 {
            return Some(Duration::ZERO);
        }
        let (began, before) = self.began?;
        let (gone, won) = (now.since(began).as_secs_f64(), done - before);
        if gone < 1.0 || won < ENOUGH {
            // The bar's own guess comes sooner.
            let inner = self.bar.as_ref().filter(|bar| epochs_of(&bar.label).is_none())?;
            return inner.left_s.map(Duration::from_secs);
        }
        Duration::try_from_secs_f64(gone / won * (1.0 - done)).ok()
    }

    /// The metrics that people look at first: losses, then what tells of a training, then the rest.
    #[must_use]
    pub fn latest(&self, most: usize) -> Vec<&Summary> {
        let rank = |name: &str| match name {
            _ if is_loss(name) => 0,
            _ if Kind::of(name) == Kind::Metric => 1,
            "learning_rate" | "lr" => 2,
            _ => 3,
        };
        let mut sorted: Vec<&Summary> = self.metrics.iter().collect();
        sorted.sort_by_key(|summary| rank(&summary.name));
        sorted.truncate(most);
        sorted
    }
}

/// Losses, rewards and accuracies are drawn; learning rates, norms and speeds are not.
fn worth_drawing(name: &str) -> bool {
    let parts = |wanted: &[&str]| name.split(['_', '/', '-', '.', '@']).any(|part| wanted.contains(&part));
    is_loss(name)
        || name == "reward"
        || parts(&["accuracy", "acc", "f1", "perplexity", "ppl", "wer", "bleu"])
        || (is_evaluation(name) && parts(&["score", "auc", "mse", "mae"]))
}

/// `Epoch 2` and `Epoch 2/10` of a bar's label; Lightning counts from 0, as it is kept here.
fn epochs_of(label: &str) -> Option<(f64, Option<f64>)> {
    let words = label.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let rest = words.strip_prefix("Epoch").or_else(|| words.strip_prefix("epoch"))?.trim_start();
    let rest = rest.trim_start_matches(':').trim();
    let (now, total) = rest.split_once('/').map_or((rest, None), |(now, total)| (now, Some(total)));
    let number = |text: &str| text.trim().parse::<u32>().ok().map(f64::from);
    Some((number(now)?, total.and_then(number)))
}

#[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
fn to_f64(number: u64) -> f64 {
    number as f64
}
