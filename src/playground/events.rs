//! What happened, as Slack tells the app: events in their outer envelopes, and what changes with them.
//!
//! Owns the shapes of events. Never delivers (that is `delivery`). Start at [`posted`].

use serde_json::{Value, json};

use super::delivery::{Parcel, ParcelKind};
use super::message::Reaction;
use super::state::{Change, Channel, State};

/// The events an app of ours subscribes to.
pub const SUBSCRIPTIONS: &[&str] = &[
    "app_mention",
    "app_home_opened",
    "app_context_changed",
    "agent_session_stopped",
    "agent_session_title_changed",
    "message.im",
    "message.channels",
    "message.groups",
    "reaction_added",
    "reaction_removed",
    "member_joined_channel",
    "tokens_revoked",
    "app_uninstalled",
];

/// The direct message of the bot with this person, opened if need be.
pub fn im_with(state: &mut State, user: &str) -> String {
    let bot = state.bot.user_id.clone();
    let open = state.channels.iter().find(|it| it.kind == "im" && it.members.iter().any(|id| id == user));
    if let Some(channel) = open {
        return channel.id.clone();
    }
    let id = state.mint("D");
    let name = state.name_of(user).to_owned();
    let channel = Channel {
        id: id.clone(),
        name,
        kind: "im".into(),
        members: vec![user.into(), bot],
        topic: String::new(),
    };
    state.channels.push(channel.clone());
    state.changes.push(Change::Channel { channel });
    id
}

/// Whether a message's `metadata` is shown; reading calls show it only when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

/// A message as the Web API and events show it, with what its thread adds.
pub fn wire(state: &State, channel: &str, ts: &str, metadata: Metadata) -> Value {
    let Some(message) = state.message(channel, ts) else { return Value::Null };
    let mut wire = message.wire(&state.team.id, &state.bot.bot_id, &state.bot.app_id);
    if let Some(metadata) = message.metadata.as_ref().filter(|_| metadata == Metadata::Shown) {
        wire["metadata"] = metadata.clone();
    }
    if let Some(root) = &message.thread_ts {
        if let Some(parent) = state.message(channel, root) {
            wire["parent_user_id"] = parent.user.clone().into();
        }
        return wire;
    }
    let replies: Vec<_> = state
        .in_thread(channel, ts)
        .filter(|it| it.ts != ts && it.ephemeral_to.is_none())
        .map(|it| (it.user.clone(), it.ts.clone()))
        .collect();
    if let Some((_, latest)) = replies.last() {
        let mut users: Vec<_> = replies.iter().map(|it| it.0.clone()).collect();
        users.sort();
        users.dedup();
        wire["thread_ts"] = ts.into();
        wire["reply_count"] = replies.len().into();
        wire["reply_users_count"] = users.len().into();
        wire["reply_users"] = json!(users);
        wire["latest_reply"] = latest.clone().into();
        wire["is_locked"] = false.into();
        wire["subscribed"] = true.into();
    }
    wire
}

fn channel_type(state: &State, channel: &str) -> &'static str {
    match state.channel(channel).map(|it| it.kind.as_str()) {
        Some("im") => "im",
        Some("private") => "group",
        _ => "channel",
    }
}

/// Sends an event to the app, if it subscribes to `subscription`.
pub fn emit(state: &mut State, subscription: &str, mut event: Value) {
    if !state.subscriptions.iter().any(|it| it == subscription) {
        return;
    }
    let event_ts = if event["event_ts"].is_string() { Value::Null } else { state.next_ts().into() };
    if event_ts.is_string() {
        event["event_ts"] = event_ts;
    }
    let id = state.mint("Ev");
    let authorization = json!({"enterprise_id": null, "team_id": state.team.id, "user_id": state.bot.user_id,
        "is_bot": true, "is_enterprise_install": false});
    let payload = json!({
        "token": "verification-token", "team_id": state.team.id, "context_team_id": state.team.id,
        "context_enterprise_id": null, "api_app_id": state.bot.app_id, "event": event, "type": "event_callback",
        "event_id": id, "event_time": state.now().seconds(), "authorizations": [authorization],
        "is_ext_shared_channel": false, "event_context": format!("4-{id}"),
    });
    state.parcels.push_back(Parcel { kind: ParcelKind::Event, id, payload, answer: None });
}

/// Sends a `message` event of this channel.
fn emit_message(state: &mut State, channel: &str, mut event: Value) {
    let bot = state.bot.user_id.clone();
    if !state.is_member(channel, &bot) {
        return;
    }
    let kind = channel_type(state, channel);
    event["type"] = "message".into();
    event["channel"] = channel.into();
    event["channel_type"] = kind.into();
    let subscription = match kind {
        "im" => "message.im",
        "group" => "message.groups",
        _ => "message.channels",
    };
    emit(state, subscription, event);
}

