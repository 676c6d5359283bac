//! The slash command.

use serde_json::Value;

use super::{Commanded, Inbound, Ourselves, Person};

/// What a slash command's payload (its form fields as one object) means to us.
#[must_use]
pub fn command(payload: &Value, us: &Ourselves) -> Inbound {
    let field = |name: &str| payload[name].as_str().unwrap_or_default();
    let (channel, user) = (field("channel_id"), field("user_id"));
    if channel.is_empty() || user.is_empty() {
        return Inbound::Nothing("a command without channel or author");
    }
    let team = field("team_id");
    Inbound::Commanded(Commanded {
        team: us.team.clone(),
        channel: channel.to_owned(),
        person: Person { id: user.to_owned(), external: !team.is_empty() && team != us.team },
        text: field("text").trim().to_owned(),
        cause: field("trigger_id").to_owned(),
    })
}
