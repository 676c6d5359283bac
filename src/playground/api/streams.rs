//! `chat.startStream`, `chat.appendStream`, `chat.stopStream`: messages that grow while one looks.
//!
//! A stream takes appends for five minutes after its start, or until the app or a person stops it.

use serde_json::{Value, json};

use super::args::missing;
use super::chat::bots_message;
use super::content::{check_markdown, checked_blocks, metadata};
use super::{Answer, Ctx, Method, Refusal, Tier, agents, refuse};
use crate::playground::events::{self, Metadata};
use crate::playground::message::{Chunks, Stream, Task};

const WRITE: &[&str] = &["chat:write"];

pub const METHODS: &[Method] = &[
    Method::new("chat.startStream", Tier::Two, WRITE, start),
    Method::new("chat.appendStream", Tier::Four, WRITE, append),
    Method::new("chat.stopStream", Tier::Two, WRITE, stop),
];

/// Where the chunks came from: tasks sent with the start are dropped by Slack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Later,
}

fn start(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.own_channel("channel")?;
    if ctx.args.text("thread_ts").is_none_or(|it| it.is_empty()) {
        return Err(missing("thread_ts"));
    }
    let thread_ts = ctx.thread(&channel, "thread_ts")?;
    if ctx.state.channel(&channel).is_some_and(|it| it.kind != "im") {
        match ctx.args.text("recipient_team_id").filter(|it| !it.is_empty()) {
            None => return refuse("missing_recipient_team_id"),
            Some(team) if team != ctx.state.team.id => return refuse("team_not_found"),
            Some(_) => {}
        }
        if ctx.args.text("recipient_user_id").is_none_or(|it| it.is_empty()) {
            return refuse("missing_recipient_user_id");
        }
    }
    if let Some(user) = ctx.args.text("recipient_user_id")
        && ctx.state.person(&user).is_none()
    {
        return refuse("user_not_found");
    }
    if let Some(mode) = ctx.args.text("task_display_mode")
        && !["timeline", "plan", "dense"].contains(&mode.as_str())
    {
        return Err(Refusal::because(
            "invalid_arguments",
            vec!["[ERROR] task_display_mode must be timeline or plan".into()],
        ));
    }
    let growth = growth(ctx, Phase::Start)?;
    let mut message = bots_message(ctx, &channel, thread_ts)?;
    message.stream = Stream::Open(ctx.state.now());
    message.streaming = true;
    grow(&mut message.chunks, growth);
    let ts = message.ts.clone();
    ctx.state.open_streams.push((channel.clone(), ts.clone()));
    ctx.state.keep(message);
    events::posted(ctx.state, &channel, &ts);
    Ok(json!({"channel": channel, "ts": ts}))
}

fn open_stream(ctx: &mut Ctx<'_>) -> Result<(String, String), Refusal> {
    let channel = ctx.channel("channel")?;
    let ts = ctx.args.need("ts")?;
    let now = ctx.state.now();
    let Some(message) = ctx.state.message(&channel, &ts) else { return refuse("message_not_found") };
    if !message.bot {
        return refuse("message_not_owned_by_app");
    }
    match message.stream {
        Stream::StoppedByUser => refuse("stopped_by_user"),
        Stream::Open(_) if message.streaming_at(now) => Ok((channel, ts)),
        Stream::Open(_) => {
            if let Some(message) = ctx.state.message_mut(&channel, &ts) {
                message.stream = Stream::Expired;
            }
            ctx.state.touched(&channel, &ts);
            refuse("message_not_in_streaming_state")
        }
        _ => refuse("message_not_in_streaming_state"),
    }
}

fn append(ctx: &mut Ctx<'_>) -> Answer {
    let (channel, ts) = open_stream(ctx)?;
    let growth = growth(ctx, Phase::Later)?;
    if growth.is_empty() {
        return refuse("no_text");
    }
    if let Some(message) = ctx.state.message_mut(&channel, &ts) {
        grow(&mut message.chunks, growth);
    }
    ctx.state.touched(&channel, &ts);
    Ok(json!({"channel": channel, "ts": ts}))
}

