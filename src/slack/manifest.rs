//! The Slack app manifest that this build needs, ready to paste.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// How deliveries reach us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Socket Mode.
    Socket,
    /// HTTP, at this public base URL.
    Http {
        /// Without a trailing slash.
        base_url: String,
    },
}

/// Bot scopes without which something does not work.
#[must_use]
pub fn required_scopes() -> &'static [&'static str] {
    &[
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "reactions:write",
        "users:read",
    ]
}

/// The scope that is needed only where rules name user groups.
pub const GROUPS_SCOPE: &str = "usergroups:read";

/// All bot scopes that the manifest asks for.
fn scopes() -> Vec<&'static str> {
    let mut all = required_scopes().to_vec();
    all.push(GROUPS_SCOPE);
    all.sort_unstable();
    all
}

/// The manifest.
#[must_use]
pub fn manifest(name: &str, delivery: &Delivery) -> Value {
    let url = |path: &str| match delivery {
        Delivery::Socket => None,
        Delivery::Http { base_url } => Some(format!("{}{path}", base_url.trim_end_matches('/'))),
    };
    let mut command = json!({
        "command": "/ml-intern",
        "description": "Ask the ML intern, or see what it can do",
        "usage_hint": "[request | help | status]",
        "should_escape": true,
    });
    let mut events = json!({
        "bot_events": [
            "agent_session_stopped",
            "app_home_opened",
            "app_mention",
            "app_uninstalled",
            "message.channels",
            "message.groups",
            "message.im",
            "message.mpim",
            "tokens_revoked",
        ],
    });
    let mut interactivity = json!({ "is_enabled": true });
    if let (Some(commands), Some(pushed), Some(pressed)) =
        (url("/slack/commands"), url("/slack/events"), url("/slack/interactivity"))
    {
        command["url"] = json!(commands);
        events["request_url"] = json!(pushed);
        interactivity["request_url"] = json!(pressed);
    }
    json!({
        "display_information": {
            "name": name,
            "description": "The machine-learning engineer that lives in your team's Slack.",
            "background_color": "#1f2937",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": false,
                "messages_tab_enabled": true,
                "messages_tab_read_only_enabled": false,
            },
            "bot_user": { "display_name": name, "always_online": true },
            "agent_view": {
                "agent_description": "Plans, writes and runs machine-learning work, and asks before anything risky.",
                "suggested_prompts": [
                    { "title": "Look at a dataset", "message": "Look at the dataset stanfordnlp/imdb and tell me what I should know before training on it." },
                    { "title": "Train a baseline", "message": "Train a small text-classification baseline and report its accuracy." },
                    { "title": "Explain an error", "message": "Here is a training error. What is wrong, and how do I fix it?" },
                ],
            },
            "slash_commands": [command],
        },
        "oauth_config": { "scopes": { "bot": scopes() } },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": *delivery == Delivery::Socket,
            "token_rotation_enabled": false,
        },
    })
}

/// JSON as YAML: block style, every string in double quotes (which YAML shares with JSON).
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    write_yaml(value, 0, &mut out);
    out
}

fn write_yaml(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                write!(out, "{indent}{name}:").ok();
                write_child(field, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut inner = String::new();
                write_yaml(item, depth + 1, &mut inner);
                // The first line of an item stands behind its dash.
                writeln!(out, "{indent}- {}", inner.trim_start().trim_end_matches('\n')).ok();
            }
        }
        scalar => writeln!(out, "{indent}{scalar}").unwrap_or_default(),
    }
}

fn write_child(value: &Value, depth: usize, out: &mut String) {
    let nested = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if nested {
        out.push('\n');
        write_yaml(value, depth + 1, out);
    } else {
        writeln!(out, " {value}").ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_keeps_the_shape_and_quotes_strings() {
        let value = json!({ "a": { "b": ["x: y", { "c": 1, "d": [true] }], "e": {} }, "f": "say \"hi\"\n" });
        assert_eq!(
            to_yaml(&value),
            "a:\n  b:\n    - \"x: y\"\n    - c: 1\n      d:\n        - true\n  e: {}\nf: \"say \\\"hi\\\"\\n\"\n"
        );
    }

    #[test]
    fn a_manifest_for_http_names_its_addresses_and_one_for_sockets_none() {
        let http = manifest("ml-intern", &Delivery::Http { base_url: "https://bot.example/".into() });
        assert_eq!(
            http["settings"]["event_subscriptions"]["request_url"],
            "https://bot.example/slack/events"
        );
        assert_eq!(http["features"]["slash_commands"][0]["url"], "https://bot.example/slack/commands");
        assert_eq!(http["settings"]["socket_mode_enabled"], false);
        let socket = manifest("ml-intern", &Delivery::Socket);
        assert_eq!(socket["settings"]["socket_mode_enabled"], true);
        assert!(!socket.to_string().contains("request_url"));
        // Slack's own limits.
        let agent = &socket["features"]["agent_view"];
        assert!(agent["agent_description"].as_str().unwrap().len() <= 300);
        assert!(agent["suggested_prompts"].as_array().unwrap().len() <= 4);
        assert!(socket["display_information"]["name"].as_str().unwrap().len() <= 35);
    }
}
