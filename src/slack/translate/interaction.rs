//! Interactions: buttons that were pressed, modals that were sent off.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Button, Clicked, Form, Inbound, Ourselves, Person, Submitted};
use crate::protocol::{ApprovalId, JobWish};
use crate::slack::place::Place;
use crate::slack::{buttons, modal};

/// What an interactive payload means to us.
#[must_use]
pub fn interaction(payload: &Value, us: &Ourselves) -> Inbound {
    match payload["type"].as_str().unwrap_or_default() {
        "block_actions" => clicked(payload, us),
        "view_submission" => submitted(payload, us),
        "" => Inbound::Nothing("an interaction without a type"),
        _ => Inbound::Nothing("an interaction that we do nothing about"),
    }
}

fn person(payload: &Value, us: &Ourselves) -> Option<Person> {
    let user = &payload["user"];
    let id = user["id"].as_str().filter(|id| !id.is_empty())?;
    let external = user["team_id"].as_str().is_some_and(|team| !team.is_empty() && team != us.team);
    Some(Person { id: id.to_owned(), external })
}

fn clicked(payload: &Value, us: &Ourselves) -> Inbound {
    let Some(person) = person(payload, us) else { return Inbound::Nothing("a click by nobody") };
    let action = &payload["actions"][0];
    let value = action["value"].as_str().unwrap_or_default();
    let approval = || ApprovalId(value.to_owned());
    let button = match action["action_id"].as_str().unwrap_or_default() {
        buttons::APPROVE => Button::Approve(approval()),
        buttons::APPROVE_SESSION => Button::ApproveForSession(approval()),
        buttons::EDIT => Button::Edit(approval()),
        buttons::REJECT => Button::Reject(approval()),
        buttons::STOP => Button::Stop,
        buttons::JOB_STOP => Button::Job(value.into(), JobWish::Stop),
        buttons::JOB_LONGER => Button::Job(value.into(), JobWish::Longer),
        buttons::JOB_LOGS => Button::Job(value.into(), JobWish::Logs),
        buttons::RETRY => Button::Retry,
        buttons::FEEDBACK => Button::Feedback(value.to_owned()),
        _ => return Inbound::Nothing("a button that is not ours"),
    };
    let (message, container) = (&payload["message"], &payload["container"]);
    let channel = payload["channel"]["id"].as_str().or(container["channel_id"].as_str());
    let message_ts = message["ts"].as_str().or(container["message_ts"].as_str());
    let (Some(channel), Some(message_ts)) = (channel, message_ts) else {
        return Inbound::Nothing("a click outside of any message");
    };
    let thread_ts = message["thread_ts"].as_str().or(container["thread_ts"].as_str()).unwrap_or(message_ts);
    let trigger = payload["trigger_id"].as_str().unwrap_or_default();
    let action_ts = action["action_ts"].as_str().unwrap_or_default();
    Inbound::Clicked(Clicked {
        place: Place {
            team: us.team.clone(),
            channel: channel.to_owned(),
            thread_ts: thread_ts.to_owned(),
            opened_by: person.id.clone(),
        },
        cause: format!("{message_ts}:{action_ts}:{}", person.id),
        person,
        message_ts: message_ts.to_owned(),
        trigger: trigger.to_owned(),
        button,
        text: message["text"].as_str().unwrap_or_default().to_owned(),
        blocks: message["blocks"].clone(),
    })
}

fn submitted(payload: &Value, us: &Ourselves) -> Inbound {
    let Some(person) = person(payload, us) else { return Inbound::Nothing("a form sent by nobody") };
    let view = &payload["view"];
    let about = view["private_metadata"].as_str().and_then(modal::About::read);
    let Some(about) = about else { return Inbound::Nothing("a form that is not ours") };
    let mut texts = BTreeMap::new();
    for (block, inputs) in view["state"]["values"].as_object().into_iter().flatten() {
        let value = inputs.as_object().and_then(|inputs| inputs.values().next());
        texts.insert(block.clone(), value.and_then(|v| v["value"].as_str()).unwrap_or_default().to_owned());
    }
    let form = match view["callback_id"].as_str().unwrap_or_default() {
        modal::REJECT => {
            let reason = texts.remove(modal::REASON).map(|reason| reason.trim().to_owned());
            Form::Reject(reason.filter(|reason| !reason.is_empty()))
        }
        modal::EDIT => Form::Edit(texts),
        _ => return Inbound::Nothing("a form that is not ours"),
    };
    Inbound::Submitted(Submitted {
        place: Place {
            team: us.team.clone(),
            channel: about.channel,
            thread_ts: about.thread_ts,
            opened_by: person.id.clone(),
        },
        cause: format!(
            "{}:{}",
            view["id"].as_str().unwrap_or_default(),
            view["hash"].as_str().unwrap_or_default()
        ),
        person,
        approval: about.approval,
        form,
    })
}
