//! Buttons and modals.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, GROUP_PATIENCE, Listener};
use crate::clients::slack::{Method, Outgoing, Priority, Retry};
use crate::protocol::{Actor, ApprovalId, ApprovalRequest, OperationKind, SessionHead, TurnState, Verdict};
use crate::slack::place::Place;
use crate::slack::translate::{Addressed, Button, Clicked, Form, Submitted};
use crate::slack::{modal, say};
use crate::text::{is_hub_token, redact_hub_tokens};

/// A trigger lives three seconds; an answer later than this is too late anyway.
const MODAL_PATIENCE: Duration = Duration::from_millis(2_500);

/// Under the text of an edit that brings a token.
const TOKEN_IN_EDIT: &str = "There is a Hugging Face token in this. Take it out: what is written here is kept with the \
     thread.";

impl Listener {
    pub(super) async fn clicked(self: &Arc<Self>, clicked: Clicked) -> Answer {
        if !self.may_talk(&clicked.place, &clicked.person, Addressed::Us) {
            return Answer::Taken;
        }
        let cause = format!("slack:click:{}", clicked.cause);
        let decide =
            |approval: &ApprovalId, verdict| OperationKind::Decide { approval: approval.clone(), verdict };
        let kind = match &clicked.button {
            Button::Edit(approval) | Button::Reject(approval) => {
                return self.open_modal(&clicked, approval).await;
            }
            Button::Feedback(verdict) => {
                let verdict = if verdict == "good" { "good" } else { "bad" };
                metrics::counter!("slack_feedback_total", "verdict" => verdict).increment(1);
                self.private(&clicked.place, &clicked.person.id, say::THANKS);
                return Answer::Taken;
            }
            Button::Approve(approval) => decide(approval, Verdict::Approve),
            Button::ApproveForSession(approval) => decide(approval, Verdict::ApproveForSession),
            Button::Stop => OperationKind::Stop,
            Button::Job(ticket, wish) => OperationKind::Job { ticket: ticket.clone(), wish: *wish },
            Button::Retry => OperationKind::Retry,
        };
        let answer = self.submit(&clicked.place, &clicked.person, cause, kind).await;
        if answer == Answer::Taken {
            self.take_buttons_away(&clicked).await;
        }
        answer
    }

    /// Opens the modal at once; the acknowledgement follows.
    async fn open_modal(self: &Arc<Self>, clicked: &Clicked, approval: &ApprovalId) -> Answer {
        let head = match self.intake.head(&clicked.place.session()).await {
            Ok(head) => head,
            Err(error) => {
                tracing::error!(%error, "the store could not be read");
                self.private(&clicked.place, &clicked.person.id, say::NOT_SAVED);
                return Answer::Taken;
            }
        };
        let Some(request) = waiting(head.as_ref(), approval) else {
            self.private(&clicked.place, &clicked.person.id, say::NO_LONGER_WAITING);
            self.take_buttons_away(clicked).await;
            return Answer::Taken;
        };
        let person = Actor::new(clicked.person.id.clone(), "");
        if !request.approvers.include(&self.groups.join(person, GROUP_PATIENCE).await) {
            self.private(&clicked.place, &clicked.person.id, say::NOT_AN_APPROVER);
            return Answer::Taken;
        }
        let view = match clicked.button {
            Button::Edit(_) => modal::edit(request, &clicked.place),
            _ => modal::reject(approval, &clicked.place),
        };
        let outgoing = Outgoing {
            method: Method::ViewsOpen,
            priority: Priority::Instant,
            channel: None,
            arguments: json!({ "trigger_id": clicked.trigger, "view": view }),
            retry: Retry::Within(Duration::ZERO),
        };
        let opened = tokio::time::timeout(MODAL_PATIENCE, self.scheduler.call(outgoing)).await;
        if !matches!(opened, Ok(Ok(_))) {
            tracing::warn!("a modal could not be opened");
            self.private(&clicked.place, &clicked.person.id, say::MODAL_FAILED);
        }
        Answer::Taken
    }

