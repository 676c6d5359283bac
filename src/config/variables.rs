//! Every environment variable that the program reads, one line each.
//!
//! Owns [`VARIABLES`]: what a variable is called, what it means, and which key it sets. `.env.example`
//! lists the same names, and a test compares them. Never reads the environment itself.

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub what: &'static str,
    /// What becomes of it.
    pub sets: Sets,
}

/// What becomes of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sets {
    /// A text or secret at this path.
    Text(&'static [&'static str]),
    /// A whole number at this path.
    Number(&'static [&'static str]),
    /// `true` or `false` at this path (also 1/0, yes/no, on/off).
    Flag(&'static [&'static str]),
    /// The last key of all local providers (`base_url`, `api_key`) that nothing more specific set.
    Local(&'static str),
    /// Read elsewhere in `config`.
    Elsewhere,
}

use Sets::{Elsewhere, Flag, Local, Number, Text};

const fn variable(name: &'static str, what: &'static str, sets: Sets) -> Variable {
    Variable { name, what, sets }
}

/// Providers on this machine or in this network, which share `LOCAL_LLM_*`.
pub const LOCAL_PROVIDERS: [&str; 4] = ["ollama", "vllm", "lm_studio", "llamacpp"];

/// All of them. Where two set the same key, the later line wins.
pub const VARIABLES: &[Variable] = &[
    variable(
        "HUGGING_FACE_HUB_TOKEN",
        "Hugging Face token, by its older name",
        Text(&["models", "huggingface", "api_key"]),
    ),
    variable(
        "HF_TOKEN",
        "Hugging Face token: models by the Inference Router, the Hub",
        Text(&["models", "huggingface", "api_key"]),
    ),
    variable("HF_TOKEN_PATH", "File with the token that `hf auth login` saved", Elsewhere),
    variable("HF_HOME", "Folder of the Hub's own files, where its token file is", Elsewhere),
    variable(
        "HF_ROUTER_URL",
        "Base URL of the Inference Router",
        Text(&["models", "huggingface", "base_url"]),
    ),
    variable("HF_ENDPOINT", "Base URL of the Hub", Text(&["services", "hf_endpoint"])),
    variable(
        "S2_API_KEY",
        "Semantic Scholar key, for papers' citations",
        Text(&["services", "semantic_scholar_key"]),
    ),
    variable(
        "ANTHROPIC_API_KEY",
        "Anthropic key; without it anthropic/… goes to the router",
        Text(&["models", "anthropic", "api_key"]),
    ),
    variable("ANTHROPIC_BASE_URL", "Base URL of Anthropic's API", Text(&["models", "anthropic", "base_url"])),
    variable(
        "OPENAI_API_KEY",
        "OpenAI key; without it openai/… goes to the router",
        Text(&["models", "openai", "api_key"]),
    ),
    variable("OPENAI_BASE_URL", "Base URL of OpenAI's API", Text(&["models", "openai", "base_url"])),
    variable("GOOGLE_API_KEY", "Gemini key, by its other name", Text(&["models", "gemini", "api_key"])),
    variable("GEMINI_API_KEY", "Gemini key", Text(&["models", "gemini", "api_key"])),
    variable("GEMINI_BASE_URL", "Base URL of Gemini's API", Text(&["models", "gemini", "base_url"])),
    variable(
        "LOCAL_LLM_BASE_URL",
        "Base URL of any local model server without one of its own",
        Local("base_url"),
    ),
    variable("LOCAL_LLM_API_KEY", "Key of any local model server without one of its own", Local("api_key")),
    variable("OLLAMA_BASE_URL", "Base URL of ollama/…", Text(&["models", "ollama", "base_url"])),
    variable("OLLAMA_API_KEY", "Key of ollama/…", Text(&["models", "ollama", "api_key"])),
    variable("VLLM_BASE_URL", "Base URL of vllm/…", Text(&["models", "vllm", "base_url"])),
    variable("VLLM_API_KEY", "Key of vllm/…", Text(&["models", "vllm", "api_key"])),
    variable("LMSTUDIO_BASE_URL", "Base URL of lm_studio/…", Text(&["models", "lm_studio", "base_url"])),
    variable("LMSTUDIO_API_KEY", "Key of lm_studio/…", Text(&["models", "lm_studio", "api_key"])),
    variable("LLAMACPP_BASE_URL", "Base URL of llamacpp/…", Text(&["models", "llamacpp", "base_url"])),
    variable("LLAMACPP_API_KEY", "Key of llamacpp/…", Text(&["models", "llamacpp", "api_key"])),
    variable("SLACK_API_URL", "Base URL of Slack's Web API, ending in /api", Text(&["slack", "api_url"])),
    variable("SLACK_BOT_TOKEN", "Bot token, xoxb-…", Text(&["slack", "bot_token"])),
    variable("SLACK_APP_TOKEN", "App-level token for Socket Mode, xapp-…", Text(&["slack", "app_token"])),
    variable(
        "SLACK_SIGNING_SECRET",
        "Signing secret, for events over HTTP",
        Text(&["slack", "signing_secret"]),
    ),
    variable(
        "SLACK_CHANNEL_ID",
        "Channel for notices; with SLACK_BOT_TOKEN it makes a destination",
        Elsewhere,
    ),
    variable("SLACK_CHANNEL", "The same, by its other name", Elsewhere),
    variable(
        "ML_INTERN_SLACK_NOTIFICATIONS",
        "Off: the environment makes no destination (default on)",
        Elsewhere,
    ),
    variable("ML_INTERN_SLACK_DESTINATION", "Name of that destination (default slack.default)", Elsewhere),
    variable("ML_INTERN_SLACK_ALLOW_AGENT_TOOL", "Let the notify tool send there (default on)", Elsewhere),
    variable(
        "ML_INTERN_SLACK_ALLOW_AUTO_EVENTS",
        "Let events send there by themselves (default on)",
        Elsewhere,
    ),
    variable(
        "ML_INTERN_SLACK_AUTO_EVENTS",
        "Which events do: approval_required,error,turn_complete",
        Elsewhere,
    ),
    variable("GITHUB_TOKEN", "GitHub token", Text(&["services", "github_token"])),
    variable("GITHUB_API_URL", "Base URL of GitHub's API", Text(&["services", "github_api_url"])),
    variable("ML_INTERN_DEFAULT_MODEL_ID", "The model, by ml-intern's older name", Text(&["model_name"])),
    variable("ML_INTERN_MODEL", "The model, provider/model", Text(&["model_name"])),
    variable(
        "ML_INTERN_MAX_ITERATIONS",
        "Model calls per turn; -1 for no limit",
        Number(&["max_iterations"]),
    ),
    variable("ML_INTERN_YOLO_MODE", "Auto-approve what policy lets it", Flag(&["yolo_mode"])),
    variable(
        "ML_INTERN_REASONING_EFFORT",
        "minimal, low, medium, high, xhigh or max",
        Text(&["reasoning_effort"]),
    ),
    variable(
        "ML_INTERN_CLI_CONFIG",
        "Your own configuration file, in place of ~/.config/ml-intern/config.json",
        Elsewhere,
    ),
    variable("ML_INTERN_DATA_DIR", "Where sessions and work folders are kept", Text(&["store", "data_dir"])),
    variable(
        "ML_INTERN_BIND",
        "Address of serve: health, metrics, Slack over HTTP",
        Text(&["server", "bind"]),
    ),
    variable("XDG_CONFIG_HOME", "Where ~/.config is, if not there", Elsewhere),
    variable("XDG_CACHE_HOME", "Where ~/.cache is, if not there", Elsewhere),
    variable("VISUAL", "Editor for changing a call before it runs", Elsewhere),
    variable("EDITOR", "The same, if VISUAL is not set", Elsewhere),
    variable("NO_COLOR", "Set to anything: no colours", Elsewhere),
    variable("TERM", "`dumb`: no colours and no line editing", Elsewhere),
    variable("RUST_LOG", "Which log lines to show, in place of -v", Elsewhere),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::schema;
    use super::*;

    #[test]
    fn each_name_is_listed_once() {
        let names: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), VARIABLES.len());
    }

    #[test]
    fn every_path_leads_to_a_key() {
        let schema = schema::config();
        for variable in VARIABLES {
            let path = match variable.sets {
                Text(path) | Number(path) | Flag(path) => path.to_vec(),
                Local(key) => vec!["models", LOCAL_PROVIDERS[0], key],
                Elsewhere => continue,
            };
            let found = path.iter().try_fold(&schema, |at, key| {
                let at =
                    at.get("$ref").and_then(Value::as_str).map_or(Some(at), |to| schema.pointer(&to[1..]))?;
                at.get("properties")?.get(*key)
            });
            assert!(found.is_some(), "{} sets {path:?}, which is no key", variable.name);
        }
    }
}