/// A message was posted: the app hears of it, twice if it is mentioned.
pub fn posted(state: &mut State, channel: &str, ts: &str) {
    let Some(message) = state.message(channel, ts) else { return };
    let (from_bot, root) = (message.bot, message.root().to_owned());
    let mentioned = !from_bot && message.pings.contains(&state.bot.user_id);
    let broadcast = message.broadcast;
    let mut event = wire(state, channel, ts, Metadata::Shown);
    event["event_ts"] = ts.into();
    if broadcast {
        event["subtype"] = "thread_broadcast".into();
    }
    let bot_is_there = state.is_member(channel, &state.bot.user_id);
    if mentioned && bot_is_there && channel_type(state, channel) != "im" {
        let mut mention = event.clone();
        mention["type"] = "app_mention".into();
        mention["channel"] = channel.into();
        if let Some(map) = mention.as_object_mut() {
            map.remove("subtype");
        }
        emit(state, "app_mention", mention);
    }
    emit_message(state, channel, event);
    if from_bot && ts != root {
        // An answer in the thread clears the status line under it.
        let session = state.statuses.iter_mut().find(|it| it.channel == channel && it.thread_ts == root);
        if let Some(session) = session.filter(|it| !it.status.is_empty() || !it.loading_messages.is_empty()) {
            session.status.clear();
            session.loading_messages.clear();
            let status = session.clone();
            state.changes.push(Change::Status { status });
        }
    }
}

/// A message was changed; `before` is how it looked.
pub fn changed(state: &mut State, channel: &str, ts: &str, before: Value) {
    let message = wire(state, channel, ts, Metadata::Shown);
    let event = json!({"subtype": "message_changed", "hidden": true, "message": message, "previous_message": before,
        "ts": state.next_ts()});
    emit_message(state, channel, event);
}

/// A message goes.
pub fn removed(state: &mut State, channel: &str, ts: &str) {
    let before = wire(state, channel, ts, Metadata::Shown);
    state.messages.remove(&(channel.to_owned(), ts.to_owned()));
    state.pins.retain(|it| !(it.0 == channel && it.1 == ts));
    state.changes.push(Change::MessageDeleted { channel: channel.into(), ts: ts.into() });
    let now = state.next_ts();
    let event = json!({"subtype": "message_deleted", "hidden": true, "deleted_ts": ts, "previous_message": before, "ts": now});
    emit_message(state, channel, event);
}

/// Adds a reaction; `false` if it was there.
pub fn react(state: &mut State, user: &str, (channel, ts): (&str, &str), name: &str) -> bool {
    let Some(message) = state.message_mut(channel, ts) else { return false };
    let author = message.user.clone();
    match message.reactions.iter_mut().find(|it| it.name == name) {
        Some(it) if it.users.iter().any(|id| id == user) => return false,
        Some(it) => it.users.push(user.to_owned()),
        None => message.reactions.push(Reaction { name: name.into(), users: vec![user.into()] }),
    }
    state.touched(channel, ts);
    reaction_event(state, "reaction_added", (user, &author), (channel, ts), name);
    true
}

/// Takes a reaction back; `false` if it was not there.
pub fn unreact(state: &mut State, user: &str, (channel, ts): (&str, &str), name: &str) -> bool {
    let Some(message) = state.message_mut(channel, ts) else { return false };
    let author = message.user.clone();
    let Some(reaction) = message.reactions.iter_mut().find(|it| it.name == name) else { return false };
    let before = reaction.users.len();
    reaction.users.retain(|it| it != user);
    if reaction.users.len() == before {
        return false;
    }
    message.reactions.retain(|it| !it.users.is_empty());
    state.touched(channel, ts);
    reaction_event(state, "reaction_removed", (user, &author), (channel, ts), name);
    true
}

fn reaction_event(
    state: &mut State,
    kind: &str,
    (user, author): (&str, &str),
    (channel, ts): (&str, &str),
    name: &str,
) {
    if state.is_member(channel, &state.bot.user_id) {
        let event = json!({"type": kind, "user": user, "reaction": name, "item_user": author,
            "item": {"type": "message", "channel": channel, "ts": ts}});
        emit(state, kind, event);
    }
}

/// Somebody joins a channel.
pub fn joined(state: &mut State, channel: &str, user: &str, inviter: Option<&str>) {
    let Some(found) = state.channels.iter_mut().find(|it| it.id == channel) else { return };
    if found.members.iter().any(|it| it == user) {
        return;
    }
    found.members.push(user.to_owned());
    let found = found.clone();
    state.changes.push(Change::Channel { channel: found });
    if state.is_member(channel, &state.bot.user_id) {
        let letter = if channel_type(state, channel) == "group" { "G" } else { "C" };
        let mut event = json!({"type": "member_joined_channel", "user": user, "channel": channel,
            "channel_type": letter, "team": state.team.id});
        if let Some(inviter) = inviter {
            event["inviter"] = inviter.into();
        }
        emit(state, "member_joined_channel", event);
    }
}
