//! Clicks and modals: what a person does with buttons, inputs and views, and what the app answers.
//!
//! Owns the shapes of interaction payloads. Start at [`click_message`] and [`submit`].

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::acts::{ActError, cannot};
use super::api::views::{self, next_view, push_on, replace};
use super::delivery::{Parcel, ParcelKind};
use super::events::{self, Metadata};
use super::message::Message;
use super::shared::Shared;
use super::state::{Change, State, View};

/// What every interaction payload carries.
pub fn interaction(state: &State, user: &str, trigger: &str) -> Value {
    let name = state.name_of(user);
    json!({"user": {"id": user, "username": name, "name": name, "team_id": state.team.id}, "api_app_id": state.bot.app_id,
        "token": "verification-token", "trigger_id": trigger, "team": {"id": state.team.id, "domain": "playground"},
        "enterprise": null, "is_enterprise_install": false})
}

/// A channel as interaction payloads name it.
pub fn channel_card(state: &State, id: &str) -> Value {
    let name = state.channel(id).map(|it| if it.kind == "im" { "directmessage" } else { it.name.as_str() });
    json!({"id": id, "name": name})
}

type Clicked<'a> = (Option<&'a str>, &'a str, Option<Value>);

/// Finds the element with this action in these blocks, whatever block it is nested in.
fn find_element<'a>(
    blocks: &'a [Value],
    block_id: Option<&str>,
    action_id: &str,
) -> Option<(&'a str, &'a Value)> {
    for block in blocks {
        let id = block["block_id"].as_str().unwrap_or_default();
        let lists = ["elements", "actions"].iter().filter_map(|it| block[*it].as_array()).flatten();
        let singles = ["accessory", "element"].iter().filter_map(|it| block.get(*it));
        let fits = |it: &&Value| it["action_id"] == action_id && block_id.is_none_or(|wanted| wanted == id);
        if let Some(found) = lists.chain(singles).find(fits) {
            return Some((id, found));
        }
        for name in ["child_blocks", "elements"] {
            if let Some(inner) = block[name].as_array()
                && let Some(found) = find_element(inner, block_id, action_id)
            {
                return Some(found);
            }
        }
    }
    None
}

fn option_with(element: &Value, value: &Value) -> Option<Value> {
    let groups =
        element["option_groups"].as_array().into_iter().flatten().filter_map(|it| it["options"].as_array());
    let options = element["options"].as_array().into_iter().chain(groups).flatten();
    let wanted = value.as_str().or_else(|| value["value"].as_str())?;
    options.into_iter().find(|it| it["value"] == wanted).cloned()
}

/// The action that an interaction with this element sends.
fn action(element: &Value, value: Option<Value>) -> Result<Value, ActError> {
    let kind = element["type"].as_str().unwrap_or_default();
    let mut action = json!({"type": kind, "action_id": element["action_id"]});
    let chosen = value.unwrap_or(Value::Null);
    match kind {
        "button" | "icon_button" | "workflow_button" => {
            action["text"] = element["text"].clone();
            for name in ["value", "style", "url"] {
                if let Some(it) = element.get(name) {
                    action[name] = it.clone();
                }
            }
        }
        "feedback_buttons" => {
            let sides = ["positive_button", "negative_button"].map(|it| &element[it]);
            let Some(side) = sides.iter().find(|it| it["value"] == chosen) else {
                return cannot("choose the value of one of the two feedback buttons");
            };
            action["value"] = side["value"].clone();
            action["text"] = side["text"].clone();
        }
        "static_select" | "overflow" | "radio_buttons" => match option_with(element, &chosen) {
            Some(option) => action["selected_option"] = option,
            None => return cannot("that option is not offered"),
        },
        "multi_static_select" | "checkboxes" => {
            let wanted = chosen.as_array().cloned().unwrap_or_default();
            let found: Option<Vec<_>> = wanted.iter().map(|it| option_with(element, it)).collect();
            match found {
                Some(options) => action["selected_options"] = options.into(),
                None => return cannot("an option among these is not offered"),
            }
        }
        other => {
            let field = value_field(other);
            action[field] = chosen;
        }
    }
    Ok(action)
}

fn value_field(kind: &str) -> &'static str {
    match kind {
        "datepicker" => "selected_date",
        "timepicker" => "selected_time",
        "datetimepicker" => "selected_date_time",
        "users_select" => "selected_user",
        "channels_select" => "selected_channel",
        "conversations_select" => "selected_conversation",
        "multi_users_select" => "selected_users",
        "multi_channels_select" => "selected_channels",
        "multi_conversations_select" => "selected_conversations",
        "rich_text_input" => "rich_text_value",
        "file_input" => "files",
        _ => "value",
    }
}

