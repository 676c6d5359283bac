//! `chat.*` without streaming: post, update, delete, ephemeral, permalink.

use serde_json::{Value, json};

use super::content::Content;
use super::{Answer, Ctx, Method, Refusal, Tier, refuse};
use crate::playground::events::{self, Metadata};
use crate::playground::message::{Message, Stream};
use crate::playground::state::Change;

const WRITE: &[&str] = &["chat:write"];

pub const METHODS: &[Method] = &[
    Method::new("chat.postMessage", Tier::PerChannel, WRITE, post),
    Method::new("chat.update", Tier::Three, WRITE, update),
    Method::new("chat.delete", Tier::Three, WRITE, delete),
    Method::new("chat.postEphemeral", Tier::Four, WRITE, ephemeral),
    Method::new("chat.getPermalink", Tier::Free, &[], permalink),
];

fn destination(ctx: &mut Ctx<'_>) -> Result<String, Refusal> {
    let wanted = ctx.args.text("channel").unwrap_or_default();
    if ctx.state.person(&wanted).is_some_and(|it| it.id == wanted) {
        return Ok(events::im_with(ctx.state, &wanted));
    }
    ctx.own_channel("channel")
}

/// A new message of the bot, not kept yet.
pub fn bots_message(ctx: &mut Ctx<'_>, channel: &str, thread_ts: Option<String>) -> Result<Message, Refusal> {
    let ts = ctx.state.next_ts();
    let mut message = Message::new(channel, &ts, &ctx.state.bot.user_id.clone());
    message.bot = true;
    message.thread_ts = thread_ts;
    if let Some(username) = ctx.args.text("username").filter(|it| !it.is_empty()) {
        if !ctx.shared.scopes.iter().any(|it| it == "chat:write.customize") {
            let mut refusal = Refusal::new("missing_scope");
            refusal.extra.insert("needed".into(), "chat:write.customize".into());
            refusal.extra.insert("provided".into(), ctx.shared.scopes.join(",").into());
            return Err(refusal);
        }
        message.username = Some(username);
        message.subtype = Some("bot_message".into());
    }
    Ok(message)
}

fn post(ctx: &mut Ctx<'_>) -> Answer {
    let channel = destination(ctx)?;
    let content = Content::read(ctx)?;
    if content.is_empty() {
        return refuse("no_text");
    }
    let thread_ts = ctx.thread(&channel, "thread_ts")?;
    let mut message = bots_message(ctx, &channel, thread_ts)?;
    message.broadcast = message.thread_ts.is_some() && ctx.args.flag("reply_broadcast");
    content.put(&mut message);
    let ts = message.ts.clone();
    ctx.state.keep(message);
    events::posted(ctx.state, &channel, &ts);
    Ok(
        json!({"channel": channel, "ts": ts, "message": events::wire(ctx.state, &channel, &ts, Metadata::Shown)}),
    )
}

fn update(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.channel("channel")?;
    let ts = ctx.args.need("ts")?;
    let bot = ctx.state.bot.user_id.clone();
    match ctx.state.message(&channel, &ts) {
        None => return refuse("message_not_found"),
        Some(it) if it.ephemeral_to.is_some() => return refuse("message_not_found"),
        Some(it) if it.user != bot => return refuse("cant_update_message"),
        Some(it) if it.streaming_at(ctx.state.now()) => return refuse("streaming_state_conflict"),
        Some(_) => {}
    }
    let content = Content::read(ctx)?;
    if content.is_empty() && content.metadata.is_none() {
        return refuse("no_text");
    }
    let before = events::wire(ctx.state, &channel, &ts, Metadata::Hidden);
    let edited_ts = ctx.state.next_ts();
    if let Some(message) = ctx.state.message_mut(&channel, &ts) {
        if matches!(message.stream, Stream::Open(_)) {
            message.stream = Stream::Expired;
        }
        content.put(message);
        message.edited = true;
        message.edited_ts = Some(edited_ts);
    }
    ctx.state.touched(&channel, &ts);
    events::changed(ctx.state, &channel, &ts, before);
    let message = events::wire(ctx.state, &channel, &ts, Metadata::Shown);
    let text = message["text"].clone();
    Ok(json!({"channel": channel, "ts": ts, "text": text, "message": message}))
}

