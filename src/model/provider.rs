//! Reads model ids: which provider answers, where it lives, with which key, under which name.
//!
//! Pure. Never calls anybody. Start at [`resolve`].

use crate::config::{Endpoint, ModelConfig};
use crate::secret::Secret;

use super::ModelError;

/// The key that servers on this machine get when none is configured; most ignore it.
const LOCAL_KEY: &str = "sk-local-no-key-required";

/// How a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Chat completions, as OpenAI and everybody compatible.
    OpenAi,
    /// Messages, as Anthropic.
    Anthropic,
    /// `generateContent`, as Gemini.
    Gemini,
}

/// Whose door it is; decides sentences, keys and what may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// The Hugging Face Inference Router.
    Router,
    /// Anthropic itself.
    Anthropic,
    /// OpenAI itself.
    OpenAi,
    /// Google's Gemini.
    Gemini,
    /// A server of one's own, by its prefix.
    Local(&'static str),
}

impl Home {
    /// What people call it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Router => "the Hugging Face router",
            Self::Anthropic => "Anthropic",
            Self::OpenAi => "OpenAI",
            Self::Gemini => "Gemini",
            Self::Local("ollama") => "the Ollama server",
            Self::Local("vllm") => "the vLLM server",
            Self::Local("lm_studio") => "the LM Studio server",
            Self::Local(_) => "the llama.cpp server",
        }
    }

    /// How to give it a key.
    pub(super) fn key_hint(self) -> &'static str {
        match self {
            Self::Router => {
                "Set HF_TOKEN to a Hugging Face token that may call Inference Providers \
                 (https://huggingface.co/settings/tokens), or choose another model with `!model` or `--model`."
            }
            Self::Anthropic => {
                "Set ANTHROPIC_API_KEY to a valid key, or leave it out so that the id goes to the Hugging Face \
                 router with HF_TOKEN."
            }
            Self::OpenAi => {
                "Set OPENAI_API_KEY to a valid key, or leave it out so that the id goes to the Hugging Face \
                 router with HF_TOKEN."
            }
            Self::Gemini => {
                "Set GEMINI_API_KEY to a valid key, or choose another model with `!model` or `--model`."
            }
            Self::Local(_) => {
                "Give the server's key in the configuration (`models.<prefix>.api_key`) or in LOCAL_LLM_API_KEY."
            }
        }
    }
}

/// Where one id leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Whose door.
    pub(super) home: Home,
    /// How it speaks.
    pub(super) dialect: Dialect,
    /// Base URL, with exactly one slash at its end.
    pub(super) base_url: String,
    /// Key.
    pub(super) key: Secret,
    /// The name that goes on the wire, letter for letter.
    pub(super) name: String,
}

impl Target {
    /// Host and port for sentences; never user information, path or query.
    pub(super) fn place(&self) -> String {
        let rest = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit('@').next().unwrap_or_default().to_owned()
    }
}

/// Finds where an id leads.
///
/// # Errors
/// [`ModelError::Stop`] with a sentence that says what to do: the id has no usable form, or its
/// provider has no address or key.
pub(super) fn resolve(config: &ModelConfig, id: &str) -> Result<Target, ModelError> {
    if id.trim().is_empty() {
        return Err(malformed(id, "it is empty"));
    }
    if id.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(malformed(id, "it has white space in it"));
    }
    let locals = [
        ("ollama", &config.ollama),
        ("vllm", &config.vllm),
        ("lm_studio", &config.lm_studio),
        ("llamacpp", &config.llamacpp),
    ];
    for (prefix, endpoint) in locals {
        if let Some(name) = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
            return local(prefix, endpoint, id, name);
        }
    }
    if id.starts_with("openai-compat/") {
        return Err(malformed(id, "`openai-compat/` is not a provider here"));
    }
    hosted(config, id)
}

fn local(prefix: &'static str, endpoint: &Endpoint, id: &str, name: &str) -> Result<Target, ModelError> {
    if name.is_empty() {
        return Err(malformed(id, "the name of the model is missing after the slash"));
    }
    let trimmed = endpoint.base_url.trim().trim_end_matches('/');
    if trimmed.is_empty() {
        return Err(no_address(prefix));
    }
    let base_url = if trimmed.ends_with("/v1") { format!("{trimmed}/") } else { format!("{trimmed}/v1/") };
    let key = given_key(endpoint).unwrap_or_else(|| Secret::new(LOCAL_KEY));
    Ok(Target { home: Home::Local(prefix), dialect: Dialect::OpenAi, base_url, key, name: name.to_owned() })
}

