//! The Web API: the table of methods, and what each needs before it may run.
//!
//! One file per family; each offers its own `METHODS`. Never parses HTTP (`http` does) and never
//! sends anything. Start at [`call`].

mod agents;
mod args;
mod auth;
pub mod chat;
mod content;
mod conversations;
pub mod files;
mod reactions;
mod streams;
mod users;
pub mod views;

use serde_json::{Map, Value, json};

#[cfg(test)]
pub use args::decode_form;
pub use args::{Args, BodyKind};

use super::shared::Shared;
use super::state::State;

/// What a method answers: its fields, without `ok`.
pub type Answer = Result<Value, Refusal>;

/// Slack's way of saying no.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Error name.
    pub error: String,
    /// `response_metadata.messages`.
    pub messages: Vec<String>,
    /// Further fields of the answer.
    pub extra: Map<String, Value>,
}

impl Refusal {
    pub fn new(error: &str) -> Self {
        Self { error: error.to_owned(), messages: Vec::new(), extra: Map::new() }
    }

    pub fn because(error: &str, messages: Vec<String>) -> Self {
        Self { messages, ..Self::new(error) }
    }

    pub fn answer(self) -> Value {
        let mut answer = json!({"ok": false, "error": self.error});
        if let Some(map) = answer.as_object_mut() {
            map.extend(self.extra);
            if !self.messages.is_empty() {
                map.insert("response_metadata".into(), json!({"messages": self.messages}));
            }
        }
        answer
    }
}

/// Shorthand for `Err(Refusal::new(..))`.
pub fn refuse<T>(error: &str) -> Result<T, Refusal> {
    Err(Refusal::new(error))
}

/// How often a method may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// 20 a minute.
    Two,
    /// 50 a minute.
    Three,
    /// 100 a minute.
    Four,
    /// About one message a second per channel, with short bursts.
    PerChannel,
    /// Not held to a budget here.
    Free,
}

/// Which token a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// The bot's.
    Bot,
    /// The app's.
    App,
    /// None needed.
    None,
}

/// Which bodies a method reads its arguments from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// JSON or form.
    Any,
    /// Form or query only; a JSON body is not read.
    FormOnly,
}

/// One method of the Web API.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    pub name: &'static str,
    pub tier: Tier,
    pub token: Token,
    pub body: Body,
    /// Any one of these suffices; none needed if empty.
    pub scopes: &'static [&'static str],
    pub run: fn(&mut Ctx<'_>) -> Answer,
}

impl Method {
    const fn new(
        name: &'static str,
        tier: Tier,
        scopes: &'static [&'static str],
        run: fn(&mut Ctx<'_>) -> Answer,
    ) -> Self {
        Self { name, tier, token: Token::Bot, body: Body::Any, scopes, run }
    }

    const fn form_only(self) -> Self {
        Self { body: Body::FormOnly, ..self }
    }

    const fn takes(self, token: Token) -> Self {
        Self { token, ..self }
    }
}

/// What a method works with.
pub struct Ctx<'a> {
    pub state: &'a mut State,
    pub args: &'a Args,
    pub shared: &'a Shared,
}

const FAMILIES: &[&[Method]] = &[
    auth::METHODS,
    chat::METHODS,
    streams::METHODS,
    agents::METHODS,
    conversations::METHODS,
    users::METHODS,
    reactions::METHODS,
    views::METHODS,
    files::METHODS,
];

/// The method of this name.
pub fn method(name: &str) -> Option<&'static Method> {
    FAMILIES.iter().flat_map(|it| it.iter()).find(|it| it.name == name)
}

/// Checks token, scopes and body, then runs the method.
pub fn call(shared: &Shared, method: &Method, args: &mut Args) -> Answer {
    authorize(shared, method, args)?;
    if let Some(error) = args.broken {
        return refuse(error);
    }
    if method.body == Body::FormOnly && args.kind == BodyKind::Json {
        args.forget_json();
    }
    shared.with(|state| (method.run)(&mut Ctx { state, args, shared }))
}

