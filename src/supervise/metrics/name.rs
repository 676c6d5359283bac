//! Names of metrics: how they are written, and which of them tell of a training.

/// Characters of a name that are kept.
const LONGEST: usize = 48;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Where the training is, in steps.
    Step,
    /// Where it will end, in steps.
    Steps,
    /// Where it is, in epochs.
    Epoch,
    /// Where it will end, in epochs.
    Epochs,
    /// A number that tells how well it goes.
    Metric,
    /// A time of day, a process id, a port: no measure of anything.
    Ignored,
    /// Some other number.
    Other,
}

/// Parts of a name that tell of a training, between its separators.
const TELLING: &[&str] = &[
    "loss",
    "losses",
    "acc",
    "accuracy",
    "accuracies",
    "reward",
    "rewards",
    "kl",
    "f1",
    "precision",
    "recall",
    "bleu",
    "rouge",
    "rouge1",
    "rouge2",
    "rougel",
    "ppl",
    "perplexity",
    "grad",
    "gradnorm",
    "entropy",
    "score",
    "mse",
    "mae",
    "rmse",
    "auc",
    "wer",
    "cer",
    "map",
    "iou",
    "miou",
    "dice",
    "r2",
    "mrr",
    "ndcg",
    "pearson",
    "spearman",
    "matthews",
    "margin",
    "margins",
    "logps",
    "bpb",
    "elbo",
    "fid",
    "exact",
    "em",
    "pass",
];

impl Kind {
    /// What this (tidied) name stands for.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "step"
            | "global_step"
            | "_step"
            | "iter"
            | "iteration"
            | "update"
            | "train_step"
            | "trainer/global_step"
            | "train/global_step" => Self::Step,
            "total_optimization_steps" | "max_steps" | "total_steps" | "num_steps" => Self::Steps,
            "epoch" | "train/epoch" | "current_epoch" => Self::Epoch,
            "num_epochs" | "num_train_epochs" | "epochs" | "max_epochs" | "total_epochs" => Self::Epochs,
            "ts" | "timestamp" | "time" | "_timestamp" | "_runtime" | "pid" | "port" | "rank"
            | "local_rank" | "world_size" | "seed" | "v_num" | "line" | "lineno" | "level" | "elapsed"
            | "eta" | "thread" | "process" | "year" | "version" => Self::Ignored,
            // Where a line of code is, as loggers print it.
            _ if name.ends_with(".py") || name.ends_with("revision") => Self::Ignored,
            _ if name.split(['_', '/', '-', '.', '@']).any(|part| TELLING.contains(&part)) => Self::Metric,
            _ => Self::Other,
        }
    }
}

/// The name as it is kept: lower case, one `_` for spaces, no quotes. `None` if it is no name.
pub(super) fn tidy(raw: &str) -> Option<String> {
    let raw = raw.trim().trim_matches(['\'', '"', '`', '*', '[', '(', '|', '-', '>', '•']).trim();
    if raw.is_empty()
        || raw.len() > LONGEST
        || !raw.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    {
        return None;
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '-' | '.' | '@' | ' ');
    if !raw.chars().all(fits) {
        return None;
    }
    Some(raw.split_whitespace().collect::<Vec<_>>().join("_").to_ascii_lowercase())
}

/// Whether a name is a loss of training or evaluation.
#[must_use]
pub fn is_loss(name: &str) -> bool {
    name.split(['_', '/', '-', '.', '@']).any(|part| part == "loss" || part == "losses")
}

/// Whether a name belongs to an evaluation.
#[must_use]
pub fn is_evaluation(name: &str) -> bool {
    name.split(['_', '/', '-', '.', '@'])
        .any(|part| matches!(part, "eval" | "val" | "valid" | "validation" | "test" | "dev"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied_and_known() {
        for (raw, tidied) in [
            ("'loss'", Some("loss")),
            ("Train Loss", Some("train_loss")),
            ("rewards/chosen", Some("rewards/chosen")),
            ("| val loss", Some("val_loss")),
            ("http", Some("http")),
            ("3d", None),
            ("a=b", None),
            ("", None),
        ] {
            assert_eq!(tidy(raw).as_deref(), tidied, "{raw}");
        }
        for (name, kind) in [
            ("loss", Kind::Metric),
            ("rewards/margins", Kind::Metric),
            ("eval_f1", Kind::Metric),
            ("gloss_count", Kind::Other),
            ("step", Kind::Step),
            ("total_optimization_steps", Kind::Steps),
            ("num_epochs", Kind::Epochs),
            ("timestamp", Kind::Ignored),
            ("learning_rate", Kind::Other),
        ] {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
        assert!(is_loss("eval_loss") && !is_loss("glossary"));
        assert!(is_evaluation("val_loss") && is_evaluation("test/acc") && !is_evaluation("train_loss"));
    }
}
