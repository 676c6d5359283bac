//! Named destinations for notices: their section, its checks, and its defaults from the environment.
//!
//! Pure: the environment comes in as a map. Start at [`MessagingConfig`]; the loader calls
//! [`apply_slack_environment`], then [`MessagingConfig::normalise`] and [`MessagingConfig::validate`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Named destinations for notices, as in ml-intern's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MessagingConfig {
    /// Off: nothing is sent.
    pub enabled: bool,
    /// Which events send a notice by themselves.
    pub auto_event_types: Vec<AutoEvent>,
    /// Destinations by name (lowercase letters, digits, `.`, `_`, `-`).
    pub destinations: BTreeMap<String, Destination>,
}

impl Default for MessagingConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            auto_event_types: vec![AutoEvent::ApprovalRequired, AutoEvent::Error, AutoEvent::TurnComplete],
            destinations: BTreeMap::new(),
        }
    }
}

/// A value that cannot be used, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message} (got {value:?})")]
pub struct Problem {
    /// The key, from the root (`messaging.destinations.ops.channel`), or the environment variable.
    pub path: String,
    /// What was found there; never a secret.
    pub value: String,
    /// What is wrong, and what would do.
    pub message: String,
}

impl MessagingConfig {
    /// Trims channels and names and drops repeated event types, keeping the first of each.
    pub fn normalise(&mut self) {
        let mut seen = Vec::new();
        self.auto_event_types.retain(|event| {
            let new = !seen.contains(event);
            seen.push(*event);
            new
        });
        for Destination::Slack(slack) in self.destinations.values_mut() {
            slack.channel = slack.channel.trim().to_owned();
            for text in [&mut slack.username, &mut slack.icon_emoji] {
                *text = text.take().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            }
        }
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn validate(&self) -> Result<(), Problem> {
        let problem = |path: String, value: &str, message: &str| {
            Err(Problem { path, value: value.to_owned(), message: message.to_owned() })
        };
        if self.enabled && self.destinations.is_empty() {
            return problem(
                "messaging.enabled".to_owned(),
                "true",
                "there is no destination; add one under messaging.destinations or switch messaging off",
            );
        }
        for (name, Destination::Slack(slack)) in &self.destinations {
            let path = format!("messaging.destinations.{name}");
            if !is_destination_name(name) {
                let message = "a destination's name has only lowercase letters, digits, `.`, `_` and `-`";
                return problem("messaging.destinations".to_owned(), name, message);
            }
            if slack.token.is_empty() {
                return problem(format!("{path}.token"), "", "a Slack destination needs a bot token");
            }
            if slack.channel.trim().is_empty() {
                return problem(
                    format!("{path}.channel"),
                    &slack.channel,
                    "a Slack destination needs a channel",
                );
            }
        }
        Ok(())
    }
}

fn is_destination_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
}

/// The environment variables that [`apply_slack_environment`] reads.
pub const SLACK_ENVIRONMENT: [&str; 8] = [
    "ML_INTERN_SLACK_NOTIFICATIONS",
    "SLACK_BOT_TOKEN",
    "SLACK_CHANNEL_ID",
    "SLACK_CHANNEL",
    "ML_INTERN_SLACK_DESTINATION",
    "ML_INTERN_SLACK_ALLOW_AGENT_TOOL",
    "ML_INTERN_SLACK_ALLOW_AUTO_EVENTS",
    "ML_INTERN_SLACK_AUTO_EVENTS",
];