fn hosted(config: &ModelConfig, id: &str) -> Result<Target, ModelError> {
    let id_without_prefix = id.strip_prefix("huggingface/").unwrap_or(id);
    let (path, tag) = match id_without_prefix.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (id_without_prefix, None),
    };
    let segments: Vec<&str> = path.split('/').collect();
    if segments.len() < 2 {
        return Err(malformed(id, "it names no organisation or provider"));
    }
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(malformed(id, "a part of it is empty"));
    }
    if tag == Some("") {
        return Err(malformed(id, "nothing follows the colon"));
    }
    let to_router = id_without_prefix != id;
    if !to_router && let Some(name) = id.strip_prefix("gemini/") {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        if !name.chars().all(plain) {
            return Err(malformed(id, "a Gemini name has only letters, digits, `.`, `-` and `_`"));
        }
        return endpoint(Home::Gemini, Dialect::Gemini, &config.gemini, "gemini", name);
    }
    // A tag names a provider behind the router, so a tagged id is always the router's.
    if !to_router && tag.is_none() {
        if let Some(name) = id.strip_prefix("anthropic/")
            && given_key(&config.anthropic).is_some()
        {
            return endpoint(Home::Anthropic, Dialect::Anthropic, &config.anthropic, "anthropic", name);
        }
        if let Some(name) = id.strip_prefix("openai/")
            && given_key(&config.openai).is_some()
        {
            return endpoint(Home::OpenAi, Dialect::OpenAi, &config.openai, "openai", name);
        }
    }
    endpoint(Home::Router, Dialect::OpenAi, &config.huggingface, "huggingface", id_without_prefix)
}

fn endpoint(
    home: Home,
    dialect: Dialect,
    endpoint: &Endpoint,
    section: &str,
    name: &str,
) -> Result<Target, ModelError> {
    let trimmed = endpoint.base_url.trim().trim_end_matches('/');
    if trimmed.is_empty() {
        return Err(no_address(section));
    }
    let key = given_key(endpoint).ok_or_else(|| ModelError::Stop {
        reason: format!("There is no key for {}, which answers for this model.", home.label()),
        hint: home.key_hint().to_owned(),
    })?;
    // Anthropic's own clients are configured without the version, ours with it: both are understood.
    let version = if home == Home::Anthropic && !trimmed.ends_with("/v1") { "/v1" } else { "" };
    Ok(Target { home, dialect, base_url: format!("{trimmed}{version}/"), key, name: name.to_owned() })
}

fn given_key(endpoint: &Endpoint) -> Option<Secret> {
    endpoint.api_key.clone().filter(|key| !key.is_empty())
}

fn no_address(section: &str) -> ModelError {
    ModelError::Stop {
        reason: format!("`models.{section}.base_url` is empty, so there is nobody to ask."),
        hint: format!("Set `models.{section}.base_url`, or remove the key to get the usual address back."),
    }
}