    pub(super) async fn submitted(self: &Arc<Self>, submitted: Submitted) -> Answer {
        let Submitted { place, person, cause, approval, form } = submitted;
        if !self.may_talk(&place, &person, Addressed::Us) {
            return Answer::Taken;
        }
        let verdict = match form {
            Form::Reject(reason) => {
                Verdict::Reject { reason: reason.map(|reason| redact_hub_tokens(&reason).into_owned()) }
            }
            Form::Edit(texts) => {
                let Ok(head) = self.intake.head(&place.session()).await else { return Answer::Again };
                let Some(request) = waiting(head.as_ref(), &approval) else {
                    return Answer::Show(json!({ "response_action": "update", "view": modal::settled() }));
                };
                match modal::edited(request, &texts) {
                    Err(errors) => {
                        return Answer::Show(json!({ "response_action": "errors", "errors": errors }));
                    }
                    Ok(arguments) if arguments.is_empty() => Verdict::Approve,
                    Ok(arguments) => {
                        let known: String =
                            request.calls.iter().map(|call| call.arguments.to_string()).collect();
                        if arguments.values().any(|new| brings_a_token(&new.to_string(), &known)) {
                            let found = texts.iter().find(|(_, text)| brings_a_token(text, &known));
                            let block = found.or_else(|| texts.iter().next()).map(|(block, _)| block.clone());
                            let errors = BTreeMap::from([(block.unwrap_or_default(), TOKEN_IN_EDIT)]);
                            return Answer::Show(json!({ "response_action": "errors", "errors": errors }));
                        }
                        Verdict::Edit { arguments }
                    }
                }
            }
        };
        let kind = OperationKind::Decide { approval, verdict };
        self.submit(&place, &person, format!("slack:form:{cause}"), kind).await
    }

    /// Rewrites a message whose buttons have no use any more.
    async fn take_buttons_away(self: &Arc<Self>, clicked: &Clicked) {
        let approval = match &clicked.button {
            Button::Approve(id) | Button::ApproveForSession(id) | Button::Edit(id) | Button::Reject(id) => {
                Some(id)
            }
            Button::Retry => None,
            Button::Stop | Button::Job(..) | Button::Feedback(_) => return,
        };
        if let Some(approval) = approval {
            let Ok(Some(head)) = self.intake.head(&clicked.place.session()).await else { return };
            if !is_settled(&head, approval) {
                return;
            }
        }
        let Some(blocks) = clicked.blocks.as_array() else { return };
        let mut blocks: Vec<Value> =
            blocks.iter().filter(|block| block["type"] != "actions").cloned().collect();
        if approval.is_some() {
            blocks.push(json!({
                "type": "context",
                "elements": [{ "type": "plain_text", "text": say::NO_LONGER_WAITING }],
            }));
        }
        if blocks.is_empty() {
            return;
        }
        let Place { channel, .. } = clicked.place.clone();
        let arguments = json!({
            "channel": channel,
            "ts": clicked.message_ts,
            "text": clicked.text,
            "blocks": blocks,
        });
        self.later(Method::Update, channel, arguments);
    }
}

/// The question, if it is the one that the session waits for.
fn waiting<'a>(head: Option<&'a SessionHead>, approval: &ApprovalId) -> Option<&'a ApprovalRequest> {
    head?.turn.as_ref()?.approval().filter(|request| request.id == *approval)
}

/// Whether the question can never be answered any more. A turn that is running may just be about to ask.
fn is_settled(head: &SessionHead, approval: &ApprovalId) -> bool {
    match head.turn.as_ref().map(|turn| &turn.state) {
        None | Some(TurnState::Over { .. } | TurnState::Away { .. }) => true,
        Some(TurnState::Waiting { approval: asked, .. }) => asked.id != *approval,
        Some(TurnState::Thinking | TurnState::Calling { .. }) => false,
    }
}

/// Whether a text holds a token of the Hub that is not in what is known already.
fn brings_a_token(text: &str, known: &str) -> bool {
    text.match_indices("hf_").any(|(at, prefix)| {
        let tail = at + prefix.len();
        let end =
            text[tail..].find(|c: char| !c.is_ascii_alphanumeric()).map_or(text.len(), |end| tail + end);
        let word = &text[at..end];
        is_hub_token(word) && !known.contains(word)
    })
}

#[cfg(test)]
mod tests {
    use super::brings_a_token;

    #[test]
    fn only_a_token_that_was_not_there_is_brought() {
        let token = |letter: &str| format!("hf_{}", letter.repeat(34));
        let known = format!("{{\"command\":\"login {}\"}}", token("a"));
        for (text, brings) in [
            (format!("login {}\n", token("a")), false),
            (format!("login {}\n", token("b")), true),
            (format!("a={} b={}", token("a"), token("b")), true),
            (format!("{}b", token("a")), true),
            (format!("x{}", token("b")), true),
            ("pip install hf_transfer; echo $hf_".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(brings_a_token(&text, &known), brings, "{text}");
        }
    }
}