/// Adds the Slack destination that the environment describes, if it has a token and a channel and
/// notifications are not switched off. A destination of that name that is there already stays as
/// it is; messaging is switched on either way.
///
/// # Errors
/// An unknown event type in `ML_INTERN_SLACK_AUTO_EVENTS`.
pub fn apply_slack_environment(
    messaging: &mut MessagingConfig,
    environment: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let text = |name: &str| environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let flag = |name: &str| match text(name).map(str::to_lowercase).as_deref() {
        Some("0" | "false" | "no" | "off") => false,
        // Every flag here is on by default, and what cannot be read counts as not set.
        _ => true,
    };
    if !flag("ML_INTERN_SLACK_NOTIFICATIONS") {
        return Ok(());
    }
    let channel = text("SLACK_CHANNEL_ID").or_else(|| text("SLACK_CHANNEL"));
    let (Some(token), Some(channel)) = (text("SLACK_BOT_TOKEN"), channel) else {
        return Ok(());
    };
    if let Some(list) = environment.get("ML_INTERN_SLACK_AUTO_EVENTS") {
        messaging.auto_event_types = auto_events(list)?;
    }
    messaging.enabled = true;
    let name = text("ML_INTERN_SLACK_DESTINATION").unwrap_or("slack.default");
    messaging.destinations.entry(name.to_owned()).or_insert_with(|| {
        Destination::Slack(SlackDestination {
            token: Secret::new(token),
            channel: channel.to_owned(),
            allow_agent_tool: flag("ML_INTERN_SLACK_ALLOW_AGENT_TOOL"),
            allow_auto_events: flag("ML_INTERN_SLACK_ALLOW_AUTO_EVENTS"),
            username: None,
            icon_emoji: None,
        })
    });
    Ok(())
}

fn auto_events(list: &str) -> Result<Vec<AutoEvent>, Problem> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| match name {
            "approval_required" => Ok(AutoEvent::ApprovalRequired),
            "error" => Ok(AutoEvent::Error),
            "turn_complete" => Ok(AutoEvent::TurnComplete),
            other => Err(Problem {
                path: "ML_INTERN_SLACK_AUTO_EVENTS".to_owned(),
                value: other.to_owned(),
                message: "the event types are approval_required, error and turn_complete".to_owned(),
            }),
        })
        .collect()
}

/// An event that sends a notice by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoEvent {
    /// People are asked.
    ApprovalRequired,
    /// A turn failed.
    Error,
    /// A turn ended well.
    TurnComplete,
}

/// One destination; `provider` says which kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "provider", rename_all = "snake_case")]
pub enum Destination {
    /// A Slack channel.
    Slack(SlackDestination),
}

