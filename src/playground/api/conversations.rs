//! `conversations.*` and `pins.*`: who talks where, and what was said.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Answer, Args, Ctx, Method, Refusal, Tier, refuse};
use crate::playground::events::{self, Metadata};
use crate::playground::state::Channel;

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];

pub const METHODS: &[Method] = &[
    Method::new("conversations.list", Tier::Two, READ, list).form_only(),
    Method::new("conversations.info", Tier::Three, READ, info).form_only(),
    Method::new("conversations.history", Tier::Three, HISTORY, history),
    Method::new("conversations.replies", Tier::Three, HISTORY, replies).form_only(),
    Method::new("conversations.members", Tier::Four, READ, members).form_only(),
    Method::new("conversations.open", Tier::Three, &["im:write", "mpim:write"], open),
    Method::new("conversations.join", Tier::Three, &["channels:join", "channels:manage"], join),
    Method::new("users.conversations", Tier::Three, READ, of_user).form_only(),
    Method::new("pins.add", Tier::Two, &["pins:write"], pin),
    Method::new("pins.remove", Tier::Two, &["pins:write"], unpin),
    Method::new("pins.list", Tier::Two, &["pins:read"], pins).form_only(),
];

/// One page of `items`, and the cursor of the next.
pub fn page<T>(items: Vec<T>, args: &Args, usual: usize, most: usize) -> Result<(Vec<T>, String), Refusal> {
    let limit = args.number("limit").filter(|it| *it > 0).unwrap_or(usual).min(most);
    let from = match args.text("cursor").filter(|it| !it.is_empty()) {
        None => 0,
        Some(cursor) => decode(&cursor).ok_or_else(|| Refusal::new("invalid_cursor"))?,
    };
    let left = items.len().saturating_sub(from);
    let next = if left > limit { STANDARD.encode(format!("offset:{}", from + limit)) } else { String::new() };
    Ok((items.into_iter().skip(from).take(limit).collect(), next))
}

fn decode(cursor: &str) -> Option<usize> {
    let bytes = STANDARD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("offset:")?.parse().ok()
}

fn wire(ctx: &Ctx<'_>, channel: &Channel) -> Value {
    let bot = &ctx.state.bot.user_id;
    let member = channel.members.contains(bot);
    if channel.kind == "im" {
        let user = channel.members.iter().find(|it| *it != bot);
        return json!({"id": channel.id, "is_im": true, "is_channel": false, "is_group": false, "is_mpim": false,
            "user": user, "is_user_deleted": false, "is_archived": false, "is_open": true, "created": 0, "updated": 0,
            "is_org_shared": false, "context_team_id": ctx.state.team.id});
    }
    let private = channel.kind == "private";
    json!({"id": channel.id, "name": channel.name, "name_normalized": channel.name, "is_channel": true,
        "is_group": false, "is_im": false, "is_mpim": false, "is_private": private, "is_archived": false, "is_general":
        channel.name == "general", "is_member": member, "is_shared": false, "is_ext_shared": false,
        "is_org_shared": false, "created": 0, "updated": 0, "creator": channel.members.first(), "unlinked": 0,
        "num_members": channel.members.len(), "context_team_id": ctx.state.team.id, "previous_names": [],
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0}})
}

fn of_types(args: &Args) -> Vec<&'static str> {
    let types = args.text("types").unwrap_or_else(|| "public_channel".into());
    let all = [("public_channel", "channel"), ("private_channel", "private"), ("im", "im")];
    all.iter()
        .filter(|(slack, _)| types.split(',').any(|it| it.trim() == *slack))
        .map(|(_, kind)| *kind)
        .collect()
}

fn channels_page(ctx: &Ctx<'_>, seen: impl Fn(&Channel) -> bool) -> Answer {
    let kinds = of_types(ctx.args);
    let fits = |it: &&Channel| kinds.contains(&it.kind.as_str()) && seen(it);
    let channels = ctx.state.channels.iter().filter(fits).map(|it| wire(ctx, it)).collect();
    let (channels, next) = page(channels, ctx.args, 100, 1000)?;
    Ok(json!({"channels": channels, "response_metadata": {"next_cursor": next}}))
}

fn list(ctx: &mut Ctx<'_>) -> Answer {
    let bot = ctx.state.bot.user_id.clone();
    channels_page(ctx, |it| it.kind == "channel" || it.members.contains(&bot))
}

fn of_user(ctx: &mut Ctx<'_>) -> Answer {
    let bot = ctx.state.bot.user_id.clone();
    let user = ctx.args.text("user").unwrap_or_else(|| bot.clone());
    channels_page(ctx, |it| it.members.contains(&user) && (it.kind == "channel" || it.members.contains(&bot)))
}

fn info(ctx: &mut Ctx<'_>) -> Answer {
    ctx.args.need("channel")?;
    let id = ctx.channel("channel")?;
    let Some(channel) = ctx.state.channel(&id) else { return refuse("channel_not_found") };
    Ok(json!({"channel": wire(ctx, channel)}))
}

fn members(ctx: &mut Ctx<'_>) -> Answer {
    ctx.args.need("channel")?;
    let id = ctx.channel("channel")?;
    let members = ctx.state.channel(&id).map(|it| it.members.clone()).unwrap_or_default();
    let (members, next) = page(members, ctx.args, 100, 1000)?;
    Ok(json!({"members": members, "response_metadata": {"next_cursor": next}}))
}