fn malformed(id: &str, why: &str) -> ModelError {
    let shown: String = id.chars().filter(|letter| !letter.is_control()).take(100).collect();
    ModelError::Stop {
        reason: format!("`{shown}` is not a model id: {why}."),
        hint: "Write `organisation/model` with an optional `:provider` (for instance `moonshotai/Kimi-K2.6`), \
               `gemini/model`, or `ollama/`, `vllm/`, `lm_studio/` or `llamacpp/` and the server's name for it."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ModelConfig {
        let mut config = ModelConfig::default();
        config.huggingface.api_key = Some(Secret::new("hf_test"));
        config
    }

    fn lead(config: &ModelConfig, id: &str) -> (Home, String, String) {
        let target = resolve(config, id).unwrap();
        (target.home, target.base_url, target.name)
    }

    #[test]
    fn ids_of_a_usable_form_are_told_from_the_others() {
        let mut config = config();
        config.gemini.api_key = Some(Secret::new("g"));
        for id in
            ["a/b", "a/b:fastest", "huggingface/a/b", "ollama/x", "ollama/llama3.1:8b", "gemini/gemini-3-pro"]
        {
            assert!(resolve(&config, id).is_ok(), "{id}");
        }
        for id in [
            "gpt-4",
            "a//b",
            "/b",
            "a/",
            "",
            " ",
            "ollama/x y",
            "ollama/",
            "openai-compat/x",
            "huggingface/a",
            "a/b:",
            "a b/c",
            "a/b\n",
            "gemini/",
            "gemini/../x",
            "a/:b",
            "vllm/",
        ] {
            let Err(ModelError::Stop { reason, hint }) = resolve(&config, id) else {
                panic!("{id:?} was taken");
            };
            assert!(!reason.is_empty() && hint.contains("organisation/model"), "{id:?}: {hint}");
        }
    }

    #[test]
    fn hosted_ids_go_to_the_router_letter_for_letter() {
        let config = config();
        let router = "https://router.huggingface.co/v1/".to_owned();
        for (id, name) in [
            ("huggingface/openai/gpt-5.5:fal-ai", "openai/gpt-5.5:fal-ai"),
            ("moonshotai/Kimi-K2.6:novita", "moonshotai/Kimi-K2.6:novita"),
            ("anthropic/claude-opus-4.8", "anthropic/claude-opus-4.8"),
            ("openai/gpt-oss-120b", "openai/gpt-oss-120b"),
        ] {
            assert_eq!(lead(&config, id), (Home::Router, router.clone(), name.to_owned()));
        }
    }

    #[test]
    fn a_key_of_its_own_takes_an_untagged_id_to_its_maker() {
        let mut config = config();
        config.anthropic.api_key = Some(Secret::new("sk-ant"));
        config.openai.api_key = Some(Secret::new("sk-oai"));
        assert_eq!(lead(&config, "anthropic/claude-opus-4-8").0, Home::Anthropic);
        for base in ["https://api.anthropic.com", "https://api.anthropic.com/v1/"] {
            config.anthropic.base_url = base.to_owned();
            assert_eq!(lead(&config, "anthropic/claude-opus-4-8").1, "https://api.anthropic.com/v1/");
        }
        assert_eq!(lead(&config, "openai/gpt-5.5").2, "gpt-5.5");
        assert_eq!(lead(&config, "anthropic/claude-opus-4.8:fal-ai").0, Home::Router);
        assert_eq!(lead(&config, "huggingface/openai/gpt-5.5").0, Home::Router);
    }

    #[test]
    fn local_servers_get_the_version_path_and_a_default_key() {
        let mut config = config();
        for (base, expected) in [
            ("http://localhost:11434", "http://localhost:11434/v1/"),
            ("http://localhost:11434/", "http://localhost:11434/v1/"),
            ("http://localhost:11434/v1/", "http://localhost:11434/v1/"),
            ("http://box/llm/v1", "http://box/llm/v1/"),
        ] {
            config.ollama.base_url = base.to_owned();
            let target = resolve(&config, "ollama/llama3.1:8b").unwrap();
            assert_eq!((target.base_url.as_str(), target.name.as_str()), (expected, "llama3.1:8b"));
            assert_eq!(target.key.reveal(), LOCAL_KEY);
        }
        config.vllm.api_key = Some(Secret::new("own"));
        let target = resolve(&config, "vllm/Qwen/Qwen3::x-high").unwrap();
        assert_eq!((target.name.as_str(), target.key.reveal()), ("Qwen/Qwen3::x-high", "own"));
    }

    #[test]
    fn a_missing_key_says_which_variable_to_set() {
        for (id, variable) in [("a/b", "HF_TOKEN"), ("gemini/gemini-3-pro", "GEMINI_API_KEY")] {
            let Err(ModelError::Stop { hint, .. }) = resolve(&ModelConfig::default(), id) else {
                panic!("{id} needs no key?");
            };
            assert!(hint.contains(variable), "{hint}");
        }
    }

    #[test]
    fn a_place_never_shows_user_information() {
        let mut config = config();
        config.vllm.base_url = "http://me:secret@box:8000/v1?key=x".to_owned();
        assert_eq!(resolve(&config, "vllm/m").unwrap().place(), "box:8000");
    }
}
