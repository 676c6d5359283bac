//! What the same arguments would run, and what cannot be run at all.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::tools::workspace::fixture::Room;

fn plan_in(room: &Room, value: &Value) -> Result<Plan, String> {
    let (operation, arguments) = Arguments::read(value).map_err(|error| error.0)?;
    Plan::of(operation, &arguments, &room.place()).map_err(|error| error.0)
}

fn plan(value: &Value) -> Result<Plan, String> {
    plan_in(&Room::new(), value)
}

#[test]
fn a_script_goes_through_a_pipe_that_no_quoting_can_break() {
    let script = "print('it\\'s \"quoted\" $HOME `x`')\nprint('é')\n";
    let plan = plan(&json!({
        "operation": "run", "script": script, "dependencies": ["trl", "torch>=2; python_version < '3.13'"],
        "python": "3.12", "script_args": ["--name", "it's"], "env": { "A": "b", "N": 1, "TQDM_DISABLE": "0" },
        "trackio_project": "p",
    }))
    .unwrap();
    let [shell, flag, line] = plan.command.as_slice() else { panic!("{:?}", plan.command) };
    assert_eq!((shell.as_str(), flag.as_str()), ("/bin/sh", "-lc"));
    let code = line.strip_prefix("printf %s ").unwrap().split(' ').next().unwrap();
    assert_eq!(STANDARD.decode(code).unwrap(), script.as_bytes());
    let rest = line.split(" | ").last().unwrap();
    assert_eq!(
        rest,
        "uv run --with trl --with 'torch>=2; python_version < '\\''3.13'\\''' --with hf-transfer --python 3.12 - --name 'it'\\''s'"
    );
    let values = ["A", "N", "TQDM_DISABLE", "TRACKIO_PROJECT"].map(|name| plan.environment[name].as_str());
    assert_eq!(values, ["b", "1", "0", "p"]);
    assert_eq!(plan.source, Source::Image(UV.to_owned()));
    let settings = "# dependencies: trl, torch>=2; python_version < '3.13', hf-transfer\n# env A=b\n# env N=1\n\
                    # env TQDM_DISABLE=0\n# env TRACKIO_PROJECT=p\n";
    assert_eq!(plan.preview(), (format!("# {rest}\n# image {UV}\n{settings}{script}"), "python"));
    assert_eq!((plan.flavour.as_str(), plan.timeout), ("cpu-basic", Duration::from_secs(1_800)));
}

#[test]
fn an_address_and_a_command_run_as_they_are() {
    let address =
        plan(&json!({ "operation": "run", "script": "https://example.com/t.py", "dependencies": ["trl"] }))
            .unwrap();
    assert_eq!(
        address.command,
        ["uv", "run", "--with", "trl", "--with", "hf-transfer", "https://example.com/t.py"]
    );
    let command = plan(&json!({
        "operation": "run", "command": ["python", "-c", "print(1)"], "image": "hf.co/spaces/a/b", "note": "Say one",
    }))
    .unwrap();
    assert_eq!(command.command, ["python", "-c", "print(1)"]);
    assert_eq!((command.source, command.title.as_str()), (Source::Space("a/b".to_owned()), "Say one"));
    assert!(command.environment.is_empty());
    assert_eq!(command.run, "python -c 'print(1)'");
    assert_eq!(address.preview().1, "sh");
    let run = "uv run --with trl --with hf-transfer https://example.com/t.py";
    assert_eq!(address.preview().0, format!("# image {UV}\n# dependencies: trl, hf-transfer\n{run}"));
}

#[test]
fn everything_that_decides_what_runs_is_shown_and_nothing_passes_for_a_line() {
    let plan = plan(&json!({
        "operation": "run", "command": ["python", "t.py"], "image": "evil/image",
        "env": { "PIP_INDEX_URL": "https://x\nimport evil", "T": "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH" },
        "secrets": { "LD_PRELOAD": "/x.so" },
    }))
    .unwrap();
    let (shown, language) = plan.preview();
    assert_eq!(language, "sh");
    for line in [
        "# image evil/image",
        r"# env PIP_INDEX_URL=https://x\nimport evil",
        "# secret LD_PRELOAD",
        "python t.py",
    ] {
        assert!(shown.lines().any(|it| it == line), "{line}\n{shown}");
    }
    assert!(!shown.contains("hf_abc") && !shown.contains("/x.so"), "{shown}");
}

