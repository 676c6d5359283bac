//! Commands as the model runs them: output, time-outs, stops, environment.

use std::fs;

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::*;
use crate::agent::tool::Risk;
use crate::tools::workspace::fixture::Room;

fn tool(config: ToolsConfig) -> Bash {
    let environment = [
        ("PATH", std::env!("PATH")),
        ("HOME", "/nowhere"),
        ("HF_TOKEN", "hf_do_not_show"),
        ("LC_ALL", "C.UTF-8"),
        ("WANTED", "yes"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Bash::new(config, &environment, vec![Secret::new("hf_do_not_show")])
}

fn plain() -> Bash {
    tool(ToolsConfig::default())
}

async fn run(room: &Room, command: &str) -> ToolOutcome {
    plain().call(json!({"command": command}), room.context()).await.unwrap()
}

/// Whether a process with this word on its command line is alive.
fn alive(word: &str) -> bool {
    fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let state = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let living = !state.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'));
        living && line.split(|b| *b == 0).any(|part| part == word.as_bytes())
    })
}

#[tokio::test]
async fn output_comes_in_the_order_in_which_it_was_written() {
    let room = Room::new();
    let done = run(&room, "echo one; echo two >&2; echo three; pwd").await;
    assert!(done.success);
    assert_eq!(done.output, format!("one\ntwo\nthree\n{}", room.root().display()));
    assert_eq!(run(&room, "true").await, ToolOutcome::done("(no output)"));
    assert_eq!(run(&room, "cat").await.output, "(no output)", "there is nothing to read from");
}

#[tokio::test]
async fn failures_tell_exit_code_and_signal() {
    let room = Room::new();
    let failed = run(&room, "echo x; exit 3").await;
    assert_eq!(failed, ToolOutcome::failed("x\n\n[exit code 3]"));
    let killed = run(&room, "kill -9 $$").await;
    assert_eq!(killed, ToolOutcome::failed("(no output)\n\n[ended by signal 9, SIGKILL]"));
}

#[tokio::test]
async fn commands_see_no_tokens_but_what_is_passed_on_purpose() {
    let room = Room::new();
    let config = ToolsConfig { pass_environment: vec!["WANTED".to_owned()], ..ToolsConfig::default() };
    let shown = tool(config).call(json!({"command": "env"}), room.context()).await.unwrap().output;
    for line in ["HOME=/nowhere", "LC_ALL=C.UTF-8", "TERM=dumb", "PYTHONUNBUFFERED=1", "WANTED=yes"] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    assert!(!shown.contains("HF_TOKEN"), "{shown}");
    assert!(!run(&room, "env").await.output.contains("WANTED"));
    assert_eq!(run(&room, "echo hf_do_not_show").await.output, "[REDACTED]");
}

#[tokio::test]
async fn long_output_is_cut_and_kept_whole_in_a_file() {
    let room = Room::new();
    let done = run(&room, "seq 1 20000").await;
    assert!(
        done.output.starts_with("1\n2\n") && done.output.ends_with("19999\n20000"),
        "{}",
        done.output.len()
    );
    assert!(done.output.chars().count() < 25_300);
    assert!(done.output.contains("all of it is in .ml-intern/output/call_1.txt"));
    let whole = fs::read_to_string(room.path(".ml-intern/output/call_1.txt")).unwrap();
    assert_eq!(whole.lines().count(), 20_000);
}

#[tokio::test]
async fn a_command_that_takes_too_long_ends_with_all_it_started() {
    let room = Room::new();
    let command = "trap '' TERM; echo begun; sleep 4711.1 & setsid sleep 4711.1 & sleep 4711.1";
    let started = Instant::now();
    let done = plain().call(json!({"command": command, "timeout": 1}), room.context()).await.unwrap();
    assert!(!done.success && done.output.starts_with("begun\n\n[timed out after 1 s;"), "{}", done.output);
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(!alive("4711.1"));
}

#[tokio::test]
async fn a_stop_ends_daemons_too_within_a_second() {
    let room = Room::new();
    // A child in a session of its own, a double fork, and one that dropped its environment.
    let command = "setsid sleep 4712.2 & (setsid sh -c 'sleep 4712.2 & exit' &) ; (env -i sleep 4712.2 &); sleep 4712.2";
    let (cancel, context) = (room.cancel.clone(), room.context());
    let call = tokio::spawn(async move { plain().call(json!({"command": command}), context).await });
    while !alive("4712.2") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stopped = Instant::now();
    cancel.cancel();
    assert!(matches!(call.await.unwrap(), Err(ToolError::Cancelled)));
    assert!(stopped.elapsed() < Duration::from_secs(1), "{:?}", stopped.elapsed());
    assert!(!alive("4712.2"));
}

#[tokio::test]
async fn what_is_left_in_the_background_ends_with_the_command() {
    let room = Room::new();
    let done = run(&room, "sleep 4713.3 & nohup setsid sleep 4713.3 >/dev/null 2>&1 & echo started").await;
    assert!(done.success && done.output.starts_with("started\n\n["), "{}", done.output);
    assert!(done.output.contains("left in the background"), "{}", done.output);
    assert!(!alive("4713.3"));
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_nothing_behind() {
    let room = Room::new();
    let call = run(&room, "setsid sleep 4714.4 & sleep 4714.4");
    assert!(timeout(Duration::from_millis(500), call).await.is_err());
    for _ in 0..100 {
        if !alive("4714.4") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it is still running");
}

#[tokio::test]
async fn people_see_the_last_line_while_it_runs() {
    let room = Room::new();
    run(&room, "echo step 1; sleep 1.3; echo step 2").await;
    assert_eq!(*room.lines.0.lock().unwrap(), ["step 1"]);
}

#[tokio::test]
async fn the_folder_stays_in_the_workspace() {
    let room = Room::new();
    fs::create_dir(room.path("sub")).unwrap();
    let inside = plain().call(json!({"command": "pwd", "work_dir": "sub"}), room.context()).await.unwrap();
    assert_eq!(inside.output, room.path("sub").display().to_string());
    for folder in ["..", "/", "/proc"] {
        let arguments = json!({"command": "pwd", "work_dir": folder});
        assert!(
            matches!(plain().assess(&arguments, &room.place()).unwrap().risk, Risk::Never { .. }),
            "{folder}"
        );
        assert!(plain().call(arguments, room.context()).await.is_err(), "{folder}");
    }
    let missing =
        plain().call(json!({"command": "pwd", "work_dir": "no"}), room.context()).await.unwrap_err();
    assert!(missing.to_string().contains("there is no folder"), "{missing}");
}

#[test]
fn people_are_asked_and_see_the_whole_command() {
    let room = Room::new();
    let command = "python train.py\necho done";
    let assessed =
        plain().assess(&json!({"command": command, "description": "train"}), &room.place()).unwrap();
    assert!(matches!(assessed.risk, Risk::Ask { .. }));
    assert_eq!((assessed.title.as_str(), assessed.preview.as_str()), ("train", command));
    assert_eq!(assessed.alike.unwrap().words, "shell commands in this session");
    assert_eq!(assessed.editable.as_deref(), Some("command"));
    for (arguments, said) in [
        (json!({"command": " "}), "`command` is empty"),
        (json!({"command": "x", "timeout": 0}), "`timeout` must be"),
        (json!({"command": "x", "timeout": 36_001}), "36000 seconds at most"),
        (json!({"command": "x", "background": true}), "background"),
    ] {
        let error = plain().assess(&arguments, &room.place()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
