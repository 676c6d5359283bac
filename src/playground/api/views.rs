//! `views.*`: modals and the app's home.
//!
//! A trigger opens one view, within three seconds. Start at [`next_view`], which checks any view.

use serde_json::{Value, json};

use super::args::missing;
use super::{Answer, Ctx, Method, Refusal, Tier, refuse};
use crate::playground::blocks::{Surface, check_blocks, check_view_parts, fill_ids};
use crate::playground::state::{Change, State, View};

const TRIGGER_LIFE: std::time::Duration = std::time::Duration::from_secs(3);
const VIEW_MOST: usize = 250_000;

pub const METHODS: &[Method] = &[
    Method::new("views.open", Tier::Four, &[], open),
    Method::new("views.push", Tier::Four, &[], push),
    Method::new("views.update", Tier::Four, &[], update),
    Method::new("views.publish", Tier::Four, &[], publish),
];

/// The view as every answer and payload shows it.
pub fn wire(state: &State, view: &View) -> Value {
    let mut wire = view.view.clone();
    let bot = &state.bot;
    for (name, value) in [
        ("id", json!(view.id)),
        ("team_id", json!(state.team.id)),
        ("app_id", json!(bot.app_id)),
        ("bot_id", json!(bot.bot_id)),
        ("app_installed_team_id", json!(state.team.id)),
        ("root_view_id", json!(view.root)),
        ("previous_view_id", json!(view.previous)),
    ] {
        wire[name] = value;
    }
    for (name, value) in [
        ("private_metadata", json!("")),
        ("callback_id", json!("")),
        ("external_id", json!("")),
        ("clear_on_close", json!(false)),
        ("notify_on_close", json!(false)),
        ("close", Value::Null),
        ("submit", Value::Null),
    ] {
        if wire.get(name).is_none() {
            wire[name] = value;
        }
    }
    wire
}

/// Checks a view and gives it ids, a hash and an empty state.
pub fn next_view(state: &mut State, view: &Value) -> Result<Value, Refusal> {
    let Some(map) = view.as_object() else { return refuse("invalid_arguments") };
    let surface = match map.get("type").and_then(Value::as_str) {
        Some("modal") => Surface::Modal,
        Some("home") => Surface::Home,
        _ => {
            return Err(Refusal::because(
                "invalid_arguments",
                vec!["[ERROR] unsupported type [json-pointer:/view/type]".into()],
            ));
        }
    };
    if view.to_string().len() > VIEW_MOST {
        return refuse("view_too_large");
    }
    let blocks = map.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut errors = check_view_parts(map, surface);
    errors.extend(check_blocks(&blocks, surface));
    let asks = blocks.iter().any(|it| it["type"] == "input");
    let mut messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    if asks && surface == Surface::Modal && !map.contains_key("submit") {
        messages.push("[ERROR] missing required field: submit [json-pointer:/view]".into());
    }
    if !messages.is_empty() {
        return Err(Refusal::because("invalid_arguments", messages));
    }
    let mut blocks = blocks;
    fill_ids(&mut blocks, || state.mint("b"));
    let mut ready = view.clone();
    ready["blocks"] = Value::Array(blocks);
    ready["hash"] = state.mint("h").into();
    ready["state"] = json!({"values": {}});
    Ok(ready)
}

fn given_view(ctx: &mut Ctx<'_>, wanted: &str) -> Result<Value, Refusal> {
    let Some(view) = ctx.args.nested("view", "invalid_arguments")? else { return Err(missing("view")) };
    if view["type"] != wanted {
        return Err(Refusal::because(
            "invalid_arguments",
            vec![format!("[ERROR] view type must be {wanted}")],
        ));
    }
    next_view(ctx.state, &view)
}

/// Spends the trigger: who caused it, and the modal it came from.
fn spend_trigger(ctx: &mut Ctx<'_>) -> Result<(String, Option<String>), Refusal> {
    let id =
        ctx.args.text("trigger_id").or_else(|| ctx.args.text("interactivity_pointer")).unwrap_or_default();
    let now = ctx.state.now();
    let Some(trigger) = ctx.state.triggers.get_mut(&id) else { return refuse("invalid_trigger_id") };
    if now.since(trigger.at) > TRIGGER_LIFE {
        return refuse("expired_trigger_id");
    }
    if trigger.used {
        return refuse("exchanged_trigger_id");
    }
    trigger.used = true;
    Ok((trigger.user.clone(), trigger.view.clone()))
}

