//! What people may do: the acts of the control API and of the tests, one and the same code.
//!
//! Owns [`Act`]. Modals have a file of their own (`modals`). Start at [`perform`].

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::api::files;
use super::delivery::{Parcel, ParcelKind};
use super::events::Metadata;
use super::message::{Message, Stream};
use super::shared::Shared;
use super::state::{Change, State};
use super::{events, modals, text};

/// Why an act cannot be done, in a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ActError(pub String);

/// Shorthand for an act that cannot be done.
pub fn cannot<T>(why: impl Into<String>) -> Result<T, ActError> {
    Err(ActError(why.into()))
}

/// One thing that a person does. Field names are the control API's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "docs/playground.md has a table of acts and their fields")]
pub enum Act {
    Say {
        channel: String,
        text: String,
        #[serde(default)]
        thread_ts: Option<String>,
        #[serde(default)]
        broadcast: bool,
    },
    Edit {
        channel: String,
        ts: String,
        text: String,
    },
    Unfurl {
        channel: String,
        ts: String,
    },
    Delete {
        channel: String,
        ts: String,
    },
    React {
        channel: String,
        ts: String,
        name: String,
        #[serde(default)]
        remove: bool,
    },
    Click {
        #[serde(default)]
        channel: String,
        #[serde(default)]
        ts: String,
        #[serde(default)]
        view_id: Option<String>,
        #[serde(default)]
        block_id: Option<String>,
        action_id: String,
        #[serde(default)]
        value: Option<Value>,
    },
    Submit {
        view_id: String,
        #[serde(default)]
        values: Value,
    },
    CloseView {
        view_id: String,
    },
    Stop {
        channel: String,
        thread_ts: String,
    },
    Command {
        channel: String,
        command: String,
        #[serde(default)]
        text: String,
    },
    Shortcut {
        callback_id: String,
        #[serde(default)]
        channel: Option<String>,
        #[serde(default)]
        ts: Option<String>,
    },
    OpenIm,
    OpenHome {
        #[serde(default)]
        tab: Option<String>,
    },
    Upload {
        channel: String,
        #[serde(default)]
        thread_ts: Option<String>,
        name: String,
        content: String,
        #[serde(default)]
        text: String,
    },
    Join {
        channel: String,
    },
    Invite {
        channel: String,
    },
}

/// Lets a person do something.
///
/// # Errors
/// A sentence that says why it cannot be done.
pub async fn perform(shared: &Arc<Shared>, who: &str, act: Act) -> Result<Value, ActError> {
    let Some(user) = shared.look(|it| it.person(who).map(|person| person.id.clone())) else {
        return cannot(format!("nobody here is called {who}"));
    };
    match act {
        Act::Submit { view_id, values } => modals::submit(shared, &user, &view_id, values).await,
        Act::Command { channel, command, text } => {
            command_act(shared, &user, (&channel, &command, &text)).await
        }
        other => shared.with(|state| at_once(state, &user, other)),
    }
}

