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
    /// Everything that policy lets be asked is approved, but what only a person's own yes covers; whether
    /// more money may be spent stays open.
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
    let followed = loop {
        let followed = conversation.follow(screen, &mut interrupts, &mut unattended).await?;
        // A job of hours: nobody works here until it ends, and then the turn goes on.
        if !matches!(followed, Followed::Rests(None)) || !conversation.is_away().await? {
            break followed;
        }
        if !conversation.until_busy(screen, &mut interrupts).await? {
            break Followed::Leaves;
        }
    };
    Ok(match followed {
        Followed::Rests(Some(exit)) => exit,
        // The session rests and no turn ended: a question was not ours to answer, or the request was
        // not taken up, and an event said why.
        Followed::Rests(None) if waits(conversation).await? => Exit::Refused,
        Followed::Rests(None) => Exit::Failed,
        Followed::StillWaits => {
            let id = &conversation.id;
            eprintln!(
                "Nobody is here to decide about money. The question stays open; `ml-intern --session {id}` comes \
                 back to it. `budgets` in the configuration sets prices, sums and caps."
            );
            Exit::Refused
        }
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
        // A run that nobody watches must not raise its own cap.
        if *self == Self::Approve && request.grant.is_some() {
            return Ok(Reply::Leave);
        }
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
        for asked in [&plain, &mixed] {
            assert!(matches!(Unattended::Refuse.verdict(asked), Verdict::Reject { .. }));
        }
    }

    #[tokio::test]
    async fn nobody_being_there_raises_no_cap() {
        let mut money = request(&["spend"]);
        money.grant = Some(Grant::SpendUntil { micros: 10_000_000 });
        let mut screen = crate::cli::render::json::JsonScreen::new(Box::new(std::io::sink()));
        let mut interrupts = Interrupts::listen();
        let reply = Unattended::Approve.answer(&money, &mut screen, &mut interrupts).await.unwrap();
        assert_eq!(reply, Reply::Leave, "the question stays open");
        let reply = Unattended::Refuse.answer(&money, &mut screen, &mut interrupts).await.unwrap();
        assert!(matches!(reply, Reply::Verdict(Verdict::Reject { .. })));
    }
}
