//! Questions in the thread: their card posted once, rewritten while it is open, and settled.
//!
//! Owns finding the card again after a crash. What a card looks like is in `card`.

use std::time::Duration;

use serde_json::json;

use super::card;
use super::found::Found;
use super::post::Marker;
use super::status::Activity;
use super::voters;
use super::worker::Worker;
use crate::protocol::{ApprovalRequest, Decision};
use crate::runtime::present::PresentError;
use crate::slack::{buttons, say};

/// How long names may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many people are named at most.
const NAMED: usize = 20;

impl Worker {
    /// Shows a question, unless it is there.
    pub(super) async fn ask(&mut self, request: &ApprovalRequest) {
        if let Some(live) = &mut self.live {
            live.close(&self.courier).await;
        }
        if !self.memo.cards.contains_key(&request.id) {
            let mut cut_note = say::WHOLE_IN_FILE;
            for (name, content) in card::attachments(request) {
                if let Err(error) = self.courier.attach(&name, &content).await {
                    tracing::warn!(%error, "a long command could not be attached to its card");
                    cut_note = say::WHOLE_NOT_ATTACHED;
                }
            }
            let forms = self.forms(request, cut_note).await;
            match self.courier.post_once(&forms, &marker(request)).await {
                Ok(ts) => {
                    self.memo.cards.insert(request.id.clone(), ts);
                }
                Err(error) => self.fail(error),
            }
        }
        self.shared.status.show(&self.courier, Activity::Suspended, None).await;
    }

    /// Shows how an open question stands now: who has agreed, what was edited.
    pub(super) async fn ask_anew(&mut self, request: &ApprovalRequest) {
        match self.card_of(request).await {
            Err(error) => self.fail(error),
            Ok(None) => self.ask(request).await,
            Ok(Some(ts)) => {
                let forms = self.forms(request, say::WHOLE_NOT_ATTACHED).await;
                if let Err(error) = self.courier.rewrite(&ts, &forms, &marker(request)).await {
                    self.fail(error);
                }
                self.memo.cards.insert(request.id.clone(), ts);
                self.shared.status.show(&self.courier, Activity::Suspended, None).await;
            }
        }
    }

    /// Says in the thread that a question is nearly out of time. Pings nobody.
    pub(super) async fn remind(&self, request: &ApprovalRequest) {
        let who = say::may_answer(&self.who(request).await);
        let text = say::reminder(&who, request.expires_at.seconds());
        let marker = Marker::new(buttons::NOTE, [("by", "ml-intern"), ("reminds", request.id.as_str())]);
        if let Err(error) = self.courier.post_once(&super::answer::note_forms(&text), &marker).await {
            tracing::warn!(%error, "a reminder did not arrive");
        }
    }

    /// Rewrites the card of a question that is over.
    pub(super) async fn settle_card(&mut self, request: &ApprovalRequest, decision: &Decision) {
        let ts = match self.card_of(request).await {
            Ok(Some(ts)) => ts,
            Ok(None) => return,
            Err(error) => return self.fail(error),
        };
        let text = format!("{} {}", card::summary(request), card::outcome(request, decision));
        let forms = [
            json!({ "text": text, "blocks": card::settled(request, decision) }),
            json!({ "text": text, "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": text } }] }),
        ];
        match self.courier.rewrite(&ts, &forms, &marker(request)).await {
            Ok(()) | Err(PresentError::Never(_)) => {
                self.memo.cards.remove(&request.id);
            }
            Err(error) => self.fail(error),
        }
    }

    /// Where the card is; looked for in the thread if a worker posted it whose memo was lost.
    async fn card_of(&self, request: &ApprovalRequest) -> Result<Option<String>, PresentError> {
        if let Some(ts) = self.memo.cards.get(&request.id) {
            return Ok(Some(ts.clone()));
        }
        let found = Found::look(&self.courier, Some(request.asked_at)).await?;
        Ok(found.cards().find(|(id, _)| *id == request.id).map(|(_, ts)| ts))
    }

    async fn forms(&self, request: &ApprovalRequest, cut_note: &'static str) -> [serde_json::Value; 2] {
        let around = card::Around { who: self.who(request).await, cut_note };
        let text = card::summary(request);
        [
            json!({ "text": text, "blocks": card::waiting(request, &around) }),
            json!({ "text": text, "blocks": card::plain(request, &around) }),
        ]
    }

    /// Who may answer, in words.
    async fn who(&self, request: &ApprovalRequest) -> String {
        let (mut people, groups) = voters::named(&request.approvers);
        people.truncate(NAMED);
        let people = self.shared.names.of_all(&people, PATIENCE).await;
        let groups = self.shared.groups.names(&groups, PATIENCE).await;
        voters::words(&request.approvers, &people, &groups)
    }
}

fn marker(request: &ApprovalRequest) -> Marker {
    Marker::new(buttons::CARD, [("approval", request.id.as_str()), ("turn", request.turn.as_str())])
}
