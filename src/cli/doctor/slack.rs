//! Checks of Slack: tokens, scopes, the clock, Socket Mode, and destinations of notices.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;

use super::Check;
use crate::clients::http;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Destination, SlackConfig, SlackMode};
use crate::secret::Secret;
use crate::slack::manifest::{GROUPS_SCOPE, required_scopes};

/// Slack refuses signatures older than this, and so do we.
const SIGNATURE_LIFE: Duration = Duration::from_secs(300);
/// A clock this wrong is worth a word.
const SKEW_WORTH_A_WORD: Duration = Duration::from_secs(60);

const GET_TOKEN: &str = "at https://api.slack.com/apps open your app, \"Install App\", copy the bot token (xoxb-…) \
                         to SLACK_BOT_TOKEN; `ml-intern manifest` makes an app that fits";
const GET_APP_TOKEN: &str = "at https://api.slack.com/apps open your app, \"Basic Information\", \"App-Level Tokens\", \
                             make one with connections:write and copy it (xapp-…) to SLACK_APP_TOKEN";

/// What Slack said to one call.
struct Answer {
    body: Value,
    scopes: Option<Vec<String>>,
    date: Option<Timestamp>,
}

impl Answer {
    fn text(&self, key: &str) -> &str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_ok(&self) -> bool {
        self.body.get("ok").and_then(Value::as_bool) == Some(true)
    }
}

/// Tokens, scopes, clock, and how events arrive.
pub(super) async fn checks(config: &Config, clock: &Clock) -> anyhow::Result<Vec<Check>> {
    let slack = &config.slack;
    let Some(token) = &slack.bot_token else {
        return Ok(vec![Check::skipped("Slack", "no bot token; only `serve` needs one")]);
    };
    let client = http::client(Some(Duration::from_secs(15)))?;
    let mut checks = Vec::new();
    match call(&client, slack, "auth.test", token, &[]).await {
        Err(error) => {
            checks.push(Check::failed("Slack bot token", error, "check the network and SLACK_API_URL"));
        }
        Ok(answer) if !answer.is_ok() => {
            let error = format!("Slack refuses it: {}", answer.text("error"));
            checks.push(Check::failed("Slack bot token", error, GET_TOKEN));
        }
        Ok(answer) => {
            let found = format!("{} in {}", answer.text("user"), answer.text("team"));
            checks.push(Check::good("Slack bot token", found));
            let mut required = required_scopes().to_vec();
            if !config.approvals.groups().is_empty() {
                required.push(GROUPS_SCOPE);
            }
            checks.push(scopes(answer.scopes.as_deref(), &required));
            checks.push(skew(answer.date, clock.now()));
        }
    }
    checks.extend(delivery(&client, slack).await);
    Ok(checks)
}

/// Whether each destination's token is accepted.
pub(super) async fn destinations(config: &Config) -> anyhow::Result<Vec<Check>> {
    const NAME: &str = "destination";
    if !config.messaging.enabled {
        return Ok(vec![Check::skipped("destinations", "notices are off")]);
    }
    let client = http::client(Some(Duration::from_secs(15)))?;
    let mut asked: BTreeMap<String, Result<(), String>> = BTreeMap::new();
    let mut checks = Vec::new();
    for (name, Destination::Slack(slack)) in &config.messaging.destinations {
        let token = slack.token.reveal();
        if !asked.contains_key(token) {
            let outcome = match call(&client, &config.slack, "auth.test", &slack.token, &[]).await {
                Ok(answer) if answer.is_ok() => Ok(()),
                Ok(answer) => Err(format!("Slack refuses its token: {}", answer.text("error"))),
                Err(error) => Err(error),
            };
            asked.insert(token.to_owned(), outcome);
        }
        let to = format!("{name} → {}", slack.channel);
        checks.push(match asked.get(token) {
            Some(Err(error)) => Check::failed(
                NAME,
                format!("{to}: {error}"),
                format!("correct messaging.destinations.{name}.token, or remove the destination"),
            ),
            _ => {
                let channel = [("channel", slack.channel.as_str())];
                let info = call(&client, &config.slack, "conversations.info", &slack.token, &channel).await;
                place(name, &slack.channel, info)
            }
        });
    }
    Ok(checks)
}

/// Whether a destination's channel can be posted to, by what Slack says of it.
fn place(name: &str, channel: &str, info: Result<Answer, String>) -> Check {
    const NAME: &str = "destination";
    let to = format!("{name} → {channel}");
    match info {
        Ok(answer) if answer.is_ok() && answer.body["channel"]["is_member"] == false => Check::warning(
            NAME,
            format!("{to}: the bot is not a member of that channel"),
            "write /invite and the bot's name in that channel",
        ),
        Ok(answer) if answer.is_ok() => Check::good(NAME, to),
        Ok(answer) if answer.text("error") == "channel_not_found" && channel.starts_with(['C', 'G', 'D']) => {
            Check::failed(
                NAME,
                format!("{to}: the bot sees no such channel"),
                format!("correct messaging.destinations.{name}.channel, or invite the bot if it is private"),
            )
        }
        // Without the scope to look, or for a channel given by its name, only a post would tell.
        _ => Check::good(NAME, format!("{to}; the bot must be a member of that channel")),
    }
}