fn at_once(state: &mut State, user: &str, act: Act) -> Result<Value, ActError> {
    match act {
        Act::Say { channel, text, thread_ts, broadcast } => {
            let mut message = typed_message(state, user, (&channel, thread_ts.as_deref()), &text)?;
            if message.text.trim().is_empty() {
                return cannot("an empty message cannot be sent");
            }
            message.broadcast = broadcast && message.thread_ts.is_some();
            Ok(say(state, message))
        }
        Act::Edit { channel, ts, text } => edit(state, user, (&channel, &ts), &text),
        Act::Unfurl { channel, ts } => unfurl(state, &channel, &ts),
        Act::Delete { channel, ts } => {
            own(state, user, &channel, &ts)?;
            events::removed(state, &channel, &ts);
            Ok(json!({}))
        }
        Act::React { channel, ts, name, remove } => {
            let message = seen(state, user, &channel, &ts)?;
            let target = (message.channel.as_str(), message.ts.as_str());
            let done = if remove {
                events::unreact(state, user, target, &name)
            } else {
                events::react(state, user, target, &name)
            };
            if done { Ok(json!({})) } else { cannot("that reaction is already so") }
        }
        Act::Click { channel, ts, view_id: None, block_id, action_id, value } => {
            let message = seen(state, user, &channel, &ts)?;
            modals::click_message(state, user, &message, (block_id.as_deref(), &action_id, value))
        }
        Act::Click { view_id: Some(view), block_id, action_id, value, .. } => {
            modals::click_view(state, user, &view, (block_id.as_deref(), &action_id, value))
        }
        Act::CloseView { view_id } => modals::close(state, user, &view_id),
        Act::Stop { channel, thread_ts } => stop(state, user, &channel, &thread_ts),
        Act::Shortcut { callback_id, channel, ts } => shortcut(state, user, &callback_id, channel.zip(ts)),
        Act::OpenIm => {
            let channel = events::im_with(state, user);
            home_opened(state, user, &channel, "messages");
            Ok(json!({"channel": channel}))
        }
        Act::OpenHome { tab } => {
            let channel = events::im_with(state, user);
            home_opened(state, user, &channel, tab.as_deref().unwrap_or("home"));
            Ok(json!({"channel": channel, "view": state.homes.get(user)}))
        }
        Act::Upload { channel, thread_ts, name, content, text } => {
            let mut message = typed_message(state, user, (&channel, thread_ts.as_deref()), &text)?;
            let id = files::announce(state, user, &name, content.len());
            files::finish_upload(state, &id, content.into_bytes()).map_err(|it| ActError(it.into()))?;
            if let Some(file) = state.files.get_mut(&id) {
                file.completed = true;
                message.files.push(file.card.clone());
            }
            message.subtype = Some("file_share".into());
            let mut done = say(state, message);
            done["file"] = id.into();
            Ok(done)
        }
        Act::Join { channel } => {
            let channel = find_channel(state, &channel)?;
            events::joined(state, &channel, user, None);
            Ok(json!({}))
        }
        Act::Invite { channel } => {
            let channel = find_channel(state, &channel)?;
            let bot = state.bot.user_id.clone();
            events::joined(state, &channel, &bot, Some(user));
            Ok(json!({}))
        }
        Act::Submit { .. } | Act::Command { .. } => cannot("this act waits for an answer"),
    }
}

/// The id of a channel given by id or name.
pub fn find_channel(state: &State, wanted: &str) -> Result<String, ActError> {
    let bare = wanted.trim_start_matches('#');
    let found = state.channels.iter().find(|it| it.id == wanted || (it.kind != "im" && it.name == bare));
    found.map(|it| it.id.clone()).ok_or_else(|| ActError(format!("there is no channel {wanted}")))
}

fn entered(state: &State, user: &str, channel: &str) -> Result<String, ActError> {
    let id = find_channel(state, channel)?;
    if state.is_member(&id, user) { Ok(id) } else { cannot("join the channel first") }
}

fn seen(state: &State, user: &str, channel: &str, ts: &str) -> Result<Message, ActError> {
    let channel = entered(state, user, channel)?;
    let message = state.message(&channel, ts);
    let visible = message.filter(|it| it.ephemeral_to.as_deref().is_none_or(|only| only == user));
    visible.cloned().ok_or_else(|| ActError("there is no such message to see".into()))
}

fn own(state: &State, user: &str, channel: &str, ts: &str) -> Result<(), ActError> {
    if seen(state, user, channel, ts)?.user == user {
        Ok(())
    } else {
        cannot("only one's own messages can be changed")
    }
}

fn typed_message(
    state: &mut State,
    user: &str,
    (channel, thread_ts): (&str, Option<&str>),
    words: &str,
) -> Result<Message, ActError> {
    let channel = entered(state, user, channel)?;
    let root = match thread_ts {
        Some(ts) => match state.message(&channel, ts) {
            Some(it) => Some(it.root().to_owned()),
            None => return cannot("there is no such thread"),
        },
        None => None,
    };
    let ts = state.next_ts();
    let mut message = Message::new(&channel, &ts, user);
    message.text = text::typed(state, words);
    message.thread_ts = root;
    Ok(message)
}

fn say(state: &mut State, message: Message) -> Value {
    let (channel, ts) = (message.channel.clone(), message.ts.clone());
    state.keep(message);
    events::posted(state, &channel, &ts);
    json!({"ts": ts, "channel": channel})
}

fn edit(state: &mut State, user: &str, (channel, ts): (&str, &str), words: &str) -> Result<Value, ActError> {
    own(state, user, channel, ts)?;
    let channel = find_channel(state, channel)?;
    let before = events::wire(state, &channel, ts, Metadata::Hidden);
    let (words, at) = (text::typed(state, words), state.next_ts());
    if let Some(message) = state.message_mut(&channel, ts) {
        message.text = words;
        message.edited = true;
        message.edited_ts = Some(at);
    }
    state.touched(&channel, ts);
    events::changed(state, &channel, ts, before);
    Ok(json!({}))
}

