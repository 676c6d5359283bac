//! Logs that go wrong, line by line.

use super::*;
use crate::supervise::metrics::read;

fn second(count: i64) -> Timestamp {
    Timestamp(count * 1_000)
}

/// The alarms of a log of one line per second.
fn raised(lines: &[&str]) -> Vec<Alarm> {
    let mut watch = Watch::default();
    let mut alarms = Vec::new();
    for (at, line) in (0..).zip(lines) {
        alarms.extend(watch.line(line, &read(line), second(at)));
    }
    alarms.extend(watch.silence(second(1_000_000), None));
    assert_eq!(alarms, watch.raised);
    alarms
}

fn kinds(lines: &[&str]) -> Vec<AlarmKind> {
    raised(lines).iter().map(|alarm| alarm.kind).collect()
}

#[test]
fn single_lines_that_tell_of_trouble() {
    use AlarmKind::{DiskFull, NotANumber, OutOfMemory};
    for (line, kind) in [
        ("{'loss': nan, 'epoch': 0.1}", Some(NotANumber)),
        (r#"{"step": 3, "train/loss": Infinity}"#, Some(NotANumber)),
        ("Loss is nan, stopping training", Some(NotANumber)),
        ("step=4 eval_loss=nan", Some(NotANumber)),
        ("{'loss': 0.5, 'grad_norm': inf, 'epoch': 0.1}", None),
        ("{'reward': nan, 'loss': 0.1}", None),
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of \
             22.03 GiB",
            Some(OutOfMemory),
        ),
        (
            "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            Some(OutOfMemory),
        ),
        ("Killed", Some(OutOfMemory)),
        ("Job failed with exit code: 137. Reason: OOMKilled", Some(OutOfMemory)),
        ("numpy.core._exceptions._ArrayMemoryError: Unable to allocate 30.0 GiB", Some(OutOfMemory)),
        ("OSError: [Errno 28] No space left on device: '/tmp/x'", Some(DiskFull)),
        ("The killed process was restarted", None),
        ("a nan in the dataset column is dropped", None),
        ("{'loss': 0.5, 'epoch': 0.1}", None),
    ] {
        assert_eq!(kinds(&[line]), kind.into_iter().collect::<Vec<_>>(), "{line}");
    }
}

#[test]
fn a_traceback_is_collected_to_its_end() {
    let alarms = raised(&[
        "Starting",
        "Traceback (most recent call last):",
        r#"  File "/tmp/train.py", line 12, in <module>"#,
        "    main()",
        "    ~~~~^^",
        r#"  File "/tmp/train.py", line 8, in main"#,
        r#"    data["text"]"#,
        "KeyError: 'text'",
        "Cleaning up",
    ]);
    assert_eq!(alarms.len(), 1);
    assert_eq!((alarms[0].kind, alarms[0].reason.as_str()), (AlarmKind::Traceback, "KeyError: 'text'"));
    assert!(alarms[0].excerpt.starts_with("Traceback") && alarms[0].excerpt.ends_with("KeyError: 'text'"));
    // It was told with the line that showed its end.
    assert_eq!(alarms[0].at, second(8));
}

#[test]
fn a_traceback_at_the_end_of_the_log_is_told_after_some_silence() {
    let mut watch = Watch::default();
    for (at, line) in (0..).zip(["Traceback (most recent call last):", "  File \"x\"", "ValueError: no"]) {
        assert!(watch.line(line, &read(line), second(at)).is_empty());
    }
    assert!(watch.silence(second(4), None).is_empty());
    let alarms = watch.silence(second(8), None);
    assert_eq!(alarms[0].reason, "ValueError: no");
}

#[test]
fn chained_and_ranked_tracebacks_are_one_alarm_of_the_right_kind() {
    let alarms = raised(&[
        "[rank0]: Traceback (most recent call last):",
        r#"[rank0]:   File "/tmp/train.py", line 12, in <module>"#,
        "[rank0]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.00 GiB.",
        "",
        "[rank0]: During handling of the above exception, another exception occurred:",
        "",
        "[rank0]: Traceback (most recent call last):",
        r#"[rank0]:   File "/tmp/train.py", line 14, in <module>"#,
        "[rank0]: RuntimeError: giving up",
        "done",
    ]);
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!(alarms[0].kind, AlarmKind::OutOfMemory);
    assert_eq!(alarms[0].reason, "RuntimeError: giving up");
}

