//! What others said in a thread before we were called.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::markdown::cut;
use super::post::Courier;
use crate::clients::slack::Priority;
use crate::protocol::{Heard, Operation, OperationKind};
use crate::slack::names::Names;
use crate::slack::translate::is_about_a_token;
use crate::slack::translate::text::{mentioned, readable, without_mention_of};
use crate::text::redact_hub_tokens;

/// Messages that are read back at most.
const MESSAGES: usize = 50;
/// Characters of all of them.
const CHARACTERS: usize = 20_000;
/// Characters of one.
const EACH: usize = 4_000;
/// Pages of 200 that a long thread may cost.
const PAGES: usize = 5;

/// The last messages before the first one that was for us, oldest first; our own are left out.
pub(super) async fn before(courier: &Courier, names: &Arc<Names>, first: &Operation) -> Vec<Heard> {
    let OperationKind::Say { handle, .. } = &first.kind else { return Vec::new() };
    let Some(first_ts) = handle["ts"].as_str() else { return Vec::new() };
    // A message that opened its own thread has nothing before it.
    if first_ts == courier.place.thread_ts {
        return Vec::new();
    }
    let messages = match tokio::time::timeout(Duration::from_secs(10), read(courier, first_ts)).await {
        Ok(messages) => messages,
        Err(_) => {
            tracing::warn!("what was said before could not be read in time");
            Vec::new()
        }
    };
    let mut people: Vec<String> = Vec::new();
    for message in &messages {
        people.extend(message["user"].as_str().map(str::to_owned));
        people.extend(mentioned(message["text"].as_str().unwrap_or_default()));
    }
    people.sort_unstable();
    people.dedup();
    let names = names.of_all(&people, Duration::from_secs(5)).await;
    let mut heard = Vec::new();
    let mut left = CHARACTERS;
    for message in messages.iter().rev() {
        let raw = message["text"].as_str().unwrap_or_default();
        // Somebody's token is nobody's business, the model's least of all.
        if is_about_a_token(&without_mention_of(raw, &courier.us.user)) {
            continue;
        }
        let text = cut(&redact_hub_tokens(&readable(raw, &names)), EACH);
        let size = text.chars().count();
        if text.trim().is_empty() {
            continue;
        }
        if size > left {
            break;
        }
        left -= size;
        let id = message["user"].as_str().unwrap_or_default();
        let name = names.get(id).map(String::as_str).or(message["username"].as_str()).unwrap_or(id);
        let name = if name.is_empty() { "an app" } else { name };
        heard.push(Heard { name: name.to_owned(), text });
    }
    heard.reverse();
    heard
}

async fn read(courier: &Courier, first_ts: &str) -> Vec<Value> {
    let mut messages: VecDeque<Value> = VecDeque::new();
    let narrowed = json!({ "latest": first_ts, "inclusive": false });
    let keep = |message: Value| {
        let before = message["ts"].as_str().is_some_and(|ts| earlier(ts, first_ts));
        if before && !courier.wrote(&message) {
            messages.push_back(message);
            if messages.len() > MESSAGES {
                messages.pop_front();
            }
        }
    };
    if let Err(error) = courier.read_thread(Priority::Normal, PAGES, &narrowed, keep).await {
        tracing::warn!(%error, "what was said before could not be read");
    }
    messages.into()
}

/// Whether one `ts` is before another.
fn earlier(one: &str, other: &str) -> bool {
    let parse = |ts: &str| {
        let (seconds, rest) = ts.split_once('.').unwrap_or((ts, "0"));
        (seconds.parse::<u64>().unwrap_or(0), rest.parse::<u64>().unwrap_or(0))
    };
    parse(one) < parse(other)
}