fn stop(ctx: &mut Ctx<'_>) -> Answer {
    let (channel, ts) = open_stream(ctx)?;
    let growth = growth(ctx, Phase::Later)?;
    let blocks = ctx.args.list("blocks", "invalid_blocks_format")?;
    let blocks = blocks.map(|it| checked_blocks(ctx, it)).transpose()?;
    let metadata = metadata(ctx)?;
    let session_status = ctx.args.text("session_status");
    let before = events::wire(ctx.state, &channel, &ts, Metadata::Hidden);
    let mut thread = String::new();
    if let Some(message) = ctx.state.message_mut(&channel, &ts) {
        grow(&mut message.chunks, growth);
        message.blocks = blocks.unwrap_or_default();
        message.metadata = metadata;
        message.stream = Stream::Ended;
        thread = message.root().to_owned();
    }
    ctx.state.touched(&channel, &ts);
    if let Some(status) = session_status {
        agents::set_session(ctx, &channel, &thread, &status)?;
    }
    events::changed(ctx.state, &channel, &ts, before);
    Ok(
        json!({"channel": channel, "ts": ts, "message": events::wire(ctx.state, &channel, &ts, Metadata::Shown)}),
    )
}

enum Growth {
    Text(String),
    Title(String),
    Task(Value),
    Blocks(Vec<Value>),
}

fn growth(ctx: &mut Ctx<'_>, phase: Phase) -> Result<Vec<Growth>, Refusal> {
    let mut all = Vec::new();
    let markdown = ctx.args.text("markdown_text");
    check_markdown(markdown.as_deref())?;
    all.extend(markdown.filter(|it| !it.is_empty()).map(Growth::Text));
    for chunk in ctx.args.list("chunks", "invalid_chunks")?.unwrap_or_default() {
        if let Some(one) = one_chunk(ctx, &chunk)?
            && (phase == Phase::Later || !matches!(one, Growth::Task(_)))
        {
            all.push(one);
        }
    }
    Ok(all)
}

fn one_chunk(ctx: &mut Ctx<'_>, chunk: &Value) -> Result<Option<Growth>, Refusal> {
    let text = |name: &str| chunk[name].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
    let bad = |words: &str| Err(Refusal::because("invalid_chunks", vec![format!("[ERROR] {words}")]));
    match chunk["type"].as_str() {
        Some("markdown_text") => {
            let Some(words) = chunk["text"].as_str() else { return bad("missing required field: text") };
            check_markdown(Some(words))?;
            Ok(Some(Growth::Text(words.to_owned())))
        }
        Some("plan_update") => match text("title") {
            Some(title) if title.chars().count() <= 256 => Ok(Some(Growth::Title(title))),
            _ => bad("plan_update needs a title of at most 256 characters"),
        },
        Some("task_update") => {
            let known = ["pending", "in_progress", "complete", "error"];
            if text("id").is_none() || text("title").is_none_or(|it| it.chars().count() > 256) {
                return bad("task_update needs an id and a title of at most 256 characters");
            }
            if !chunk["status"].as_str().is_some_and(|it| known.contains(&it)) {
                return bad("task_update needs a status: pending, in_progress, complete or error");
            }
            Ok(Some(Growth::Task(chunk.clone())))
        }
        Some("blocks") => {
            let Some(blocks) = chunk["blocks"].as_array() else {
                return bad("missing required field: blocks");
            };
            Ok(Some(Growth::Blocks(checked_blocks(ctx, blocks.clone())?)))
        }
        other => bad(&format!("unsupported chunk type: {}", other.unwrap_or("none"))),
    }
}

fn grow(chunks: &mut Chunks, growth: Vec<Growth>) {
    for one in growth {
        match one {
            Growth::Text(text) => chunks.markdown.push_str(&text),
            Growth::Title(title) => chunks.plan_title = Some(title),
            Growth::Blocks(blocks) => chunks.blocks.extend(blocks),
            Growth::Task(update) => grow_task(chunks, &update),
        }
    }
}

fn grow_task(chunks: &mut Chunks, update: &Value) {
    let text = |name: &str| update[name].as_str().unwrap_or_default().to_owned();
    let id = text("id");
    let index = chunks.tasks.iter().position(|it| it.id == id).unwrap_or_else(|| {
        let (title, status) = (String::new(), String::new());
        let empty =
            Task { id, title, status, details: String::new(), output: String::new(), sources: Vec::new() };
        chunks.tasks.push(empty);
        chunks.tasks.len() - 1
    });
    let task = &mut chunks.tasks[index];
    task.title = text("title");
    task.status = text("status");
    task.details.push_str(&text("details"));
    task.output.push_str(&text("output"));
    task.sources.extend(update["sources"].as_array().into_iter().flatten().cloned());
}