/// Slack adds a preview of a link: a change of the message that nobody typed.
fn unfurl(state: &mut State, channel: &str, ts: &str) -> Result<Value, ActError> {
    let channel = find_channel(state, channel)?;
    let before = events::wire(state, &channel, ts, Metadata::Hidden);
    if before.is_null() {
        return cannot("there is no such message");
    }
    events::changed(state, &channel, ts, before);
    let attachment =
        json!([{"id": 1, "from_url": "https://example.org", "title": "Example", "fallback": "Example"}]);
    if let Some(parcel) =
        state.parcels.back_mut().filter(|it| it.payload["event"]["subtype"] == "message_changed")
    {
        parcel.payload["event"]["message"]["attachments"] = attachment;
    }
    Ok(json!({}))
}

fn home_opened(state: &mut State, user: &str, channel: &str, tab: &str) {
    let mut event = json!({"type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": state.next_ts()});
    if let Some(view) = state.homes.get(user).filter(|_| tab == "home") {
        event["view"] = view.clone();
    }
    events::emit(state, "app_home_opened", event);
}

/// The native Stop: Slack ends the open streams itself, then tells the app.
fn stop(state: &mut State, user: &str, channel: &str, thread_ts: &str) -> Result<Value, ActError> {
    let channel = entered(state, user, channel)?;
    let session = state.statuses.iter().find(|it| it.channel == channel && it.thread_ts == thread_ts);
    if !session.is_some_and(|it| it.can_stop) {
        return cannot("nothing in this thread can be stopped now");
    }
    let now = state.now();
    let open: Vec<String> = state
        .in_thread(&channel, thread_ts)
        .filter(|it| it.streaming_at(now))
        .map(|it| it.ts.clone())
        .collect();
    for ts in &open {
        if let Some(message) = state.message_mut(&channel, ts) {
            message.stream = Stream::StoppedByUser;
        }
        state.touched(&channel, ts);
    }
    let session = state.status_mut(&channel, thread_ts);
    session.can_stop = false;
    let status = session.clone();
    state.changes.push(Change::Status { status });
    let event = json!({"type": "agent_session_stopped", "channel": channel, "user": user, "thread_ts": thread_ts,
        "streaming_message_ts": open, "event_ts": state.next_ts()});
    events::emit(state, "agent_session_stopped", event);
    Ok(json!({"streams": open.len()}))
}

fn shortcut(
    state: &mut State,
    user: &str,
    callback_id: &str,
    on: Option<(String, String)>,
) -> Result<Value, ActError> {
    let trigger = state.new_trigger(user, None);
    let mut payload = modals::interaction(state, user, &trigger);
    payload["type"] = "shortcut".into();
    payload["callback_id"] = callback_id.into();
    payload["action_ts"] = state.next_ts().into();
    if let Some((channel, ts)) = on {
        let message = seen(state, user, &channel, &ts)?;
        payload["type"] = "message_action".into();
        payload["message_ts"] = message.ts.clone().into();
        payload["message"] = events::wire(state, &message.channel, &message.ts, Metadata::Shown);
        payload["channel"] = modals::channel_card(state, &message.channel);
        payload["response_url"] = state.new_response_url(&message.channel, Some(&message.ts), user).into();
    }
    state.parcels.push_back(Parcel {
        kind: ParcelKind::Interactive,
        id: trigger.clone(),
        payload,
        answer: None,
    });
    Ok(json!({"trigger_id": trigger}))
}

async fn command_act(
    shared: &Arc<Shared>,
    user: &str,
    (channel, command, words): (&str, &str, &str),
) -> Result<Value, ActError> {
    let (sender, answer) = oneshot::channel();
    let channel = shared.with(|state| {
        let channel = entered(state, user, channel)?;
        let trigger = state.new_trigger(user, None);
        let response_url = state.new_response_url(&channel, None, user);
        let name = state.channel(&channel).map(|it| if it.kind == "im" { "directmessage" } else { &it.name });
        let payload = json!({"token": "verification-token", "team_id": state.team.id, "team_domain": "playground",
            "channel_id": channel, "channel_name": name, "user_id": user, "user_name": state.name_of(user),
            "command": command, "text": words, "api_app_id": state.bot.app_id, "is_enterprise_install": "false",
            "response_url": response_url, "trigger_id": trigger});
        state.parcels.push_back(Parcel { kind: ParcelKind::Command, id: trigger, payload, answer: Some(sender) });
        Ok(channel)
    })?;
    match tokio::time::timeout(shared.ack_within + std::time::Duration::from_millis(500), answer).await {
        Ok(Ok(said)) => shared.with(|state| modals::command_answer(state, user, &channel, &said)),
        _ => cannot(format!("{command} failed: the app did not respond")),
    }
}