#[test]
fn a_traceback_without_end_stays_small() {
    let mut lines = vec!["Traceback (most recent call last):".to_owned()];
    lines.extend((0..5_000).map(|frame| format!("  File \"deep.py\", line {frame}, in f")));
    lines.push("RecursionError: maximum recursion depth exceeded".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let alarms = raised(&lines);
    assert!(alarms[0].excerpt.chars().count() <= EXCERPT + 60);
    assert!(alarms[0].excerpt.ends_with("RecursionError: maximum recursion depth exceeded"));
    assert!(alarms[0].excerpt.contains("left out"));
}

/// Lines with these losses.
fn losses(values: impl IntoIterator<Item = f64>) -> Vec<AlarmKind> {
    let lines: Vec<String> =
        (0..).zip(values).map(|(step, loss)| format!("step={step} loss={loss}")).collect();
    kinds(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_loss_that_grows_away_diverges_and_noise_does_not() {
    let falling = |count: u32| (0..count).map(|step| 3.0 / (1.0 + f64::from(step) / 10.0));
    assert_eq!(losses(falling(100)), []);
    let exploding = falling(60).chain((0..20).map(|step| 1.5 * 1.4_f64.powi(step)));
    assert_eq!(losses(exploding), [AlarmKind::Diverging]);
    // One spike, two spikes: no.
    let spikes = falling(60).chain([40.0, 0.4, 0.4, 55.0]).chain(falling(60).skip(40));
    assert_eq!(losses(spikes), []);
    // Around zero, as GRPO's is: no.
    assert_eq!(losses((0..200).map(|step| if step % 2 == 0 { 0.001 } else { -0.02 })), []);
    // Wild from the beginning, without a way: no.
    assert_eq!(losses((0..200).map(|step| f64::from(step * 7919 % 13))), []);
    // A loss below zero that comes up to zero and above.
    let negative = (0..40).map(|_| -2.0).chain((0..20).map(f64::from));
    assert_eq!(losses(negative), [AlarmKind::Diverging]);
    // An evaluation's loss that grows is over-fitting.
    let lines: Vec<String> = (0..60).map(|step| format!("eval_loss={}", 0.1 * f64::from(step))).collect();
    assert_eq!(kinds(&lines.iter().map(String::as_str).collect::<Vec<_>>()), []);
}

#[test]
fn norms_that_stay_infinite_are_told_at_the_third() {
    let line = "{'loss': 0.5, 'grad_norm': inf, 'epoch': 0.1}";
    assert_eq!(kinds(&[line, line]), []);
    let alarms = raised(&[line, line, line, line]);
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].at, second(2));
}

#[test]
fn silence_is_a_stall_only_while_the_job_runs() {
    let mut watch = Watch::default();
    let running = Some(Running { since: second(100), stall_s: 900 });
    assert!(watch.silence(second(5_000), None).is_empty());
    assert!(watch.silence(second(999), running).is_empty());
    watch.line("alive", &read("alive"), second(999));
    assert!(watch.silence(second(1_800), running).is_empty());
    let alarms = watch.silence(second(1_900), running);
    assert_eq!(alarms[0].kind, AlarmKind::Stalled);
    assert_eq!(
        (alarms[0].reason.as_str(), alarms[0].excerpt.as_str()),
        ("It runs, and has written no line for 15 minutes.", "alive")
    );
    assert!(watch.silence(second(9_900), running).is_empty());
}

#[test]
fn each_kind_is_told_once_and_that_is_remembered() {
    let mut watch = Watch::default();
    let line = "{'loss': nan}";
    assert_eq!(watch.line(line, &read(line), second(1)).len(), 1);
    let saved = serde_json::to_string(&watch).unwrap();
    let mut watch: Watch = serde_json::from_str(&saved).unwrap();
    assert!(watch.line(line, &read(line), second(2)).is_empty());
    assert_eq!(watch.end(Some("Job failed with exit code: 137"), second(3)).len(), 1);
}
