//! Events: messages, mentions, Slack's own Stop.

use serde_json::Value;

use super::text::{mentioned, speaks_to_those_mentioned, without_mention_of};
use super::thread_command::words;
use super::{Addressed, Inbound, Ourselves, Person, Spoken, TokenWish, Words};
use crate::slack::place::Place;

/// What an Events API payload (with `event` inside) means to us.
#[must_use]
pub fn event(payload: &Value, us: &Ourselves) -> Inbound {
    let event = &payload["event"];
    match event["type"].as_str().unwrap_or_default() {
        "message" | "app_mention" => message(payload, us),
        "agent_session_stopped" => stopped(payload, us),
        "tokens_revoked" if event["tokens"]["bot"].as_array().is_some_and(|tokens| !tokens.is_empty()) => {
            Inbound::Revoked
        }
        "app_uninstalled" => Inbound::Revoked,
        "" => Inbound::Nothing("an event without a type"),
        _ => Inbound::Nothing("an event that we do nothing about"),
    }
}

fn message(payload: &Value, us: &Ourselves) -> Inbound {
    let event = &payload["event"];
    let field = |name: &str| event[name].as_str().unwrap_or_default();
    match event["subtype"].as_str() {
        None | Some("file_share" | "thread_broadcast") => {}
        Some("message_changed") => return Inbound::Nothing("an edited message"),
        Some("message_deleted") => return Inbound::Nothing("a deleted message"),
        Some("bot_message") => return Inbound::Nothing("a bot's message"),
        Some(_) => return Inbound::Nothing("a message about the channel"),
    }
    if !event["edited"].is_null() {
        return Inbound::Nothing("an edited message");
    }
    if !event["bot_id"].is_null() || !event["bot_profile"].is_null() || field("user") == us.user {
        return Inbound::Nothing("a bot's message");
    }
    let (channel, ts, user) = (field("channel"), field("ts"), field("user"));
    if channel.is_empty() || ts.is_empty() || user.is_empty() {
        return Inbound::Nothing("a message without channel, time or author");
    }
    if event["hidden"].as_bool() == Some(true) {
        return Inbound::Nothing("a hidden message");
    }
    let raw = field("text");
    let people = mentioned(raw);
    let for_us = people.contains(&us.user) || field("type") == "app_mention";
    let direct = field("channel_type") == "im" || channel.starts_with('D');
    let thread = event["thread_ts"].as_str();
    let addressed = match (for_us || direct, thread) {
        (true, _) => Addressed::Us,
        // Somebody else is spoken to.
        (false, Some(_)) if speaks_to_those_mentioned(raw) => {
            return Inbound::Nothing("a reply to somebody else");
        }
        (false, Some(_)) => Addressed::Thread,
        // A token that somebody shows to a whole channel must not be passed over: they are told to revoke it.
        (false, None) if gives_a_token(raw) => Addressed::Us,
        (false, None) => return Inbound::Nothing("a message that is not for us"),
    };
    let said = without_mention_of(raw, &us.user);
    let words = match words(&said) {
        // A file beside it makes a command about a token no other words.
        words @ Words::Token(_) => words,
        _ => words(&with_files(&said, &event["files"])),
    };
    let words = match words {
        Words::Say(text) if text.is_empty() && addressed == Addressed::Us => Words::Help,
        Words::Say(text) if text.is_empty() => return Inbound::Nothing("an empty message"),
        words => words,
    };
    Inbound::Spoken(Spoken {
        place: Place {
            team: us.team.clone(),
            channel: channel.to_owned(),
            thread_ts: thread.unwrap_or(ts).to_owned(),
            opened_by: user.to_owned(),
        },
        person: Person { id: user.to_owned(), external: is_external(event, us) },
        ts: ts.to_owned(),
        addressed,
        words,
    })
}

/// Whether it is `!token` with a token of the Hub behind it.
fn gives_a_token(text: &str) -> bool {
    matches!(words(text), Words::Token(TokenWish::Give(_) | TokenWish::Unclear)) && text.contains("hf_")
}

/// Whether the author belongs to another organisation: Slack then says whose team they are of.
fn is_external(event: &Value, us: &Ourselves) -> bool {
    ["user_team", "source_team"]
        .iter()
        .any(|name| event[*name].as_str().is_some_and(|team| !team.is_empty() && team != us.team))
}

/// The words and a line for each file that came with them.
fn with_files(text: &str, files: &Value) -> String {
    let mut said = text.to_owned();
    for file in files.as_array().into_iter().flatten() {
        let name = file["name"].as_str().or(file["title"].as_str()).unwrap_or("a file");
        let kind = file["mimetype"].as_str().or(file["filetype"].as_str()).unwrap_or("unknown type");
        let size = file["size"].as_u64().map_or_else(String::new, |size| format!(", {size} bytes"));
        let link = file["permalink"].as_str().map_or_else(String::new, |link| format!(": {link}"));
        if !said.is_empty() {
            said.push('\n');
        }
        said.push_str(&format!("[file attached: {name} ({kind}{size}){link}]"));
    }
    said
}

fn stopped(payload: &Value, us: &Ourselves) -> Inbound {
    let event = &payload["event"];
    // Where the thread is named differs between the copies of the documentation; take either.
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            event[*name]
                .as_str()
                .or(event["session"][*name].as_str())
                .or(event["agent_session"][*name].as_str())
        })
    };
    let (Some(channel), Some(thread)) =
        (find(&["channel", "channel_id"]), find(&["thread_ts", "message_ts"]))
    else {
        return Inbound::Nothing("a stop that names no thread");
    };
    let user = find(&["user", "user_id", "actor_user_id", "stopped_by"]).unwrap_or_default();
    let event_id = payload["event_id"]
        .as_str()
        .map_or_else(|| format!("{channel}:{thread}:{}", payload["event_time"]), str::to_owned);
    Inbound::Stopped {
        place: Place {
            team: us.team.clone(),
            channel: channel.to_owned(),
            thread_ts: thread.to_owned(),
            opened_by: user.to_owned(),
        },
        person: Person { id: user.to_owned(), external: false },
        event_id,
    }
}
