//! Scripts and what people are told about them.

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::tools::hub::jobs::arguments::Arguments;
use crate::tools::workspace::fixture::Room;

fn plan(value: &Value) -> Plan {
    let (operation, arguments) = Arguments::read(value).unwrap();
    Plan::of(operation, &arguments, &Room::new().place()).unwrap()
}

fn warnings(script: &str, dependencies: &[&str], flavour: &str) -> Vec<String> {
    of_plan(&plan(&json!({
        "operation": "run", "script": script, "dependencies": dependencies, "hardware_flavor": flavour,
        "timeout": "3h",
    })))
}

const TRAIN: &str = "from trl import SFTTrainer\nt = SFTTrainer(model='a/b')\nt.train()\n";

#[test]
fn each_danger_has_its_own_words() {
    for (script, dependencies, flavour, words) in [
        (TRAIN, &["trl"][..], "a10g-small", "pushes nothing to the Hub"),
        (
            "import sklearn, my_helpers\n",
            &[],
            "cpu-basic",
            "It imports `sklearn`, `my_helpers`, which no dependency",
        ),
        ("token = 'hf_abcdefghijklmnopqrstuvwxyzABCDEFGH'\n", &[], "cpu-basic", "looks like a secret"),
        ("import pandas\n", &["pandas"], "a100-large", "Nothing in the script uses a GPU"),
        ("import torch\ntorch.ones(1).cuda()\n", &["torch"], "cpu-upgrade", "needs a GPU (.cuda())"),
    ] {
        let found = warnings(script, dependencies, flavour);
        assert!(found.len() == 1 && found[0].contains(words), "{script}: {found:?}");
    }
}

#[test]
fn nothing_is_said_without_a_reason() {
    for (script, dependencies, flavour) in [
        (
            "from trl import SFTTrainer\nt = SFTTrainer(push_to_hub=True)\nt.train()\n",
            &["trl"][..],
            "a10g-small",
        ),
        ("import os, json, numpy\nimport transformers\n", &["trl>=0.12"], "t4-small"),
        ("try:\n    import wandb\nexcept ImportError:\n    pass\n", &[], "cpu-basic"),
        ("# /// script\n# dependencies = ['scikit-learn']\n# ///\nimport sklearn, scipy\n", &[], "cpu-basic"),
        ("from google.cloud import storage\n", &["google-cloud-storage"], "cpu-basic"),
        ("print('hello')\n", &[], "cpu-upgrade"),
    ] {
        assert_eq!(warnings(script, dependencies, flavour), Vec::<String>::new(), "{script}");
    }
}

#[test]
fn an_address_and_secrets_in_the_call_are_told() {
    let found = of_plan(&plan(&json!({
        "operation": "run", "script": "https://example.com/t.py", "secrets": { "WANDB_API_KEY": "abc", "HF_TOKEN": "$HF_TOKEN" },
    })));
    assert!(found[0].contains("at an address") && found[1].contains("1 secret stand"), "{found:?}");
    let short = plan(
        &json!({ "operation": "run", "script": TRAIN, "dependencies": ["trl"], "hardware_flavor": "t4-small" }),
    );
    assert!(of_plan(&short).iter().any(|warning| warning.contains("The time limit is 30 min")));
}

#[test]
fn a_command_and_variables_that_divert_are_told() {
    let found = of_plan(&plan(&json!({
        "operation": "run", "command": ["true"], "env": {
            "HF_ENDPOINT": "https://x", "UV_INDEX": "x", "UV_EXTRA_INDEX_URL": "x", "UV_DEFAULT_INDEX": "x",
            "PIP_INDEX_URL": "x", "PYTHONPATH": "x", "LD_PRELOAD": "x", "WANDB_PROJECT": "x", "HF_HOME": "x",
        },
    })));
    assert!(found[0].starts_with("Nobody has read what this command runs"), "{found:?}");
    assert_eq!(found.len(), 8, "{found:?}");
    assert!(found.contains(&"`UV_EXTRA_INDEX_URL` changes where code or tokens go.".to_owned()), "{found:?}");
}

fn run(outcome: &str, script: Option<&str>, minutes: i64) -> Run {
    Run {
        id: "job:a/1".into(),
        session: "s".into(),
        channel: None,
        thread: None,
        title: "first try".to_owned(),
        purpose: Purpose::Train,
        url: String::new(),
        flavour: "a10g-small".to_owned(),
        namespace: "a".to_owned(),
        script: script.map(str::to_owned),
        base_model: Some("a/b".to_owned()),
        dataset: Some("a/d".to_owned()),
        dataset_revision: None,
        output: None,
        output_commit: None,
        metrics: std::collections::BTreeMap::new(),
        cost: None,
        requester: "Ann".to_owned(),
        approved_by: Vec::new(),
        started_at: Timestamp(0),
        ended_at: Some(Timestamp(minutes * 60_000)),
        outcome: outcome.to_owned(),
    }
}

#[test]
fn an_estimate_rests_on_earlier_runs_or_is_not_made() {
    let script = format!("{TRAIN}load_dataset('a/d')\n");
    let plan = plan(&json!({
        "operation": "run", "script": script, "hardware_flavor": "a10g-small", "timeout": "1h", "dependencies": ["trl"],
    }));
    let hour = Duration::from_secs(3_600);
    assert_eq!(estimate(&plan, &[run("failed", Some(&plan.digest), 5)]), None);
    let same = estimate(&plan, &[run("completed", Some(&plan.digest), 58)]).unwrap();
    assert_eq!(same.words(), "58 min: the same script ran on a10g-small for so long before");
    assert!(same.warning(hour).unwrap().contains("shorter than it will probably take"));
    assert_eq!(same.warning(hour * 2), None);
    let alike = estimate(&plan, &[run("timed out", None, 60)]).unwrap();
    assert!(
        alike.at_least && alike.words().contains("first try") && alike.words().contains("not done"),
        "{alike:?}"
    );
    let other = Run { flavour: "h200".to_owned(), ..run("completed", None, 60) };
    assert_eq!(estimate(&plan, &[other]), None);
}
