//! The script of `evaluate`: our own template with what is to be measured filled in. Pure.

use serde_json::json;

use super::arguments::{Arguments, Metric, Task};
use crate::agent::tool::BadArguments;

/// Measures two models in the same way; runs as it is once its settings stand in it.
const TEMPLATE: &str = include_str!("../../../../prompts/templates/evaluate.py");
/// The place of the settings in the template.
const PLACE: &str = "SETTINGS = json.loads(\"{}\")";
/// Rows that are measured if nobody says how many.
const ROWS: u32 = 500;

/// The metrics of a task, the usual one first.
fn metrics(task: Task) -> &'static [Metric] {
    match task {
        Task::TextClassification => &[Metric::Accuracy, Metric::MacroF1],
        Task::Perplexity => &[Metric::Perplexity],
        Task::ExactMatch => &[Metric::ExactMatch],
    }
}

/// The script that measures what these arguments name.
///
/// # Errors
/// Names the field.
pub(super) fn script(arguments: &Arguments) -> Result<String, BadArguments> {
    let task = arguments.task.unwrap_or(Task::Perplexity);
    let known = metrics(task);
    let metric = arguments.metric.unwrap_or(known[0]);
    if !known.contains(&metric) {
        return Err(BadArguments(format!(
            "`metric`: the task {} is measured by {}; got {}",
            json!(task),
            known.iter().map(|metric| json!(metric).to_string()).collect::<Vec<_>>().join(" or "),
            json!(metric)
        )));
    }
    for (field, value) in [("revision", &arguments.revision), ("model_revision", &arguments.model_revision)] {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if let Some(value) = value
            && (value.is_empty() || !value.chars().all(plain))
        {
            return Err(BadArguments(format!("`{field}`: `{}` is no revision", value.escape_debug())));
        }
    }
    match arguments.max_rows {
        Some(rows) if !(1..=100_000).contains(&rows) => {
            return Err(BadArguments(format!("`max_rows` must be from 1 to 100000; got {rows}")));
        }
        _ => {}
    }
    let settings = json!({
        "model": arguments.model,
        "model_revision": arguments.model_revision,
        "base_model": arguments.base_model,
        "dataset": arguments.dataset,
        "dataset_config": arguments.dataset_config,
        "revision": arguments.revision,
        "split": arguments.split.as_deref().unwrap_or("test"),
        "task": task,
        "metric": metric,
        "text_column": arguments.text_column,
        "label_column": arguments.label_column,
        "max_rows": arguments.max_rows.unwrap_or(ROWS),
    });
    // JSON within JSON is a Python text, too: both escape the same way.
    let filled = format!("SETTINGS = json.loads({})", json!(settings.to_string()));
    Ok(TEMPLATE.replacen(PLACE, &filled, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(more: &serde_json::Value) -> Arguments {
        let mut value = json!({
            "operation": "evaluate", "model": "alice/sft", "base_model": "Qwen/Qwen3-0.6B", "dataset": "alice/data"
        });
        for (key, field) in more.as_object().unwrap() {
            value[key] = field.clone();
        }
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_template_has_its_place_and_is_python() {
        assert_eq!(TEMPLATE.matches(PLACE).count(), 1);
        let facts = super::super::python::read(TEMPLATE).unwrap();
        assert!(facts.trains.is_none() && facts.wants_gpu.is_none(), "{facts:?}");
        assert!(facts.own_dependencies.contains(&"transformers".to_owned()));
    }

    #[test]
    fn what_is_measured_stands_in_the_script_and_cannot_break_it() {
        let script = script(&arguments(&json!({ "split": "it's \"\"\"\n\\ ü", "max_rows": 20 }))).unwrap();
        assert!(super::super::python::read(&script).is_ok());
        let line = script.lines().find(|line| line.starts_with("SETTINGS")).unwrap();
        let text = line.strip_prefix("SETTINGS = json.loads(").unwrap().strip_suffix(')').unwrap();
        let settings: serde_json::Value =
            serde_json::from_str(&serde_json::from_str::<String>(text).unwrap()).unwrap();
        assert_eq!(settings["split"], "it's \"\"\"\n\\ ü");
        assert_eq!((settings["max_rows"].as_u64(), &settings["metric"]), (Some(20), &json!("perplexity")));
    }

    #[test]
    fn wrong_settings_are_named() {
        for (more, words) in [
            (
                json!({ "task": "text_classification", "metric": "perplexity" }),
                "\"accuracy\" or \"macro_f1\"",
            ),
            (json!({ "revision": "a b" }), "`revision`: `a b` is no revision"),
            (json!({ "max_rows": 0 }), "`max_rows` must be from 1"),
        ] {
            let error = script(&arguments(&more)).unwrap_err().0;
            assert!(error.contains(words), "{more}: {error}");
        }
    }
}