fn authorize(shared: &Shared, method: &Method, args: &Args) -> Result<(), Refusal> {
    let secrets = &shared.secrets;
    let wanted = match method.token {
        Token::None => return Ok(()),
        Token::Bot => &secrets.bot_token,
        Token::App => &secrets.app_token,
    };
    match args.token.as_deref() {
        None | Some("") => return refuse("not_authed"),
        Some(token) if token == wanted => {}
        Some(token) if token == secrets.bot_token || token == secrets.app_token => {
            return refuse("not_allowed_token_type");
        }
        Some(_) => return refuse("invalid_auth"),
    }
    let granted = |scope: &&str| shared.scopes.iter().any(|it| it == *scope);
    if method.token == Token::Bot && !method.scopes.is_empty() && !method.scopes.iter().any(granted) {
        let mut refusal = Refusal::new("missing_scope");
        refusal.extra.insert("needed".into(), method.scopes.join(",").into());
        refusal.extra.insert("provided".into(), shared.scopes.join(",").into());
        return Err(refusal);
    }
    Ok(())
}

/// The seconds to wait before this call, if its budget is spent.
pub fn over_budget(shared: &Shared, method: &Method, args: &Args) -> Option<u64> {
    let now = shared.clock.now();
    let minute = std::time::Duration::from_secs(60);
    let (key, limit, window) = match method.tier {
        Tier::Free => return None,
        Tier::Two => (method.name.to_owned(), 20, minute),
        Tier::Three => (method.name.to_owned(), 50, minute),
        Tier::Four => (method.name.to_owned(), 100, minute),
        Tier::PerChannel => {
            let channel = args.text("channel").or_else(|| args.text("channel_id")).unwrap_or_default();
            (format!("{} {channel}", method.name), 10, std::time::Duration::from_secs(10))
        }
    };
    shared.spend(&key, limit, window, now).err()
}

impl Ctx<'_> {
    /// The channel that argument `name` speaks of, if the bot can see it.
    pub fn channel(&self, name: &str) -> Result<String, Refusal> {
        let wanted = self.args.text(name).unwrap_or_default();
        let bare = wanted.trim_start_matches('#');
        let bot = &self.state.bot.user_id;
        let found = self
            .state
            .channels
            .iter()
            .find(|it| it.id == wanted || (it.kind == "channel" && it.name == bare));
        match found {
            Some(it) if it.kind == "channel" || it.members.contains(bot) => Ok(it.id.clone()),
            _ => refuse("channel_not_found"),
        }
    }

    /// The same, and the bot must be in it.
    pub fn own_channel(&self, name: &str) -> Result<String, Refusal> {
        let channel = self.channel(name)?;
        if self.state.is_member(&channel, &self.state.bot.user_id) {
            Ok(channel)
        } else {
            refuse("not_in_channel")
        }
    }

    /// The root of the thread that `thread_ts` names; a reply stands for its thread.
    pub fn thread(&self, channel: &str, name: &str) -> Result<Option<String>, Refusal> {
        let Some(ts) = self.args.text(name).filter(|it| !it.is_empty()) else { return Ok(None) };
        match self.state.message(channel, &ts) {
            Some(it) if it.ephemeral_to.is_none() => Ok(Some(it.root().to_owned())),
            _ => refuse("thread_not_found"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_listed_once_and_the_form_only_ones_are_marked() {
        let mut names: Vec<_> = FAMILIES.iter().flat_map(|it| it.iter()).map(|it| it.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in [
            "conversations.replies",
            "conversations.info",
            "conversations.list",
            "conversations.members",
            "users.info",
            "usergroups.list",
            "bots.info",
            "files.getUploadURLExternal",
            "files.info",
            "reactions.get",
        ] {
            assert_eq!(method(name).unwrap().body, Body::FormOnly, "{name}");
        }
        assert!(method("chat.explode").is_none());
    }
}