fn delete(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.channel("channel")?;
    let ts = ctx.args.need("ts")?;
    match ctx.state.message(&channel, &ts) {
        None => return refuse("message_not_found"),
        Some(it) if it.ephemeral_to.is_some() => return refuse("message_not_found"),
        Some(it) if !it.bot => return refuse("cant_delete_message"),
        Some(_) => {}
    }
    events::removed(ctx.state, &channel, &ts);
    Ok(json!({"channel": channel, "ts": ts}))
}

fn ephemeral(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.own_channel("channel")?;
    let user = ctx.args.need("user")?;
    if ctx.state.person(&user).is_none() {
        return refuse("user_not_found");
    }
    if !ctx.state.is_member(&channel, &user) {
        return refuse("user_not_in_channel");
    }
    let content = Content::read(ctx)?;
    if content.is_empty() {
        return refuse("no_text");
    }
    let thread_ts = ctx.thread(&channel, "thread_ts")?;
    let mut message = bots_message(ctx, &channel, thread_ts)?;
    message.ephemeral_to = Some(user);
    content.put(&mut message);
    let ts = message.ts.clone();
    ctx.state.keep(message);
    Ok(json!({"message_ts": ts}))
}

fn permalink(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.channel("channel")?;
    let ts = ctx.args.need("message_ts")?;
    let Some(message) = ctx.state.message(&channel, &ts) else { return refuse("message_not_found") };
    let mut link = format!("{}/archives/{channel}/p{}", ctx.state.base, ts.replace('.', ""));
    if let Some(root) = &message.thread_ts {
        link.push_str(&format!("?thread_ts={root}&cid={channel}"));
    }
    Ok(json!({"channel": channel, "permalink": link}))
}

/// Answers through a `response_url`: a new message, or in place of the clicked one.
pub fn respond(ctx: &mut Ctx<'_>, channel: &str, url: &crate::playground::tickets::ResponseUrl) -> Answer {
    let on_message = url.message.clone().filter(|ts| ctx.state.message(channel, ts).is_some());
    if let Some(ts) = on_message.as_deref().filter(|_| ctx.args.flag("delete_original")) {
        remove_any(ctx, channel, ts);
        return Ok(Value::Null);
    }
    let content = Content::read(ctx)?;
    if content.is_empty() {
        return refuse("no_text");
    }
    if let Some(ts) = on_message.filter(|_| ctx.args.flag("replace_original")) {
        let before = events::wire(ctx.state, channel, &ts, Metadata::Hidden);
        if let Some(message) = ctx.state.message_mut(channel, &ts) {
            content.put(message);
            message.edited = true;
        }
        ctx.state.touched(channel, &ts);
        events::changed(ctx.state, channel, &ts, before);
        return Ok(Value::Null);
    }
    let thread_ts = ctx.thread(channel, "thread_ts")?.or_else(|| url.thread_ts.clone());
    let mut message = bots_message(ctx, channel, thread_ts)?;
    if ctx.args.text("response_type").as_deref() != Some("in_channel") {
        message.ephemeral_to = Some(url.user.clone());
    }
    content.put(&mut message);
    let (ts, private) = (message.ts.clone(), message.ephemeral_to.is_some());
    ctx.state.keep(message);
    if !private {
        events::posted(ctx.state, channel, &ts);
    }
    Ok(Value::Null)
}

fn remove_any(ctx: &mut Ctx<'_>, channel: &str, ts: &str) {
    let private = ctx.state.message(channel, ts).is_some_and(|it| it.ephemeral_to.is_some());
    if private {
        ctx.state.messages.remove(&(channel.to_owned(), ts.to_owned()));
        ctx.state.changes.push(Change::MessageDeleted { channel: channel.into(), ts: ts.into() });
    } else {
        events::removed(ctx.state, channel, ts);
    }
}