/// A Slack channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackDestination {
    /// Bot token.
    pub token: Secret,
    /// Channel id.
    pub channel: String,
    /// Let the `notify` tool send here.
    #[serde(default)]
    pub allow_agent_tool: bool,
    /// Let events send here by themselves.
    #[serde(default)]
    pub allow_auto_events: bool,
    /// Name to post under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Emoji to post with, `:name:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_emoji: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(more: &[(&str, &str)]) -> BTreeMap<String, String> {
        [("SLACK_BOT_TOKEN", "xoxb-1"), ("SLACK_CHANNEL_ID", " C1 ")]
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn applied(more: &[(&str, &str)]) -> MessagingConfig {
        let mut messaging = MessagingConfig::default();
        apply_slack_environment(&mut messaging, &environment(more)).unwrap();
        messaging
    }

    fn slack(messaging: &MessagingConfig, name: &str) -> SlackDestination {
        let Destination::Slack(slack) = messaging.destinations[name].clone();
        slack
    }

    #[test]
    fn a_token_and_a_channel_make_the_default_destination() {
        let messaging = applied(&[]);
        assert!(messaging.enabled);
        assert_eq!(messaging.auto_event_types, MessagingConfig::default().auto_event_types);
        assert_eq!(
            slack(&messaging, "slack.default"),
            SlackDestination {
                token: Secret::new("xoxb-1"),
                channel: "C1".to_owned(),
                allow_agent_tool: true,
                allow_auto_events: true,
                username: None,
                icon_emoji: None,
            }
        );
        let mut without = MessagingConfig::default();
        apply_slack_environment(&mut without, &BTreeMap::new()).unwrap();
        assert_eq!(without, MessagingConfig::default());
    }

    #[test]
    fn the_second_name_of_the_channel_counts_too() {
        assert_eq!(
            slack(&applied(&[("SLACK_CHANNEL_ID", ""), ("SLACK_CHANNEL", "C2")]), "slack.default").channel,
            "C2"
        );
    }

    #[test]
    fn the_master_switch_is_on_unless_it_clearly_says_off() {
        for off in ["false", "0", "off", " NO "] {
            assert_eq!(
                applied(&[("ML_INTERN_SLACK_NOTIFICATIONS", off)]),
                MessagingConfig::default(),
                "{off}"
            );
        }
        for on in ["maybe", "", "1"] {
            assert!(applied(&[("ML_INTERN_SLACK_NOTIFICATIONS", on)]).enabled, "{on}");
        }
    }

    #[test]
    fn permissions_names_and_events_can_be_set() {
        let messaging = applied(&[
            ("ML_INTERN_SLACK_DESTINATION", "ops"),
            ("ML_INTERN_SLACK_ALLOW_AGENT_TOOL", "off"),
            ("ML_INTERN_SLACK_AUTO_EVENTS", " error, ,turn_complete"),
        ]);
        assert!(!slack(&messaging, "ops").allow_agent_tool);
        assert_eq!(messaging.auto_event_types, [AutoEvent::Error, AutoEvent::TurnComplete]);
        assert!(applied(&[("ML_INTERN_SLACK_AUTO_EVENTS", "")]).auto_event_types.is_empty());
        let bad = environment(&[("ML_INTERN_SLACK_AUTO_EVENTS", "foo")]);
        let problem = apply_slack_environment(&mut MessagingConfig::default(), &bad).unwrap_err();
        assert_eq!((problem.path.as_str(), problem.value.as_str()), ("ML_INTERN_SLACK_AUTO_EVENTS", "foo"));
    }

    #[test]
    fn a_destination_of_that_name_stays_as_it_is() {
        let mut messaging: MessagingConfig = serde_json::from_value(serde_json::json!({
            "destinations": {"slack.default": {"provider": "slack", "token": "xoxb-mine", "channel": "C9"}}
        }))
        .unwrap();
        apply_slack_environment(&mut messaging, &environment(&[])).unwrap();
        assert!(messaging.enabled);
        let kept = slack(&messaging, "slack.default");
        assert_eq!(
            (kept.token.reveal(), kept.channel.as_str(), kept.allow_agent_tool),
            ("xoxb-mine", "C9", false)
        );
    }

    #[test]
    fn what_cannot_work_is_refused_by_path() {
        let parse = |value: serde_json::Value| serde_json::from_value::<MessagingConfig>(value);
        let path = |value| parse(value).unwrap().validate().unwrap_err().path;
        let to = |name: &str, token: &str, channel: &str| serde_json::json!({"destinations": {name: {"provider": "slack", "token": token, "channel": channel}}});
        assert_eq!(path(serde_json::json!({"enabled": true})), "messaging.enabled");
        assert_eq!(path(to("Slack Ops", "t", "C1")), "messaging.destinations");
        assert_eq!(path(to("ops", " ", "C1")), "messaging.destinations.ops.token");
        assert_eq!(path(to("ops", "t", " ")), "messaging.destinations.ops.channel");
        assert!(parse(serde_json::json!({"auto_event_types": ["foo"]})).is_err());
        assert!(parse(serde_json::json!({"destinations": {"a": {"provider": "pigeon"}}})).is_err());
        assert!(
            parse(serde_json::json!({"destinations": {"a": {"provider": "slack", "token": "t", "channel": "c", "x": 1}}}))
                .is_err()
        );
    }

    #[test]
    fn repeated_events_and_stray_blanks_go() {
        let mut messaging: MessagingConfig = serde_json::from_value(serde_json::json!({
            "auto_event_types": ["error", "turn_complete", "error"],
            "destinations": {"a": {"provider": "slack", "token": " t ", "channel": " C1 ", "username": " "}}
        }))
        .unwrap();
        messaging.normalise();
        assert_eq!(messaging.auto_event_types, [AutoEvent::Error, AutoEvent::TurnComplete]);
        let kept = slack(&messaging, "a");
        assert_eq!((kept.channel.as_str(), kept.username), ("C1", None));
    }
}
