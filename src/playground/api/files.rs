//! The external upload flow: ask for an address, put the bytes there, say that it is done.

use serde_json::{Value, json};

use super::chat::bots_message;
use super::content::checked_blocks;
use super::{Answer, Ctx, Method, Tier, refuse};
use crate::playground::events;
use crate::playground::message::FileCard;
use crate::playground::state::{State, StoredFile};

/// Largest file taken, in bytes.
pub const FILE_MOST: usize = 16 * 1024 * 1024;
/// Most bytes of all files together.
const ALL_FILES_MOST: usize = 128 * 1024 * 1024;

pub const METHODS: &[Method] = &[
    Method::new("files.getUploadURLExternal", Tier::Four, &["files:write"], upload_url).form_only(),
    Method::new("files.completeUploadExternal", Tier::Four, &["files:write"], complete),
    Method::new("files.info", Tier::Four, &["files:read"], info).form_only(),
];

fn mimetype(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "json" => "application/json",
        "csv" => "text/csv",
        "md" => "text/markdown",
        "py" => "text/x-python",
        "html" => "text/html",
        "txt" | "log" | "text" => "text/plain",
        _ => "application/octet-stream",
    }
}

/// Makes room for a file; its bytes come later.
pub fn announce(state: &mut State, user: &str, name: &str, length: usize) -> String {
    let id = state.mint("F");
    let safe: String = name
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() || ".-_".contains(it) { it } else { '_' })
        .collect();
    let url = format!("{}/files/{id}/{safe}", state.base);
    let card = FileCard {
        id: id.clone(),
        name: name.into(),
        title: name.into(),
        size: length,
        url,
        mimetype: mimetype(name).into(),
    };
    let file = StoredFile { card, user: user.into(), bytes: None, announced: length, completed: false };
    state.files.insert(id.clone(), file);
    id
}

/// Puts the bytes into an announced file; says why not.
pub fn finish_upload(state: &mut State, id: &str, bytes: Vec<u8>) -> Result<usize, &'static str> {
    let held: usize = state.files.values().filter_map(|it| it.bytes.as_ref()).map(Vec::len).sum();
    let Some(file) = state.files.get_mut(id) else { return Err("no such upload") };
    if file.completed || file.bytes.is_some() {
        return Err("already uploaded");
    }
    if bytes.len() > FILE_MOST || held + bytes.len() > ALL_FILES_MOST {
        return Err("too large");
    }
    file.card.size = bytes.len();
    file.bytes = Some(bytes);
    Ok(file.card.size)
}

fn upload_url(ctx: &mut Ctx<'_>) -> Answer {
    let name = ctx.args.need("filename")?;
    let length = ctx.args.number("length").unwrap_or(0);
    if length == 0 {
        return refuse("invalid_arguments");
    }
    if length > FILE_MOST {
        return refuse("file_upload_size_restricted");
    }
    let bot = ctx.state.bot.user_id.clone();
    let id = announce(ctx.state, &bot, &name, length);
    Ok(json!({"upload_url": format!("{}/upload/{id}", ctx.state.base), "file_id": id}))
}

fn complete(ctx: &mut Ctx<'_>) -> Answer {
    let Some(wanted) = ctx.args.list("files", "invalid_arguments")? else {
        return refuse("invalid_arguments");
    };
    let channel = match ctx.args.text("channel_id").filter(|it| !it.is_empty()) {
        Some(_) => Some(ctx.own_channel("channel_id")?),
        None => None,
    };
    let mut cards = Vec::new();
    for file in &wanted {
        let id = file["id"].as_str().unwrap_or_default();
        match ctx.state.files.get_mut(id) {
            Some(stored) if stored.bytes.is_some() && !stored.completed => {
                if let Some(title) = file["title"].as_str() {
                    stored.card.title = title.to_owned();
                }
                cards.push(stored.card.clone());
            }
            _ => return refuse("file_not_found"),
        }
    }
    if cards.is_empty() {
        return refuse("invalid_arguments");
    }
    let blocks = ctx.args.list("blocks", "invalid_blocks_format")?.unwrap_or_default();
    if blocks.iter().any(|it| it["type"] == "markdown") {
        // Slack itself fails on markdown blocks here.
        return refuse("internal_error");
    }
    let blocks = checked_blocks(ctx, blocks)?;
    if let Some(channel) = channel {
        let thread_ts = ctx.thread(&channel, "thread_ts")?;
        let mut message = bots_message(ctx, &channel, thread_ts)?;
        message.text = ctx.args.text("initial_comment").unwrap_or_default();
        message.blocks = blocks;
        message.files.clone_from(&cards);
        message.subtype = Some("file_share".into());
        let ts = message.ts.clone();
        ctx.state.keep(message);
        events::posted(ctx.state, &channel, &ts);
    }
    for card in &cards {
        if let Some(stored) = ctx.state.files.get_mut(&card.id) {
            stored.completed = true;
        }
    }
    Ok(json!({"files": cards.iter().map(FileCard::wire).collect::<Vec<Value>>()}))
}

fn info(ctx: &mut Ctx<'_>) -> Answer {
    let id = ctx.args.text("file").unwrap_or_default();
    match ctx.state.files.get(&id).filter(|it| it.completed) {
        Some(file) => {
            let mut wire = file.card.wire();
            wire["user"] = file.user.clone().into();
            Ok(json!({"file": wire, "comments": []}))
        }
        None => refuse("file_not_found"),
    }
}
