//! `reactions.*`.

use serde_json::json;

use super::{Answer, Ctx, Method, Refusal, Tier, refuse};
use crate::playground::events::{self, Metadata};

pub const METHODS: &[Method] = &[
    Method::new("reactions.add", Tier::Three, &["reactions:write"], add),
    Method::new("reactions.remove", Tier::Two, &["reactions:write"], remove),
    Method::new("reactions.get", Tier::Three, &["reactions:read"], get).form_only(),
];

fn target(ctx: &Ctx<'_>) -> Result<(String, String), Refusal> {
    let channel = ctx.own_channel("channel")?;
    let ts = ctx
        .args
        .text("timestamp")
        .filter(|it| !it.is_empty())
        .ok_or_else(|| Refusal::new("bad_timestamp"))?;
    match ctx.state.message(&channel, &ts) {
        Some(it) if it.ephemeral_to.is_none() => Ok((channel, ts)),
        _ => refuse("message_not_found"),
    }
}

fn name(ctx: &Ctx<'_>) -> Result<String, Refusal> {
    let name = ctx.args.text("name").unwrap_or_default();
    let good = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "_-+'".contains(it);
    if name.is_empty() || !name.chars().all(good) { refuse("invalid_name") } else { Ok(name) }
}

fn add(ctx: &mut Ctx<'_>) -> Answer {
    let name = name(ctx)?;
    let (channel, ts) = target(ctx)?;
    let bot = ctx.state.bot.user_id.clone();
    if events::react(ctx.state, &bot, (&channel, &ts), &name) {
        Ok(json!({}))
    } else {
        refuse("already_reacted")
    }
}

fn remove(ctx: &mut Ctx<'_>) -> Answer {
    let name = name(ctx)?;
    let (channel, ts) = target(ctx)?;
    let bot = ctx.state.bot.user_id.clone();
    if events::unreact(ctx.state, &bot, (&channel, &ts), &name) {
        Ok(json!({}))
    } else {
        refuse("no_reaction")
    }
}

fn get(ctx: &mut Ctx<'_>) -> Answer {
    let (channel, ts) = target(ctx)?;
    Ok(
        json!({"type": "message", "channel": channel, "message": events::wire(ctx.state, &channel, &ts, Metadata::Hidden)}),
    )
}
