//! `users.*`, `usergroups.*`, `bots.info`: who is who.

use serde_json::{Value, json};

use super::conversations::page;
use super::{Answer, Ctx, Method, Tier, refuse};
use crate::playground::state::{GroupCard, State};

const READ: &[&str] = &["users:read"];

pub const METHODS: &[Method] = &[
    Method::new("users.info", Tier::Four, READ, info).form_only(),
    Method::new("users.list", Tier::Two, READ, list).form_only(),
    Method::new("usergroups.list", Tier::Two, &["usergroups:read"], groups).form_only(),
    Method::new("usergroups.users.list", Tier::Two, &["usergroups:read"], group_users).form_only(),
    Method::new("bots.info", Tier::Three, READ, bot).form_only(),
];

fn wire(state: &State, id: &str) -> Option<Value> {
    let is_bot = id == state.bot.user_id;
    let (name, real_name, title, color) = if is_bot {
        (state.bot.name.clone(), state.bot.name.clone(), String::new(), "#4a154b".to_owned())
    } else {
        let person = state.people.iter().find(|it| it.id == id)?;
        (person.name.clone(), person.real_name.clone(), person.title.clone(), person.color.clone())
    };
    let mut profile = json!({"real_name": real_name, "display_name": name, "real_name_normalized": real_name,
        "display_name_normalized": name, "title": title, "phone": "", "skype": "", "status_text": "",
        "status_emoji": "", "avatar_hash": "g0", "team": state.team.id});
    if is_bot {
        profile["bot_id"] = state.bot.bot_id.clone().into();
        profile["api_app_id"] = state.bot.app_id.clone().into();
    }
    Some(json!({"id": id, "team_id": state.team.id, "name": name, "deleted": false, "real_name": real_name,
        "color": color.trim_start_matches('#'), "tz": "Europe/Paris", "tz_label": "Central European Time", "tz_offset": 3600,
        "profile": profile, "is_admin": false, "is_owner": false, "is_primary_owner": false, "is_restricted": false,
        "is_ultra_restricted": false, "is_bot": is_bot, "is_app_user": false, "updated": 0}))
}

fn info(ctx: &mut Ctx<'_>) -> Answer {
    let id = ctx.args.text("user").unwrap_or_default();
    match wire(ctx.state, &id) {
        Some(user) => Ok(json!({"user": user})),
        None => refuse("user_not_found"),
    }
}

fn list(ctx: &mut Ctx<'_>) -> Answer {
    let ids = ctx.state.people.iter().map(|it| it.id.clone()).chain([ctx.state.bot.user_id.clone()]);
    let all = ids.filter_map(|id| wire(ctx.state, &id)).collect();
    let (members, next) = page(all, ctx.args, 200, 1000)?;
    Ok(json!({"members": members, "cache_ts": 0, "response_metadata": {"next_cursor": next}}))
}

fn groups(ctx: &mut Ctx<'_>) -> Answer {
    let with_users = ctx.args.flag("include_users");
    let with_count = ctx.args.flag("include_count");
    let wire = |group: &GroupCard| {
        let mut wire = json!({"id": group.id, "team_id": ctx.state.team.id, "is_usergroup": true,
            "is_subteam": true, "is_external": false, "name": group.handle, "description": "",
            "handle": group.handle, "date_create": 0, "date_update": 0, "date_delete": 0, "auto_type": null,
            "auto_provision": false, "enterprise_subteam_id": "", "created_by": ctx.state.bot.user_id,
            "updated_by": ctx.state.bot.user_id, "deleted_by": null,
            "prefs": {"channels": [], "groups": []}});
        if with_users {
            wire["users"] = json!(group.members);
        }
        if with_count {
            wire["user_count"] = json!(group.members.len());
        }
        wire
    };
    Ok(json!({"usergroups": ctx.state.groups.iter().map(wire).collect::<Vec<_>>()}))
}

fn group_users(ctx: &mut Ctx<'_>) -> Answer {
    let wanted = ctx.args.need("usergroup")?;
    match ctx.state.groups.iter().find(|group| group.id == wanted) {
        Some(group) => Ok(json!({"users": group.members})),
        None => refuse("no_such_subteam"),
    }
}

fn bot(ctx: &mut Ctx<'_>) -> Answer {
    let bot = &ctx.state.bot;
    if ctx.args.text("bot").is_some_and(|it| it != bot.bot_id) {
        return refuse("bot_not_found");
    }
    Ok(
        json!({"bot": {"id": bot.bot_id, "deleted": false, "name": bot.name, "updated": 0, "app_id": bot.app_id,
        "user_id": bot.user_id, "icons": {}}}),
    )
}