async fn delivery(client: &reqwest::Client, slack: &SlackConfig) -> Vec<Check> {
    const SOCKET: &str = "Slack Socket Mode";
    const HTTP: &str = "Slack over HTTP";
    let socket = match (&slack.app_token, slack.mode) {
        (_, SlackMode::Http) => Check::skipped(SOCKET, "slack.mode is http"),
        (None, SlackMode::Socket) => Check::failed(SOCKET, "there is no app-level token", GET_APP_TOKEN),
        (None, SlackMode::Auto) if slack.signing_secret.is_none() => Check::failed(
            SOCKET,
            "neither an app-level token nor a signing secret is set: no event can reach the bot",
            GET_APP_TOKEN,
        ),
        (None, SlackMode::Auto) => Check::skipped(SOCKET, "no app-level token; events come over HTTP"),
        (Some(token), _) => match call(client, slack, "apps.connections.open", token, &[]).await {
            Err(error) => Check::failed(SOCKET, error, "check the network and SLACK_API_URL"),
            Ok(answer) if answer.is_ok() => Check::good(SOCKET, "a connection can be opened"),
            Ok(answer) => {
                Check::failed(SOCKET, format!("Slack refuses it: {}", answer.text("error")), GET_APP_TOKEN)
            }
        },
    };
    let by_http = slack.mode == SlackMode::Http || slack.mode == SlackMode::Auto && slack.app_token.is_none();
    let http = match (&slack.signing_secret, by_http) {
        (Some(_), _) => Check::good(HTTP, "a signing secret is set"),
        (None, false) => Check::skipped(HTTP, "not needed with Socket Mode"),
        (None, true) => Check::failed(
            HTTP,
            "there is no signing secret",
            "at https://api.slack.com/apps open your app, \"Basic Information\", copy the signing secret to \
             SLACK_SIGNING_SECRET",
        ),
    };
    vec![socket, http]
}

fn scopes(granted: Option<&[String]>, required: &[&str]) -> Check {
    const NAME: &str = "Slack scopes";
    let Some(granted) = granted else {
        return Check::skipped(NAME, "Slack did not say which ones the token has");
    };
    let missing: Vec<&str> =
        required.iter().copied().filter(|scope| !granted.iter().any(|has| has == scope)).collect();
    if missing.is_empty() {
        return Check::good(NAME, format!("all {} are granted", required.len()));
    }
    Check::failed(
        NAME,
        format!("missing: {}", missing.join(", ")),
        "paste the output of `ml-intern manifest` as the app's manifest and install the app again",
    )
}

fn skew(theirs: Option<Timestamp>, ours: Timestamp) -> Check {
    const NAME: &str = "clock";
    let Some(theirs) = theirs else { return Check::skipped(NAME, "Slack's answer carries no date") };
    let off = ours.since(theirs).max(theirs.since(ours));
    let found = format!("{} s away from Slack's", off.as_secs());
    let advice = "set this machine's clock by the network (NTP); Slack's signatures count for 300 s only";
    if off >= SIGNATURE_LIFE {
        Check::failed(NAME, found, advice)
    } else if off > SKEW_WORTH_A_WORD {
        Check::warning(NAME, found, advice)
    } else {
        Check::good(NAME, "agrees with Slack's")
    }
}

async fn call(
    client: &reqwest::Client,
    slack: &SlackConfig,
    method: &str,
    token: &Secret,
    arguments: &[(&str, &str)],
) -> Result<Answer, String> {
    let url = format!("{}/{method}", slack.api_url.trim_end_matches('/'));
    let unreachable =
        |error: reqwest::Error| format!("{} does not answer: {}", slack.api_url, error.without_url());
    let response =
        client.post(&url).bearer_auth(token.reveal()).form(arguments).send().await.map_err(unreachable)?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let scopes =
        header("x-oauth-scopes").map(|list| list.split(',').map(|scope| scope.trim().to_owned()).collect());
    let date = header("date")
        .and_then(|date| DateTimeParser::new().parse_timestamp(date).ok())
        .map(|date| Timestamp(date.as_millisecond()));
    let status = response.status();
    let body: Value = response
        .json()
        .await
        .map_err(|_| format!("{} does not answer as Slack does (status {status})", slack.api_url))?;
    Ok(Answer { body, scopes, date })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::State;
    use super::*;

    #[test]
    fn missing_scopes_are_named() {
        let granted = ["chat:write".to_owned(), "users:read".to_owned()];
        assert_eq!(scopes(Some(&granted), &["chat:write"]).state, State::Good);
        let check = scopes(Some(&granted), &["chat:write", "commands", "im:read"]);
        assert_eq!((check.state, check.found.as_str()), (State::Failed, "missing: commands, im:read"));
        assert_eq!(scopes(None, &["chat:write"]).state, State::Skipped);
    }

    #[test]
    fn a_channel_that_cannot_be_posted_to_is_found() {
        let state = |channel: &str, body: Value| {
            place("ops", channel, Ok(Answer { body, scopes: None, date: None })).state
        };
        let unknown = || json!({"ok": false, "error": "channel_not_found"});
        assert_eq!(state("C1", json!({"ok": true, "channel": {"is_member": true}})), State::Good);
        assert_eq!(state("C1", json!({"ok": true, "channel": {"is_member": false}})), State::Warning);
        assert_eq!(state("C1", unknown()), State::Failed);
        assert_eq!(state("#general", unknown()), State::Good, "a name cannot be looked up");
        assert_eq!(state("C1", json!({"ok": false, "error": "missing_scope"})), State::Good);
        assert_eq!(place("ops", "C1", Err("no network".to_owned())).state, State::Good);
    }

    #[test]
    fn a_wrong_clock_is_found_in_both_directions() {
        let ours = Timestamp(1_000_000_000);
        let state = |seconds: i64| skew(Some(Timestamp(ours.0 + seconds * 1_000)), ours).state;
        assert_eq!(
            (state(0), state(-60), state(61), state(-299)),
            (State::Good, State::Good, State::Warning, State::Warning)
        );
        assert_eq!((state(300), state(-4_000)), (State::Failed, State::Failed));
        assert_eq!(skew(None, ours).state, State::Skipped);
    }
}
