//! What the model may ask, and what it is told when it asks for something else.

use super::*;
use serde_json::json;

#[test]
fn what_is_wrong_is_named_with_what_is_allowed() {
    for (value, words) in [
        (json!({ "operation": "start" }), "`operation` must be one of run, evaluate, ps"),
        (json!({ "operation": "run" }), "give a `script`"),
        (json!({ "operation": "run", "script": " " }), "give a `script`"),
        (json!({ "operation": "run", "script": "x", "command": ["y"] }), "not both"),
        (json!({ "operation": "logs" }), "`job_id` is missing: `logs` needs it"),
        (json!({ "operation": "cancel", "job_id": ["a", "b"] }), "one job here"),
        (json!({ "operation": "inspect", "job_id": "../x" }), "`../x` is no name"),
        (json!({ "operation": "scheduled run", "script": "x" }), "`schedule` is missing"),
        (json!({ "operation": "scheduled run", "script": "x", "schedule": "soon" }), "five fields of cron"),
        (json!({ "operation": "scheduled delete" }), "`scheduled_job_id` is missing"),
        (json!({ "operation": "evaluate", "model": "a/b" }), "`base_model` is missing"),
        (
            json!({ "operation": "evaluate", "model": "a/b/c", "base_model": "x", "dataset": "y" }),
            "`model`: `a/b/c` is no repository name",
        ),
        (json!({ "operation": "ps", "namespace": "a/b" }), "`namespace`: `a/b` is no name"),
        (json!({ "operation": "ps", "nonsense": 1 }), "nonsense"),
        (json!({ "operation": "evaluate", "task": "dance" }), "task"),
    ] {
        let error = Arguments::read(&value).unwrap_err().0;
        assert!(error.contains(words), "{value}: {error}");
    }
}

#[test]
fn operations_are_read_however_they_are_written() {
    for (text, operation) in [
        ("run", Operation::Run),
        (" PS ", Operation::Ps),
        ("scheduled_ps", Operation::ScheduledPs),
        ("Scheduled  Ps", Operation::ScheduledPs),
    ] {
        assert_eq!(Operation::read(text).unwrap(), operation, "{text}");
    }
    for schedule in ["@daily", "0 9 * * 1", "*/5 0-6 * JAN,FEB MON"] {
        check_schedule(schedule).unwrap();
    }
}
