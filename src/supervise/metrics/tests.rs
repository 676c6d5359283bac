//! Lines as trainers print them, and what is read in them.

use super::*;
use crate::clock::Timestamp;

/// `name=value` for each value, with step and epoch in front where there are some.
fn told(line: &str) -> String {
    let reading = read(line);
    let mut parts = Vec::new();
    if let Some(step) = reading.step {
        parts.push(format!("step {step}"));
    }
    if let Some(steps) = reading.steps {
        parts.push(format!("of {steps}"));
    }
    if let Some(epoch) = reading.epoch {
        parts.push(format!("epoch {epoch}"));
    }
    if let Some(epochs) = reading.epochs {
        parts.push(format!("of {epochs}"));
    }
    if let Some(bar) = &reading.bar {
        let left = bar.left_s.map(|left| format!(" {left}s left")).unwrap_or_default();
        parts.push(format!("[{} {}/{}{left}]", bar.label, bar.done, bar.total));
    }
    parts.extend(reading.values.iter().map(|(name, value)| format!("{name}={value}")));
    parts.join(", ")
}

#[test]
fn lines_of_trainers_are_read() {
    for (line, expected) in [
        // transformers.Trainer, before and since version 5.
        (
            "{'loss': 1.9342, 'grad_norm': 3.25, 'learning_rate': 1.8e-05, 'epoch': 0.32}",
            "epoch 0.32, loss=1.9342, grad_norm=3.25, learning_rate=0.000018",
        ),
        (
            "{'loss': '0.8321', 'grad_norm': '1.062', 'learning_rate': '1.2e-05', 'epoch': '1.5'}",
            "epoch 1.5, loss=0.8321, grad_norm=1.062, learning_rate=0.000012",
        ),
        (
            " 10%|█         | 50/500 [00:25<03:45,  2.00it/s]{'loss': 0.9, 'epoch': 1.0}",
            "epoch 1, [ 50/500 225s left], loss=0.9",
        ),
        (
            "{'eval_loss': 0.4512, 'eval_accuracy': 0.871, 'eval_runtime': 12.3, 'eval_samples_per_second': 81.3, \
             'epoch': 2.0}",
            "epoch 2, eval_loss=0.4512, eval_accuracy=0.871, eval_runtime=12.3, eval_samples_per_second=81.3",
        ),
        ("  Num Epochs = 3", "of 3"),
        ("  Total optimization steps = 1,875", "of 1875"),
        // TRL.
        (
            "{'loss': 0.6931, 'rewards/chosen': 0.0012, 'rewards/rejected': -0.0031, 'rewards/margins': 0.0043, \
             'rewards/accuracies': 0.5125, 'logps/chosen': -121.5, 'epoch': 0.1}",
            "epoch 0.1, loss=0.6931, rewards/chosen=0.0012, rewards/rejected=-0.0031, rewards/margins=0.0043, \
             rewards/accuracies=0.5125, logps/chosen=-121.5",
        ),
        (
            "{'loss': 0.0, 'completions/mean_length': 64.0, 'reward': 0.25, 'reward_std': 0.11, 'kl': 0.0004, \
             'frac_reward_zero_std': 0.5, 'epoch': 0.01}",
            "epoch 0.01, loss=0, completions/mean_length=64, reward=0.25, reward_std=0.11, kl=0.0004, \
             frac_reward_zero_std=0.5",
        ),
        // NaN and infinity.
        (
            "{'loss': nan, 'grad_norm': inf, 'learning_rate': 2e-05, 'epoch': 0.4}",
            "epoch 0.4, loss=NaN, grad_norm=inf, learning_rate=0.00002",
        ),
        (r#"{"step": 7, "loss": NaN, "grad_norm": -Infinity}"#, "step 7, loss=NaN, grad_norm=-inf"),
        // JSON lines.
        (
            r#"{"step": 120, "train/loss": 2.31, "lr": 0.0003, "msg": "train", "ts": 1764000000.5}"#,
            "step 120, train/loss=2.31, lr=0.0003",
        ),
        (
            r#"INFO:train:{"iteration": 5, "metrics": {"loss": 0.5, "acc": 0.75}, "tags": ["a", "b"]}"#,
            "step 5, metrics_loss=0.5, metrics_acc=0.75",
        ),
        (
            r#"{"eval": {"metric": "accuracy", "accuracy": 0.91, "base_accuracy": 0.5, "model_revision": "12"}}"#,
            "accuracy=0.91, base_accuracy=0.5",
        ),
        (r#"{"val": {"loss": 0.5}}"#, "val_loss=0.5"),
        // Lightning.
        (
            "Epoch 3:  40%|████      | 40/100 [00:08<00:12,  4.96it/s, v_num=2, train_loss=0.231]",
            "[Epoch 3 40/100 12s left], train_loss=0.231",
        ),
        (
            "Epoch 0: 100%|██████████| 938/938 [00:21<00:00, 43.2it/s, v_num=0, val_loss=0.12, val_acc=0.96]",
            "[Epoch 0 938/938 0s left], val_loss=0.12, val_acc=0.96",
        ),
        // Plain prints.
        ("step=100 loss=0.532 lr=1e-4", "step 100, loss=0.532, lr=0.0001"),
        ("Step 100/1000, Loss: 0.53, Acc: 85.2%", "step 100, of 1000, loss=0.53, acc=85.2"),
        ("epoch: 1/3 | step: 250 | loss: 1.25", "step 250, epoch 1, of 3, loss=1.25"),
        ("Epoch [2/10], Loss: 0.4312", "epoch 2, of 10, loss=0.4312"),
        ("iter 2000: loss 2.0512, time 142.31ms, mfu 12.4%", "step 2000, loss=2.0512"),
        ("step 250: train loss 2.4591, val loss 2.4712", "step 250, train_loss=2.4591, val_loss=2.4712"),
        ("2026-11-25 10:11:12,345 INFO train.py:88 loss=0.5", "loss=0.5"),
        ("val_loss: 0.31 - val_accuracy: 0.9", "val_loss=0.31, val_accuracy=0.9"),
        ("loss: tensor(0.5312, device='cuda:0', grad_fn=<NllLossBackward0>)", "loss=0.5312"),
        ("[rank0]: step: 3 loss: 2.5", "step 3, loss=2.5"),
        ("Train Loss: 0.25 Val Loss: 0.75", "train_loss=0.25, val_loss=0.75"),
        // Bars.
        ("Map:  12%|█▏        | 1200/10000 [00:01<00:09, 912.33 examples/s]", "[Map 1200/10000 9s left]"),
        ("  0%|          | 0/500 [00:00<?, ?it/s]", "[ 0/500]"),
        ("  3%|▎         | 15/500 [01:02<1:02:03,  4.12s/it]", "[ 15/500 3723s left]"),
        (
            "model.safetensors:  55%|█████▌    | 540M/980M [00:04<00:03, 120MB/s]",
            "[model.safetensors 540000000/980000000 3s left]",
        ),
    ] {
        assert_eq!(told(line), expected, "{line}");
    }
}

#[test]
fn lines_that_say_nothing_of_a_training_give_nothing() {
    for line in [
        "",
        "Downloading https://huggingface.co:443/gpt2/resolve/main/config.json",
        "2026-11-25 10:11:12,345 - INFO - Loading model",
        "Installed 42 packages in 1.2s",
        "{'a': 1, 'b': 2}",
        r#"{"level": "info", "ts": 1764000000, "port": 8080}"#,
        "{'unclosed': 1, 'loss': ",
        "{{{{{{{{",
        "seed=42 batch_size=8",
        "error: 5",
        "a % b | c / d [ e",
        "100%|",
        "100%|█| 5/x [",
        "Glossary: 5",
        "==== :: == 12 :",
        "🤗 loss 🤗",
    ] {
        let reading = read(line);
        assert!(reading.values.is_empty() && reading.bar.is_none(), "{line}: {reading:?}");
    }
}

#[test]
fn hostile_lines_are_read_in_time_and_in_bounds() {
    let long = "x".repeat(1 << 20);
    for line in [
        "{".repeat(1 << 18),
        "loss=".repeat(1 << 16),
        "{'a': ".repeat(1 << 16),
        "%|".repeat(1 << 16),
        (0..10_000).map(|number| format!("loss_{number}=1 ")).collect::<String>(),
        format!("{{'loss': '{long}'}}"),
        "é".repeat(1 << 16),
        "[".repeat(1 << 16),
    ] {
        let started = std::time::Instant::now();
        let reading = read(&line);
        assert!(reading.values.len() <= MOST);
        assert!(started.elapsed().as_secs() < 2, "{}", &line[..20]);
    }
}

fn minutes(count: i64) -> Timestamp {
    Timestamp(count * 60_000)
}

/// What a log of one line per minute adds up to.
fn followed(lines: &[&str]) -> Track {
    let mut track = Track::default();
    for (minute, line) in (0..).zip(lines) {
        track.take(&read(line), minutes(minute));
    }
    track
}

#[test]
fn a_training_with_bars_knows_its_steps_and_what_is_left() {
    let track = followed(&[
        "Map: 100%|██████████| 90000/90000 [00:01<00:00, 912.33 examples/s]",
        "  0%|          | 0/400 [00:00<?, ?it/s]",
        " 25%|██▌       | 100/400 [01:00<03:00,  1.66it/s]{'loss': 2.0, 'epoch': 0.5}",
        "100%|██████████| 20/20 [00:01<00:00, 14.2it/s]",
        " 50%|█████     | 200/400 [02:00<02:00,  1.66it/s]{'loss': 1.0, 'epoch': 1.0}",
    ]);
    assert_eq!((track.step, track.steps, track.epoch), (Some(200), Some(400), Some(1.0)));
    // From minute 1 to minute 4 one half was done; the other half takes as long.
    assert_eq!(track.left(minutes(4)).unwrap().as_secs(), 180);
    assert_eq!(track.axis, Some(track::Axis::Step));
    assert_eq!(track.curves[0].drawn(), [(100.0, 2.0), (200.0, 1.0)]);
}

#[test]
fn a_training_without_bars_is_told_by_its_epochs() {
    let track = followed(&[
        "  Num Epochs = 2",
        "{'loss': 2.0, 'epoch': 0.5}",
        "{'eval_loss': 1.5, 'eval_accuracy': 0.5, 'epoch': 1.0}",
        "{'loss': 1.0, 'epoch': 1.0}",
        "{'train_runtime': 100.0, 'train_loss': 1.5, 'epoch': 1.0}",
    ]);
    assert_eq!(track.done(), Some(0.5));
    assert_eq!(track.left(minutes(4)).unwrap().as_secs(), 360);
    let names: Vec<_> = track.curves.iter().map(|curve| curve.name.as_str()).collect();
    assert_eq!(names, ["loss", "eval_loss", "eval_accuracy"]);
    assert_eq!(track.latest(2).iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["loss", "eval_loss"]);
}

#[test]
fn nobody_knows_what_is_left_without_an_end() {
    let track = followed(&["step=1 loss=2", "step=2 loss=1"]);
    assert_eq!((track.done(), track.left(minutes(5))), (None, None));
}

#[test]
fn a_track_stays_small_whatever_the_log_holds() {
    let mut track = Track::default();
    for number in 0..20_000_u32 {
        let line = format!(
            "step={number} loss={} loss_{}={number} other{}=1",
            number % 5,
            number % 500,
            number % 300
        );
        track.take(&read(&line), Timestamp(i64::from(number)));
    }
    let saved = serde_json::to_string(&track).unwrap();
    assert!(saved.len() < 40_000, "{}", saved.len());
    assert_eq!(serde_json::from_str::<Track>(&saved).unwrap(), track);
}