fn open(ctx: &mut Ctx<'_>) -> Answer {
    let view = given_view(ctx, "modal")?;
    let (user, _) = spend_trigger(ctx)?;
    let id = ctx.state.mint("V");
    let opened = View { root: id.clone(), id, user: user.clone(), view, errors: json!({}), previous: None };
    // A person sees one stack of modals; a new one replaces it.
    for old in ctx.state.views.extract_if(.., |it| it.user == user) {
        ctx.state.changes.push(Change::ViewClosed { id: old.id, user: old.user });
    }
    Ok(json!({"view": show(ctx.state, opened)}))
}

/// Puts a view on the screen and tells the page.
pub fn show(state: &mut State, view: View) -> Value {
    let wired = wire(state, &view);
    state.changes.push(Change::View { view: Box::new(View { view: wired.clone(), ..view.clone() }) });
    state.views.push(view);
    wired
}

/// Puts `view` on top of the stack that `below` is in; three at most.
pub fn push_on(state: &mut State, below: &str, view: Value) -> Result<Value, Refusal> {
    let Some(under) = state.views.iter().find(|it| it.id == below).cloned() else {
        return refuse("not_found");
    };
    if state.views.iter().filter(|it| it.user == under.user).count() >= 3 {
        return refuse("push_limit_reached");
    }
    let id = state.mint("V");
    let pushed =
        View { id, user: under.user, view, errors: json!({}), root: under.root, previous: Some(under.id) };
    Ok(show(state, pushed))
}

fn push(ctx: &mut Ctx<'_>) -> Answer {
    let view = given_view(ctx, "modal")?;
    let (user, from) = spend_trigger(ctx)?;
    let top = ctx.state.views.iter().rev().find(|it| it.user == user).map(|it| it.id.clone());
    let Some(below) = from.or(top) else { return refuse("not_found") };
    Ok(json!({"view": push_on(ctx.state, &below, view)?}))
}

/// Puts `view` in the place of the one with this id.
pub fn replace(state: &mut State, id: &str, view: Value) -> Result<Value, Refusal> {
    let Some(index) = state.views.iter().position(|it| it.id == id) else { return refuse("not_found") };
    state.views[index].view = view;
    state.views[index].errors = json!({});
    let shown = state.views[index].clone();
    let wired = wire(state, &shown);
    state.changes.push(Change::View { view: Box::new(View { view: wired.clone(), ..shown }) });
    Ok(wired)
}

fn update(ctx: &mut Ctx<'_>) -> Answer {
    let view = given_view(ctx, "modal")?;
    let id = ctx.args.text("view_id").unwrap_or_default();
    let external = ctx.args.text("external_id").unwrap_or_default();
    let found = ctx
        .state
        .views
        .iter()
        .find(|it| it.id == id || (!external.is_empty() && it.view["external_id"] == external.as_str()));
    let Some(found) = found.cloned() else { return refuse("not_found") };
    if ctx.args.text("hash").is_some_and(|it| found.view["hash"] != it.as_str()) {
        return refuse("hash_conflict");
    }
    Ok(json!({"view": replace(ctx.state, &found.id, view)?}))
}

fn publish(ctx: &mut Ctx<'_>) -> Answer {
    let user = ctx.args.need("user_id")?;
    if !ctx.state.people.iter().any(|it| it.id == user) {
        return refuse("user_not_found");
    }
    let view = given_view(ctx, "home")?;
    let old = ctx.state.homes.get(&user);
    if let (Some(hash), Some(old)) = (ctx.args.text("hash"), old)
        && old["hash"] != hash.as_str()
    {
        return refuse("hash_conflict");
    }
    let id = old.and_then(|it| it["id"].as_str()).map(str::to_owned);
    let id = id.unwrap_or_else(|| ctx.state.mint("V"));
    let home = View { root: id.clone(), id, user: user.clone(), view, errors: json!({}), previous: None };
    let wired = wire(ctx.state, &home);
    ctx.state.homes.insert(user, wired.clone());
    Ok(json!({"view": wired}))
}
