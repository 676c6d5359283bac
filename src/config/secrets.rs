//! Which values must not be shown.
//!
//! Owns the list, for whoever redacts: logs, `config show`, tool output. Never shows one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Config, Destination};
use crate::secret::Secret;

/// Shorter texts are no secrets worth hiding, and hiding them would blot out ordinary words.
const SHORTEST: usize = 8;

/// All secrets of a configuration, and those of the environment by the look of their names.
/// Longest first, so that none is cut by a shorter one.
pub(super) fn values(config: &Config, env: &BTreeMap<String, String>) -> Vec<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut config_copy = config.clone();
    for secret in optional(&mut config_copy).into_iter().flatten() {
        found.insert(secret.reveal().to_owned());
    }
    found.extend(config.hub.tokens.values().map(|token| token.reveal().to_owned()));
    for Destination::Slack(slack) in config.messaging.destinations.values() {
        found.insert(slack.token.reveal().to_owned());
    }
    for server in config.mcp_servers.values() {
        for section in ["env", "headers"] {
            let texts = server.get(section).and_then(Value::as_object);
            found.extend(
                texts.into_iter().flat_map(|map| map.values()).filter_map(Value::as_str).map(str::to_owned),
            );
        }
    }
    found.extend(
        env.iter().filter(|(name, _)| is_secret_name(name)).map(|(_, value)| value.trim().to_owned()),
    );
    let mut found: Vec<String> = found.into_iter().filter(|text| text.len() >= SHORTEST).collect();
    found.sort_by_key(|text| std::cmp::Reverse(text.len()));
    found
}

/// Whether a variable's name says that its value is a secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_uppercase();
    let last = name.rsplit('_').next().unwrap_or_default();
    matches!(last, "TOKEN" | "KEY" | "SECRET" | "PASSWORD" | "PASSWD" | "CREDENTIALS")
        || name.contains("SECRET")
        || name.contains("PASSWORD")
}

/// A secret that is there but empty counts as none.
pub(super) fn drop_empty(config: &mut Config) {
    for secret in optional(config) {
        if secret.as_ref().is_some_and(Secret::is_empty) {
            *secret = None;
        }
    }
}

fn optional(config: &mut Config) -> [&mut Option<Secret>; 13] {
    let models = &mut config.models;
    [
        &mut models.huggingface.api_key,
        &mut models.anthropic.api_key,
        &mut models.openai.api_key,
        &mut models.gemini.api_key,
        &mut models.ollama.api_key,
        &mut models.vllm.api_key,
        &mut models.lm_studio.api_key,
        &mut models.llamacpp.api_key,
        &mut config.slack.bot_token,
        &mut config.slack.app_token,
        &mut config.slack.signing_secret,
        &mut config.services.github_token,
        &mut config.services.semantic_scholar_key,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_wherever_they_stand() {
        let mut config = Config::default();
        config.slack.bot_token = Some(Secret::new("xoxb-configured"));
        config.mcp_servers.insert(
            "one".to_owned(),
            serde_json::json!({"command": "not-a-secret", "headers": {"Authorization": "Bearer of-headers"}}),
        );
        let env = BTreeMap::from([
            ("WANDB_API_KEY".to_owned(), "wandb-key-of-env".to_owned()),
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("SHORT_KEY".to_owned(), "abc".to_owned()),
        ]);
        assert_eq!(values(&config, &env), ["Bearer of-headers", "wandb-key-of-env", "xoxb-configured"]);
    }
}
