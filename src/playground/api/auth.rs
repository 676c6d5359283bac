//! `api.test`, `auth.test`, `apps.connections.open`, `team.info`, `blocks.validate`.

use serde_json::{Value, json};

use super::{Answer, Ctx, Method, Refusal, Tier, Token, refuse};
use crate::playground::blocks::{Surface, check_blocks};

pub const METHODS: &[Method] = &[
    Method::new("api.test", Tier::Free, &[], api_test).takes(Token::None),
    Method::new("auth.test", Tier::Free, &[], auth_test),
    Method::new("apps.connections.open", Tier::Three, &["connections:write"], connections_open)
        .takes(Token::App),
    Method::new("team.info", Tier::Three, &["team:read", "users:read", "chat:write"], team_info).form_only(),
    Method::new("blocks.validate", Tier::Free, &[], validate),
];

fn api_test(ctx: &mut Ctx<'_>) -> Answer {
    match ctx.args.text("error") {
        Some(error) => {
            let mut refusal = Refusal::new(&error);
            refusal.extra.insert("args".into(), ctx.args.logged());
            Err(refusal)
        }
        None => Ok(json!({"args": ctx.args.logged()})),
    }
}

fn auth_test(ctx: &mut Ctx<'_>) -> Answer {
    let state = &ctx.state;
    Ok(json!({
        "url": format!("{}/", state.base), "team": state.team.name, "user": state.bot.name, "team_id": state.team.id,
        "user_id": state.bot.user_id, "bot_id": state.bot.bot_id, "is_enterprise_install": false,
    }))
}

fn connections_open(ctx: &mut Ctx<'_>) -> Answer {
    let ticket = ctx.shared.hub.new_ticket();
    let app = &ctx.state.bot.app_id;
    let mut url = format!("ws://127.0.0.1:{}/socket/?ticket={ticket}&app_id={app}", ctx.shared.port);
    if ctx.args.flag("debug_reconnects") {
        url.push_str("&debug_reconnects=true");
    }
    Ok(json!({"url": url}))
}

fn team_info(ctx: &mut Ctx<'_>) -> Answer {
    let team = &ctx.state.team;
    Ok(
        json!({"team": {"id": team.id, "name": team.name, "domain": "playground", "email_domain": "", "icon": {}}}),
    )
}

fn validate(ctx: &mut Ctx<'_>) -> Answer {
    let blocks = ctx.args.nested("blocks", "invalid_blocks_format")?;
    let Some(Value::Array(blocks)) = blocks else { return refuse("invalid_blocks_format") };
    if serde_json::to_string(&blocks).map_or(0, |it| it.len()) > 100_000 {
        return refuse("blocks_too_large");
    }
    let errors = check_blocks(&blocks, Surface::Message);
    if errors.is_empty() {
        return Ok(json!({}));
    }
    let mut refusal = Refusal::because("invalid_blocks", errors.iter().map(ToString::to_string).collect());
    let list = errors.iter().map(|it| json!({"message": it.words, "pointer": it.pointer}));
    refusal.extra.insert("errors".into(), list.collect());
    Err(refusal)
}