/// Keeps what lies between `oldest` and `latest`.
fn within(args: &Args, ts: &str) -> bool {
    let number = |it: &str| it.parse::<f64>().unwrap_or(0.0);
    let inclusive = args.flag("inclusive");
    let at = number(ts);
    let after = args.text("oldest").filter(|it| !it.is_empty()).is_none_or(|it| {
        let oldest = number(&it);
        at > oldest || (inclusive && ts == it) || (inclusive && at >= oldest)
    });
    let before = args.text("latest").filter(|it| !it.is_empty()).is_none_or(|it| {
        let latest = number(&it);
        at < latest || (inclusive && ts == it) || (inclusive && at <= latest)
    });
    after && before
}

fn shown_metadata(args: &Args) -> Metadata {
    if args.flag("include_all_metadata") { Metadata::Shown } else { Metadata::Hidden }
}

fn history(ctx: &mut Ctx<'_>) -> Answer {
    ctx.args.need("channel")?;
    let channel = ctx.own_channel("channel")?;
    let metadata = shown_metadata(ctx.args);
    let seen: Vec<String> = ctx
        .state
        .in_channel(&channel)
        .rev()
        .filter(|it| it.ephemeral_to.is_none() && (it.thread_ts.is_none() || it.broadcast))
        .filter(|it| within(ctx.args, &it.ts))
        .map(|it| it.ts.clone())
        .collect();
    let (seen, next) = page(seen, ctx.args, 100, 999)?;
    let messages: Vec<_> = seen.iter().map(|ts| events::wire(ctx.state, &channel, ts, metadata)).collect();
    let mut answer = json!({"messages": messages, "has_more": !next.is_empty(), "pin_count": 0});
    if !next.is_empty() {
        answer["response_metadata"] = json!({"next_cursor": next});
    }
    Ok(answer)
}

fn replies(ctx: &mut Ctx<'_>) -> Answer {
    ctx.args.need("channel")?;
    ctx.args.need("ts")?;
    let channel = ctx.own_channel("channel")?;
    let Some(root) = ctx.thread(&channel, "ts")? else { return refuse("thread_not_found") };
    let metadata = shown_metadata(ctx.args);
    let mut seen: Vec<String> = ctx
        .state
        .in_thread(&channel, &root)
        .filter(|it| it.ephemeral_to.is_none() && (it.ts == root || within(ctx.args, &it.ts)))
        .map(|it| it.ts.clone())
        .collect();
    seen.sort();
    let (seen, next) = page(seen, ctx.args, 1000, 1000)?;
    let messages: Vec<_> = seen.iter().map(|ts| events::wire(ctx.state, &channel, ts, metadata)).collect();
    let mut answer = json!({"messages": messages, "has_more": !next.is_empty()});
    if !next.is_empty() {
        answer["response_metadata"] = json!({"next_cursor": next});
    }
    Ok(answer)
}

fn open(ctx: &mut Ctx<'_>) -> Answer {
    if ctx.args.text("channel").is_some_and(|it| !it.is_empty()) {
        let id = ctx.channel("channel")?;
        return Ok(json!({"channel": {"id": id}}));
    }
    let users = ctx.args.need("users")?;
    let wanted: Vec<_> = users.split(',').map(str::trim).collect();
    let [user] = wanted[..] else { return refuse("not_enough_users") };
    if !ctx.state.people.iter().any(|it| it.id == user) {
        return refuse("user_not_found");
    }
    let id = events::im_with(ctx.state, user);
    Ok(json!({"channel": {"id": id}, "no_op": false, "already_open": false}))
}

fn join(ctx: &mut Ctx<'_>) -> Answer {
    let id = ctx.channel("channel")?;
    if ctx.state.channel(&id).is_some_and(|it| it.kind != "channel") {
        return refuse("method_not_supported_for_channel_type");
    }
    let bot = ctx.state.bot.user_id.clone();
    let already = ctx.state.is_member(&id, &bot);
    events::joined(ctx.state, &id, &bot, None);
    let Some(channel) = ctx.state.channel(&id) else { return refuse("channel_not_found") };
    let mut answer = json!({"channel": wire(ctx, channel)});
    if already {
        answer["warning"] = "already_in_channel".into();
    }
    Ok(answer)
}

fn pin(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.own_channel("channel")?;
    let ts = ctx.args.need("timestamp")?;
    if ctx.state.message(&channel, &ts).is_none() {
        return refuse("message_not_found");
    }
    let key = (channel, ts);
    if ctx.state.pins.contains(&key) {
        return refuse("already_pinned");
    }
    ctx.state.pins.push(key);
    Ok(json!({}))
}

fn unpin(ctx: &mut Ctx<'_>) -> Answer {
    let key = (ctx.own_channel("channel")?, ctx.args.need("timestamp")?);
    if !ctx.state.pins.contains(&key) {
        return refuse("no_pin");
    }
    ctx.state.pins.retain(|it| *it != key);
    Ok(json!({}))
}

fn pins(ctx: &mut Ctx<'_>) -> Answer {
    let channel = ctx.own_channel("channel")?;
    let pinned = ctx.state.pins.iter().filter(|it| it.0 == channel);
    let items: Vec<_> = pinned
        .map(|(channel, ts)| {
            json!({"type": "message", "channel": channel, "created": 0,
            "created_by": ctx.state.bot.user_id, "message": events::wire(ctx.state, channel, ts, Metadata::Hidden)})
        })
        .collect();
    Ok(json!({"items": items}))
}