fn send(state: &mut State, id: &str, payload: Value, answer: Option<oneshot::Sender<Value>>) {
    state.parcels.push_back(Parcel { kind: ParcelKind::Interactive, id: id.to_owned(), payload, answer });
}

/// A click on a message's button, or a choice in one of its menus.
pub fn click_message(
    state: &mut State,
    user: &str,
    message: &Message,
    clicked: Clicked<'_>,
) -> Result<Value, ActError> {
    let (block_id, action_id, value) = clicked;
    let blocks: Vec<Value> = message.chunks.blocks.iter().chain(&message.blocks).cloned().collect();
    let Some((found_in, element)) = find_element(&blocks, block_id, action_id) else {
        return cannot("there is no such button on this message");
    };
    let mut action = action(element, value)?;
    action["block_id"] = found_in.into();
    action["action_ts"] = state.next_ts().into();
    let trigger = state.new_trigger(user, None);
    let private = message.ephemeral_to.is_some();
    let mut payload = interaction(state, user, &trigger);
    payload["type"] = "block_actions".into();
    payload["container"] = json!({"type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": private});
    if let Some(root) = &message.thread_ts {
        payload["container"]["thread_ts"] = root.clone().into();
    }
    payload["channel"] = channel_card(state, &message.channel);
    if !private {
        payload["message"] = events::wire(state, &message.channel, &message.ts, Metadata::Shown);
    }
    payload["state"] = json!({"values": {}});
    payload["response_url"] = state.new_response_url(&message.channel, Some(&message.ts), user).into();
    payload["actions"] = json!([action]);
    send(state, &trigger, payload, None);
    Ok(json!({"trigger_id": trigger}))
}

fn open_view(state: &State, user: &str, id: &str) -> Result<View, ActError> {
    let found = state.views.iter().find(|it| it.id == id && it.user == user);
    found.cloned().ok_or_else(|| ActError("that modal is not open".into()))
}

/// A click inside a modal or the app's home.
pub fn click_view(
    state: &mut State,
    user: &str,
    view_id: &str,
    clicked: Clicked<'_>,
) -> Result<Value, ActError> {
    let (block_id, action_id, value) = clicked;
    let home = state.homes.get(user).filter(|it| it["id"] == view_id).cloned();
    let (view, modal) = match home {
        Some(home) => (home, None),
        None => {
            let open = open_view(state, user, view_id)?;
            (views::wire(state, &open), Some(open.id))
        }
    };
    let blocks = view["blocks"].as_array().cloned().unwrap_or_default();
    let Some((found_in, element)) = find_element(&blocks, block_id, action_id) else {
        return cannot("there is no such button in this view");
    };
    let mut action = action(element, value)?;
    action["block_id"] = found_in.into();
    action["action_ts"] = state.next_ts().into();
    let trigger = state.new_trigger(user, modal.as_deref());
    let mut payload = interaction(state, user, &trigger);
    payload["type"] = "block_actions".into();
    payload["container"] = json!({"type": "view", "view_id": view_id});
    payload["view"] = view;
    payload["actions"] = json!([action]);
    send(state, &trigger, payload, None);
    Ok(json!({"trigger_id": trigger}))
}

/// Closes a modal as its ✕ does.
pub fn close(state: &mut State, user: &str, id: &str) -> Result<Value, ActError> {
    let view = open_view(state, user, id)?;
    take_off(state, user, |it| it.id == id);
    if view.view["notify_on_close"] == true {
        let trigger = state.new_trigger(user, None);
        let mut payload = interaction(state, user, &trigger);
        payload["type"] = "view_closed".into();
        payload["view"] = views::wire(state, &view);
        payload["is_cleared"] = false.into();
        if let Some(map) = payload.as_object_mut() {
            map.remove("trigger_id");
        }
        send(state, &trigger, payload, None);
    }
    Ok(json!({}))
}

fn take_off(state: &mut State, user: &str, which: impl Fn(&View) -> bool) {
    for gone in state.views.extract_if(.., |it| it.user == user && which(it)) {
        state.changes.push(Change::ViewClosed { id: gone.id, user: gone.user });
    }
}

