//! One session at this terminal: saying something, and following what comes of it.
//!
//! Owns [`Conversation`]. Chat and headless runs are two ways to follow the same conversation; they
//! differ in who answers approvals ([`Asker`]). Start at [`Conversation::follow`].

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::exit::{Exit, Watched};
use super::front::Front;
use super::interrupts::{Interrupts, Press};
use super::render::Screen;
use crate::clock::Clock;
use crate::protocol::{
    Actor, ApprovalRequest, Door, Event, Operation, OperationKind, Origin, SessionHead, SessionKey,
    TurnState, Verdict,
};
use crate::random::Random;
use crate::runtime::Intake;

/// How often to look whether the session has come to rest.
const LOOK: Duration = Duration::from_millis(20);

/// The same while external work runs for hours.
const OUTSIDE: Duration = Duration::from_millis(250);

/// The session's key.
#[must_use]
pub fn session_key(id: &str) -> SessionKey {
    SessionKey::of_terminal(id)
}

/// The time zone of this machine, by its IANA name.
fn local_zone() -> Option<String> {
    jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
}

/// One session at this terminal.
pub struct Conversation {
    /// Its id, as `--session` takes it.
    pub id: String,
    intake: Intake,
    front: Front,
    origin: Origin,
    actor: Actor,
    clock: Clock,
    random: Random,
}

/// Who answers an approval.
#[async_trait]
pub trait Asker: Send {
    /// The answer to a question.
    async fn answer(
        &mut self,
        request: &ApprovalRequest,
        screen: &mut dyn Screen,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<Reply>;
}

/// What came back for a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// An answer.
    Verdict(Verdict),
    /// Leave; the question stays open and can be answered later.
    Leave,
}

/// How following ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The session rests; if a turn ended, this is how.
    Rests(Option<Exit>),
    /// A question stays open.
    StillWaits,
    /// The person wants to leave at once.
    Leaves,
}

impl Conversation {
    /// The session with this id, here; a new one if there is none yet.
    #[must_use]
    pub fn new(id: String, intake: Intake, front: Front, workspace: &Path, name: &str) -> Self {
        Self {
            id,
            intake,
            front,
            origin: Origin::new(Door::Terminal, json!({ "workspace": workspace })),
            actor: Actor { zone: local_zone(), ..Actor::new("local", name) },
            clock: Clock::system(),
            random: Random::system(),
        }
    }

    /// The session's key.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        session_key(&self.id)
    }

    /// What is saved of the session.
    ///
    /// # Errors
    /// The store failed.
    pub async fn head(&self) -> anyhow::Result<Option<SessionHead>> {
        Ok(self.intake.head(&self.key()).await?)
    }

    /// Wants something of the session.
    ///
    /// # Errors
    /// The store failed.
    pub async fn submit(&self, kind: OperationKind) -> anyhow::Result<()> {
        let operation = Operation {
            id: self.random.id("terminal:").into(),
            session: self.key(),
            origin: self.origin.clone(),
            actor: self.actor.clone(),
            at: self.clock.now(),
            kind,
        };
        self.intake.submit(operation).await?;
        Ok(())
    }

    /// The next thing that happens here. Can be cancelled without losing one.
    pub async fn next_event(&self) -> Event {
        self.front.next().await
    }

    /// What happened already and was not taken yet.
    #[must_use]
    pub fn take_event(&self) -> Option<Event> {
        self.front.take()
    }

    /// Whether the person here has agreed already, where several must.
    #[must_use]
    pub fn has_agreed(&self, request: &ApprovalRequest) -> bool {
        request.votes.iter().any(|vote| vote.by == self.actor.id)
    }

    /// Whether nobody has the session in hand and everything that happened was taken.
    ///
    /// # Errors
    /// The store failed.
    pub async fn rests(&self) -> anyhow::Result<bool> {
        // Events are queued before a session is released: none can come after this.
        Ok(!self.intake.is_busy(&self.key()).await? && self.front.is_empty())
    }

    /// Whether the turn waits for external work, with nobody at work on it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn is_away(&self) -> anyhow::Result<bool> {
        let turn = self.head().await?.and_then(|head| head.turn);
        Ok(turn.is_some_and(|turn| matches!(turn.state, TurnState::Away { .. })))
    }

    /// Waits until something happens here again. Ctrl+C stops the work; `false` if the person leaves.
    ///
    /// # Errors
    /// The store failed.
    pub async fn until_busy(
        &self,
        screen: &mut dyn Screen,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<bool> {
        while self.rests().await? {
            tokio::select! {
                press = interrupts.pressed() => match press {
                    Press::Leave => return Ok(false),
                    Press::Stop => {
                        screen.remark("Stopping the job. Press Ctrl+C again to leave; it is stopped all the same.");
                        self.submit(OperationKind::Stop).await?;
                    }
                },
                () = tokio::time::sleep(OUTSIDE) => {}
            }
        }
        Ok(true)
    }

    /// Draws what happens and answers what is asked, until the session rests.
    ///
    /// # Errors
    /// The store or the one who answers failed.
    pub async fn follow(
        &self,
        screen: &mut dyn Screen,
        interrupts: &mut Interrupts,
        asker: &mut dyn Asker,
    ) -> anyhow::Result<Followed> {
        let mut watched = Watched::default();
        let mut open = self.head().await?.and_then(|head| Some(head.turn?.approval()?.clone()));
        loop {
            tokio::select! {
                biased;
                event = self.front.next() => {
                    match &event {
                        Event::ApprovalRequired(request) | Event::ApprovalUpdated(request) => {
                            open = Some(request.clone());
                        }
                        Event::ApprovalDecided { request, .. } => {
                            open = open.filter(|open| open.id != request.id);
                        }
                        _ => {}
                    }
                    watched.take(&event);
                    screen.event(&event);
                }
                press = interrupts.pressed() => match press {
                    Press::Leave => return Ok(Followed::Leaves),
                    Press::Stop => {
                        screen.remark("Stopping. Press Ctrl+C again to leave.");
                        self.submit(OperationKind::Stop).await?;
                    }
                },
                () = tokio::time::sleep(LOOK) => {
                    if !self.rests().await? {
                        continue;
                    }
                    let Some(request) = open.take() else { return Ok(Followed::Rests(watched.exit())) };
                    if request.votes.iter().any(|vote| vote.by == self.actor.id) {
                        screen.remark("You have agreed; somebody else must agree, too. The question stays open.");
                        return Ok(Followed::Rests(watched.exit()));
                    }
                    screen.question(&request);
                    match asker.answer(&request, screen, interrupts).await? {
                        Reply::Verdict(verdict) => {
                            self.submit(OperationKind::Decide { approval: request.id, verdict }).await?;
                        }
                        Reply::Leave => return Ok(Followed::StillWaits),
                    }
                }
            }
        }
    }
}
