//! Providers: base URLs, keys, time-outs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Providers by the prefix of their model ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// The Hugging Face Inference Router: every id without another known prefix.
    pub huggingface: Endpoint,
    /// `anthropic/…` when it has a key of its own; else such ids go to the router.
    pub anthropic: Endpoint,
    /// `openai/…` when it has a key of its own; else such ids go to the router.
    pub openai: Endpoint,
    /// `gemini/…`
    pub gemini: Endpoint,
    /// `ollama/…`
    pub ollama: Endpoint,
    /// `vllm/…`
    pub vllm: Endpoint,
    /// `lm_studio/…`
    pub lm_studio: Endpoint,
    /// `llamacpp/…`
    pub llamacpp: Endpoint,
    /// Seconds until the first byte of an answer.
    pub first_byte_timeout_s: u64,
    /// Seconds between two pieces of a streamed answer.
    pub idle_timeout_s: u64,
    /// Seconds for one whole answer.
    pub total_timeout_s: u64,
}

/// One provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// Base URL, with the version path where the provider has one.
    pub base_url: String,
    /// Key or token.
    pub api_key: Option<Secret>,
}

impl Endpoint {
    fn at(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), api_key: None }
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            huggingface: Endpoint::at("https://router.huggingface.co/v1"),
            anthropic: Endpoint::at("https://api.anthropic.com/v1"),
            openai: Endpoint::at("https://api.openai.com/v1"),
            gemini: Endpoint::at("https://generativelanguage.googleapis.com/v1beta"),
            ollama: Endpoint::at("http://localhost:11434/v1"),
            vllm: Endpoint::at("http://localhost:8000/v1"),
            lm_studio: Endpoint::at("http://127.0.0.1:1234/v1"),
            llamacpp: Endpoint::at("http://localhost:8080/v1"),
            first_byte_timeout_s: 120,
            idle_timeout_s: 120,
            total_timeout_s: 1_800,
        }
    }
}