/// Reads the inputs of a modal, with their initial values where nothing was entered.
fn filled(view: &Value, values: &Value) -> Result<Value, ActError> {
    let mut all = Map::new();
    for block in view["blocks"].as_array().into_iter().flatten().filter(|it| it["type"] == "input") {
        let element = &block["element"];
        let kind = element["type"].as_str().unwrap_or_default();
        let (block_id, action_id) = (
            block["block_id"].as_str().unwrap_or_default(),
            element["action_id"].as_str().unwrap_or_default(),
        );
        let given = &values[block_id][action_id];
        let entry = if given.is_object() { given.clone() } else { initial(element, kind) };
        let label = block["label"]["text"].as_str().unwrap_or(block_id);
        let text = entry["value"].as_str().unwrap_or_default();
        let chosen = entry.as_object().is_some_and(|it| {
            it.iter().any(|(name, value)| {
                name != "type"
                    && !value.is_null()
                    && *value != ""
                    && value.as_array().is_none_or(|it| !it.is_empty())
            })
        });
        if !chosen && block["optional"] != true {
            return cannot(format!("“{label}” must be filled in"));
        }
        let count = text.chars().count() as u64;
        if chosen && element["max_length"].as_u64().is_some_and(|most| count > most) {
            return cannot(format!("“{label}” is too long"));
        }
        if chosen && element["min_length"].as_u64().is_some_and(|least| count < least) {
            return cannot(format!("“{label}” is too short"));
        }
        let slot = all.entry(block_id.to_owned()).or_insert_with(|| json!({}));
        slot[action_id] = entry;
    }
    Ok(Value::Object(all))
}

fn initial(element: &Value, kind: &str) -> Value {
    let mut entry = json!({"type": kind});
    match kind {
        "static_select" | "external_select" | "radio_buttons" => {
            entry["selected_option"] = element["initial_option"].clone()
        }
        "multi_static_select" | "checkboxes" => {
            entry["selected_options"] = element.get("initial_options").cloned().unwrap_or_else(|| json!([]));
        }
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" => {
            entry["value"] = element["initial_value"].clone();
        }
        other => {
            let field = value_field(other);
            entry[field] = element[field.replace("selected", "initial")].clone();
        }
    }
    entry
}

/// Submits a modal, waits for the app's answer and does what it says.
pub async fn submit(
    shared: &Arc<Shared>,
    user: &str,
    view_id: &str,
    values: Value,
) -> Result<Value, ActError> {
    let (sender, answer) = oneshot::channel();
    shared.with(|state| {
        let view = open_view(state, user, view_id)?;
        let entered = filled(&view.view, &values)?;
        let trigger = state.new_trigger(user, Some(view_id));
        let mut payload = interaction(state, user, &trigger);
        payload["type"] = "view_submission".into();
        payload["view"] = views::wire(state, &view);
        payload["view"]["state"] = json!({"values": entered});
        payload["response_urls"] = json!([]);
        send(state, &trigger, payload, Some(sender));
        Ok(())
    })?;
    let patience = shared.ack_within + Duration::from_millis(500);
    match tokio::time::timeout(patience, answer).await {
        Ok(Ok(said)) => shared.with(|state| submitted(state, user, view_id, &said)),
        _ => cannot("we had some trouble connecting: the app did not respond"),
    }
}

fn submitted(state: &mut State, user: &str, view_id: &str, said: &Value) -> Result<Value, ActError> {
    let trouble = |why: String| ActError(format!("we had some trouble connecting: {why}"));
    match said["response_action"].as_str() {
        None => take_off(state, user, |it| it.id == view_id),
        Some("clear") => take_off(state, user, |_| true),
        Some("errors") => {
            let errors = said["errors"].clone();
            if errors.as_object().is_none_or(Map::is_empty) {
                return Err(trouble("the answer names no errors".into()));
            }
            if let Some(view) = state.views.iter_mut().find(|it| it.id == view_id) {
                view.errors = errors;
                let view = Box::new(view.clone());
                state.changes.push(Change::View { view });
            }
        }
        Some(next @ ("update" | "push")) => {
            let view = next_view(state, &said["view"]).map_err(|it| trouble(it.messages.join("; ")))?;
            let shown =
                if next == "update" { replace(state, view_id, view) } else { push_on(state, view_id, view) };
            shown.map_err(|it| trouble(it.error))?;
        }
        Some(other) => return Err(trouble(format!("unknown response_action {other}"))),
    }
    Ok(json!({"response": said}))
}

/// Shows what the app said with the acknowledgement of a slash command.
pub fn command_answer(state: &mut State, user: &str, channel: &str, said: &Value) -> Result<Value, ActError> {
    let text = said["text"].as_str().or_else(|| said.as_str()).unwrap_or_default();
    let blocks = said["blocks"].as_array().cloned().unwrap_or_default();
    if text.is_empty() && blocks.is_empty() {
        return Ok(json!({"response": said}));
    }
    let ts = state.next_ts();
    let mut message = Message::new(channel, &ts, &state.bot.user_id.clone());
    message.bot = true;
    message.text = text.to_owned();
    message.blocks = blocks;
    let public = said["response_type"] == "in_channel";
    message.ephemeral_to = (!public).then(|| user.to_owned());
    state.keep(message);
    if public {
        events::posted(state, channel, &ts);
    }
    Ok(json!({"response": said, "ts": ts}))
}
