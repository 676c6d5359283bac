//! One request without a chat: events to standard output, the exit code says how it ended.
//!
//! Owns how approvals are answered when nobody is there. Policy still refuses what may never run.

use async_trait::async_trait;

use super::conversation::{Asker, Conversation, Followed, Reply};
use super::exit::Exit;
use super::interrupts::Interrupts;
use super::render::Screen;
use crate::protocol::{ApprovalRequest, OperationKind, Verdict};

/// How approvals are answered when nobody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unattended {
    /// Everything that policy lets be asked is approved, but what only a person's own yes covers.
    Approve,
    /// Everything that needs approval is refused (`--ask`).
    Refuse,
}

/// Works on one request.
///
/// # Errors
/// The store failed.
pub async fn run(
    conversation: &Conversation,
    prompt: String,
    mut unattended: Unattended,
    screen: &mut dyn Screen,
) -> anyhow::Result<Exit> {
    let mut interrupts = Interrupts::listen();
    conversation.submit(OperationKind::Say { text: prompt, handle: serde_json::Value::Null }).await?;
    Ok(match conversation.follow(screen, &mut interrupts, &mut unattended).await? {
        Followed::Rests(Some(exit)) => exit,
        // The session rests and no turn ended: a question was not ours to answer, or the request was
        // not taken up, and an event said why.
        Followed::Rests(None) if waits(conversation).await? => Exit::Refused,
        Followed::Rests(None) => Exit::Failed,
        Followed::StillWaits => Exit::Refused,
        Followed::Leaves => Exit::Interrupted,
    })
}

async fn waits(conversation: &Conversation) -> anyhow::Result<bool> {
    let turn = conversation.head().await?.and_then(|head| head.turn);
    Ok(turn.is_some_and(|turn| turn.approval().is_some()))
}

#[async_trait]
impl Asker for Unattended {
    async fn answer(
        &mut self,
        request: &ApprovalRequest,
        _: &mut dyn Screen,
        _: &mut Interrupts,
    ) -> anyhow::Result<Reply> {
        Ok(Reply::Verdict(self.verdict(request)))
    }
}

impl Unattended {
    fn verdict(self, request: &ApprovalRequest) -> Verdict {
        match self {
            Self::Approve if request.needed > 1 || request.calls.iter().any(|call| call.always) => {
                Verdict::Reject {
                    reason: Some(
                        "Nobody is here to approve it, and only people may: run it in the chat or in Slack."
                            .to_owned(),
                    ),
                }
            }
            Self::Approve => Verdict::Approve,
            Self::Refuse => Verdict::Reject {
                reason: Some("Nobody is here to approve it (the run was started with --ask).".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::render::question::tests::request;
    use super::*;
    use crate::protocol::Grant;

    #[test]
    fn nobody_being_there_approves_all_but_what_only_a_person_may() {
        let plain = request(&["ls"]);
        assert_eq!(Unattended::Approve.verdict(&plain), Verdict::Approve);
        let mut mixed = request(&["ls", "scheduled run"]);
        mixed.calls[1].always = true;
        let Verdict::Reject { reason: Some(reason) } = Unattended::Approve.verdict(&mixed) else { panic!() };
        assert!(reason.contains("only people may"), "{reason}");
        let mut money = request(&["spend"]);
        money.grant = Some(Grant::SpendUntil { micros: 10_000_000 });
        assert_eq!(Unattended::Approve.verdict(&money), Verdict::Approve);
        for asked in [&plain, &mixed, &money] {
            assert!(matches!(Unattended::Refuse.verdict(asked), Verdict::Reject { .. }));
        }
    }
}
