//! What people should know before they are asked: tools look it up, and so does the purse.
//!
//! Never decides anything: a lookup that fails or takes too long is a warning on the question, not a reason
//! not to ask. Start at [`Agent::examine`].

use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;

use super::purse::Payers;
use super::tool::{EARLIER, EXAMINATION, ExamineContext, Examined, Place};
use super::{Agent, Session};
use crate::protocol::money::dollars;
use crate::protocol::{AskedCall, CallId, Item, Scope};

/// Items of the transcript that are looked through for earlier calls.
const LOOK_BACK: usize = 2_000;

impl Agent {
    /// Looks up facts and warnings for every call of a question that has none yet, all at the same time.
    pub async fn examine(&self, session: &Session, place: &Place, asked: &mut [AskedCall]) {
        let Some(turn) = session.head.turn.as_ref() else { return };
        let found = asked.iter().filter(|call| !call.examined).map(|call| async {
            let context = ExamineContext {
                place: place.clone(),
                requester: turn.requester.clone(),
                earlier: earlier(session, &call.tool),
                written: earlier(session, "write"),
                tried: earlier(session, "bash"),
            };
            let left = self.left_after(session, call).await;
            let mut found = match self.toolbox.find(&call.tool) {
                Some(tool) => within(EXAMINATION, tool.examine(&call.arguments, &context)).await,
                None => Examined::default(),
            };
            found.facts.extend(left.map(|words| ("Left after this".to_owned(), words)));
            (call.call.clone(), found)
        });
        let found: Vec<(CallId, Examined)> = join_all(found).await;
        for (id, Examined { facts, warnings, diff }) in found {
            let Some(call) = asked.iter_mut().find(|call| call.call == id) else { continue };
            (call.facts, call.warnings, call.examined) = (facts, warnings, true);
            if call.proposed.is_none() {
                call.diff = diff;
            }
        }
    }

    /// What the tightest budget has left once this is paid, in words; `None` if nothing limits it, or it costs
    /// nothing.
    async fn left_after(&self, session: &Session, call: &AskedCall) -> Option<String> {
        let cost = call.cost.bound().filter(|cost| *cost > 0)?;
        let standing = self.purse.standing(&Payers::of(session)).await.ok()?;
        let left = |it: &super::purse::Standing| {
            it.limit.map(|limit| limit.saturating_sub(it.balance.committed()).saturating_sub(cost))
        };
        let tightest = standing.iter().filter(|it| it.limit.is_some()).min_by_key(|it| left(it))?;
        let whose = match &tightest.account.scope {
            Scope::Session(_) => "this session",
            Scope::Person(_) => "the person who asked",
            Scope::Channel(_) => "this channel",
            Scope::Team => "the team",
        };
        let of = tightest.limit.map(dollars)?;
        Some(format!("{} of {of} for {whose}", dollars(left(tightest)?)))
    }
}

async fn within(limit: Duration, looking: impl Future<Output = Examined>) -> Examined {
    match tokio::time::timeout(limit, looking).await {
        Ok(found) => found,
        Err(_) => Examined {
            warnings: vec!["What this would do could not be looked up in time.".to_owned()],
            ..Examined::default()
        },
    }
}

/// Arguments of the last calls of this tool that had a good result, oldest first.
fn earlier(session: &Session, tool: &str) -> Vec<Value> {
    let mut good: Vec<&CallId> = Vec::new();
    let mut found = Vec::new();
    for item in session.items().iter().rev().take(LOOK_BACK) {
        match item.as_ref() {
            Item::ToolResult { call, tool: of, success: true, .. } if of == tool => good.push(call),
            Item::Assistant { calls, .. } => {
                let of_it = calls.iter().rev().filter(|call| call.tool == tool && good.contains(&&call.id));
                found.extend(of_it.map(|call| call.arguments.clone()));
            }
            _ => {}
        }
        if found.len() >= EARLIER {
            break;
        }
    }
    found.truncate(EARLIER);
    found.reverse();
    found
}
