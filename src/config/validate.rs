//! What a schema cannot say: numbers and texts that are of the right type and still make no sense.
//!
//! Owns the checks over a whole configuration. Never calls anything outside.

use super::error::{Origin, Problem};
use super::{Config, validate_approvals};

/// Everything that makes no sense; `origin` tells where a key came from.
pub(super) fn config(config: &Config, origin: impl Fn(&[String]) -> Option<Origin>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |path: &str, message: String| {
        let way: Vec<String> = path.split('.').map(str::to_owned).collect();
        problems.push(Problem { origin: origin(&way), path: path.to_owned(), message });
    };
    if config.max_iterations != -1 && config.max_iterations < 1 {
        let given = config.max_iterations;
        say("max_iterations", format!("{given} was given, but at least 1 is expected, or -1 for no limit"));
    }
    if config.model_name.trim().is_empty() {
        say("model_name", "it is empty, but a model is expected, as provider/model".to_owned());
    }
    let models = &config.models;
    let urls = [
        ("models.huggingface.base_url", &models.huggingface.base_url),
        ("models.anthropic.base_url", &models.anthropic.base_url),
        ("models.openai.base_url", &models.openai.base_url),
        ("models.gemini.base_url", &models.gemini.base_url),
        ("models.ollama.base_url", &models.ollama.base_url),
        ("models.vllm.base_url", &models.vllm.base_url),
        ("models.lm_studio.base_url", &models.lm_studio.base_url),
        ("models.llamacpp.base_url", &models.llamacpp.base_url),
        ("slack.api_url", &config.slack.api_url),
        ("services.hf_endpoint", &config.services.hf_endpoint),
        ("services.dataset_viewer_url", &config.services.dataset_viewer_url),
        ("services.spaces_url", &config.services.spaces_url),
        ("services.arxiv_url", &config.services.arxiv_url),
        ("services.ar5iv_url", &config.services.ar5iv_url),
        ("services.semantic_scholar_url", &config.services.semantic_scholar_url),
        ("services.gradio_url", &config.services.gradio_url),
        ("services.gradio_search_url", &config.services.gradio_search_url),
        ("services.github_api_url", &config.services.github_api_url),
    ];
    for (path, url) in urls {
        let after = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if after.is_none_or(str::is_empty) {
            say(path, format!("{url:?} was given, but an address with http:// or https:// is expected"));
        }
    }
    if !config.services.spaces_url.contains("{space}") {
        let given = &config.services.spaces_url;
        say(
            "services.spaces_url",
            format!("{given:?} was given, but {{space}} is expected in it, where the Space's name goes"),
        );
    }
    if !(1..=10).contains(&config.slack.connections) {
        let given = config.slack.connections;
        say(
            "slack.connections",
            format!("{given} was given, but 1 to 10 is expected (Slack allows no more)"),
        );
    }
    if jiff::tz::TimeZone::get(&config.budgets.time_zone).is_err() {
        let given = &config.budgets.time_zone;
        say(
            "budgets.time_zone",
            format!("{given:?} was given, but the name of a time zone is expected, as Europe/Paris or UTC"),
        );
    }
    if config.server.max_sessions_at_work == 0 {
        say("server.max_sessions_at_work", "0 was given, but at least 1 is expected".to_owned());
    }
    if config.store.retention_days == Some(0) {
        say(
            "store.retention_days",
            "0 was given, but at least 1 is expected, or null to keep all".to_owned(),
        );
    }
    let port = config.server.bind.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        let given = &config.server.bind;
        say("server.bind", format!("{given:?} was given, but ADDRESS:PORT is expected, as 127.0.0.1:8787"));
    }
    validate_approvals::approvals(&config.approvals, say);
    problems
}