#[test]
fn a_file_of_the_workspace_is_read_and_no_other() {
    let room = Room::new();
    fs::create_dir(room.path("src")).unwrap();
    fs::write(room.path("src/train.py"), "print(1)\n").unwrap();
    fs::write(room.path("data.py"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(room.path("big.py"), vec![b'#'; LARGEST + 1]).unwrap();
    let run = |script: &str| plan_in(&room, &json!({ "operation": "run", "script": script }));
    let plan = run("src/train.py").unwrap();
    assert!(plan.preview().0.ends_with("\nprint(1)\n"), "{}", plan.preview().0);
    assert_eq!(plan.title, "Run src/train.py");
    let before = plan.digest;
    fs::write(room.path("src/train.py"), "print(2)\n").unwrap();
    assert_ne!(run("./src/train.py").unwrap().digest, before, "what changed is another script");
    for (script, words) in [
        ("../train.py", "is outside the workspace"),
        ("/etc/passwd", "is outside the workspace"),
        ("missing.py", "is not there"),
        ("./src", "cannot be read"),
        ("data.py", "is no text"),
        ("big.py", "fit into a job's command"),
        ("http://example.com/x.py", "only https"),
    ] {
        let error = run(script).unwrap_err();
        assert!(error.contains(words), "{script}: {error}");
    }
    std::os::unix::fs::symlink("/etc/hostname", room.path("link.py")).unwrap();
    assert!(run("link.py").unwrap_err().contains("outside"));
}

#[test]
fn what_cannot_run_is_refused_before_anyone_is_asked() {
    for (value, words) in [
        (json!({ "script": "def f(:\n" }), "`script`: syntax error in line 1"),
        (json!({ "script": "x\0y" }), "zero byte"),
        (json!({ "script": format!("x = '{}'", "a".repeat(LARGEST)) }), "Put it on the Hub"),
        (json!({ "script": "(".repeat(5_000) }), "too deeply"),
        (json!({ "script": "print(1)", "timeout": "1h30m" }), "`timeout`: write it as"),
        (json!({ "script": "print(1)", "dependencies": ["--index-url=x"] }), "is no package"),
        (json!({ "script": "print(1)", "python": "3.12; rm -rf" }), "is no version"),
        (json!({ "script": "print(1)", "env": { "A B": "x" } }), "no name of a variable"),
        (json!({ "script": "print(1)", "env": { "A": {} } }), "`env.A` must be text"),
        (json!({ "script": "print(1)", "secrets": { "WANDB_API_KEY": "$WANDB_API_KEY" } }), "only HF_TOKEN"),
        (json!({ "script": "print(1)", "trackio_space_id": "a/b/c" }), "`trackio_space_id`"),
        (json!({ "command": [" "] }), "begins with nothing"),
    ] {
        let mut value = value;
        value["operation"] = json!("run");
        let error = plan(&value).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_token_in_the_script_is_not_shown() {
    let script = "token = 'hf_abcdefghijklmnopqrstuvwxyzABCDEFGH'\n";
    let plan = plan(&json!({ "operation": "run", "script": script, "secrets": { "HF_TOKEN": "$HF_TOKEN" } }))
        .unwrap();
    assert!(!plan.preview().0.contains("hf_abc") && plan.secrets.is_empty());
}

#[test]
fn an_evaluation_is_a_script_of_our_own() {
    let plan = plan(&json!({
        "operation": "evaluate", "model": "alice/sft", "base_model": "Qwen/Qwen3-0.6B", "dataset": "alice/data",
        "task": "exact_match", "hardware_flavor": " T4-Small ",
    }))
    .unwrap();
    assert_eq!((plan.purpose, plan.flavour.as_str()), (Purpose::Evaluate, "t4-small"));
    assert_eq!(plan.title, "Measure alice/sft against Qwen/Qwen3-0.6B");
    assert!(plan.dependencies().contains(&"transformers".to_owned()));
    assert_eq!(super::super::warn::of_plan(&plan), Vec::<String>::new());
}
