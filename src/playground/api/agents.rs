//! Agent sessions and the assistant's status line, title and suggested prompts.

use serde_json::{Value, json};

use super::args::missing;
use super::{Answer, Ctx, Method, Refusal, Tier, refuse};
use crate::playground::state::Change;

const EITHER: &[&str] = &["chat:write", "assistant:write"];

pub const METHODS: &[Method] = &[
    Method::new("agents.sessions.setStatus", Tier::Three, EITHER, session_status),
    Method::new("agents.sessions.rename", Tier::Three, EITHER, session_rename),
    Method::new("assistant.threads.setStatus", Tier::PerChannel, EITHER, set_status),
    Method::new("assistant.threads.setTitle", Tier::Four, &["assistant:write"], set_title),
    Method::new("assistant.threads.setSuggestedPrompts", Tier::Four, &["assistant:write"], set_prompts),
];

fn thread(ctx: &Ctx<'_>) -> Result<(String, String), Refusal> {
    let channel = ctx.own_channel("channel_id")?;
    match ctx.thread(&channel, "thread_ts")? {
        Some(root) => Ok((channel, root)),
        None => refuse("thread_ts_required"),
    }
}

fn tell(ctx: &mut Ctx<'_>, channel: &str, root: &str) {
    let status = ctx.state.status_mut(channel, root).clone();
    ctx.state.changes.push(Change::Status { status });
}

/// Sets a session's status; only `processing` shows Slack's Stop, and only to an app that listens for it.
pub fn set_session(ctx: &mut Ctx<'_>, channel: &str, root: &str, status: &str) -> Result<bool, Refusal> {
    if !["active", "processing", "suspended", "closed"].contains(&status) {
        let words = "[ERROR] status must be one of: active, processing, suspended, closed";
        return Err(Refusal::because("invalid_arguments", vec![words.into()]));
    }
    let listens = ctx.state.subscriptions.iter().any(|it| it == "agent_session_stopped");
    let session = ctx.state.status_mut(channel, root);
    session.session_status = status.to_owned();
    session.can_stop = status == "processing" && listens;
    if status != "processing" {
        session.status.clear();
        session.loading_messages.clear();
    }
    tell(ctx, channel, root);
    Ok(listens)
}

fn session_status(ctx: &mut Ctx<'_>) -> Answer {
    let status = ctx.args.need("status")?;
    let (channel, root) = thread(ctx)?;
    let title = ctx.args.text("title").filter(|it| !it.is_empty());
    if title.as_ref().is_some_and(|it| it.chars().count() > 200) {
        return refuse("title_too_long");
    }
    let fresh = !ctx.state.statuses.iter().any(|it| it.channel == channel && it.thread_ts == root);
    let listens = set_session(ctx, &channel, &root, &status)?;
    if let Some(title) = title.filter(|_| fresh) {
        ctx.state.status_mut(&channel, &root).title = title;
        tell(ctx, &channel, &root);
    }
    let session = ctx.state.status_mut(&channel, &root);
    let mut answer = json!({"status": status, "agent_status": status, "title": session.title});
    if status == "processing" && !listens {
        let warning = "missing_agent_session_stopped_event_subscription";
        answer["warning"] = warning.into();
        answer["response_metadata"] = json!({"warnings": [warning]});
    }
    Ok(answer)
}

fn session_rename(ctx: &mut Ctx<'_>) -> Answer {
    let title = ctx.args.need("title")?;
    if title.chars().count() > 200 {
        return refuse("title_too_long");
    }
    let (channel, root) = thread(ctx)?;
    if !ctx.state.statuses.iter().any(|it| it.channel == channel && it.thread_ts == root) {
        return refuse("session_not_found");
    }
    ctx.state.status_mut(&channel, &root).title = title.clone();
    tell(ctx, &channel, &root);
    Ok(json!({"title": title}))
}

fn set_status(ctx: &mut Ctx<'_>) -> Answer {
    let Some(status) = ctx.args.text("status") else { return Err(missing("status")) };
    let (channel, root) = thread(ctx)?;
    let lines = ctx.args.list("loading_messages", "invalid_arguments")?;
    let lines: Option<Vec<String>> =
        lines.map(|it| it.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    if let Some(lines) = &lines {
        let fit = |it: &String| (1..=50).contains(&it.chars().count());
        if lines.is_empty() || lines.len() > 10 || !lines.iter().all(fit) {
            let words = "[ERROR] loading_messages must be 1 to 10 strings of 1 to 50 characters";
            return Err(Refusal::because("invalid_arguments", vec![words.into()]));
        }
    }
    let session = ctx.state.status_mut(&channel, &root);
    session.loading_messages = if status.is_empty() { Vec::new() } else { lines.unwrap_or_default() };
    session.status = status;
    tell(ctx, &channel, &root);
    Ok(json!({}))
}

fn set_title(ctx: &mut Ctx<'_>) -> Answer {
    let title = ctx.args.need("title")?;
    let (channel, root) = thread(ctx)?;
    ctx.state.status_mut(&channel, &root).title = title;
    tell(ctx, &channel, &root);
    Ok(json!({}))
}

fn set_prompts(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.own_channel("channel_id")?;
    let Some(prompts) = ctx.args.list("prompts", "invalid_arguments")? else {
        return Err(missing("prompts"));
    };
    let whole = |it: &Value| it["title"].is_string() && it["message"].is_string();
    if prompts.is_empty() || prompts.len() > 4 || !prompts.iter().all(whole) {
        let words = "[ERROR] prompts must be 1 to 4 objects with title and message";
        return Err(Refusal::because("invalid_arguments", vec![words.into()]));
    }
    // An agent's prompts belong to the conversation; with a thread Slack takes the call and does nothing.
    if ctx.args.text("thread_ts").is_none_or(|it| it.is_empty()) {
        let title = ctx.args.text("title").unwrap_or_default();
        ctx.state.prompts.insert((channel, String::new()), json!({"title": title, "prompts": prompts}));
    }
    Ok(json!({}))
}
