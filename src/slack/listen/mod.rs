//! What is done about each payload before Slack is told that it was taken.
//!
//! The way is lean: translate, ask access, keep one operation durably, answer. Nothing here calls
//! Slack first, but for a modal (its trigger dies in three seconds), for a name that is not known
//! yet (300 ms at most), and for the root message of a slash command (the thread must exist before
//! its session). Start at [`Listener::take`].

mod clicks;
mod commands;
pub mod http;
mod sessions;
pub mod socket;
mod tokens;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::task::TaskTracker;

use super::access::{self, Told};
use super::groups::Groups;
use super::names::Names;
use super::place::Place;
use super::say;
use super::tokens::TokenDesk;
use super::translate::{Addressed, Inbound, Ourselves, Person, Spoken, Words, text};
use crate::clients::slack::{Method, Outgoing, Priority, Retry, Scheduler};
use crate::clock::Clock;
use crate::config::SlackConfig;
use crate::protocol::{Actor, Operation, OperationId, OperationKind, SessionKey};
use crate::runtime::intake::Intake;

/// How long an acknowledgement may wait for a name.
const NAME_PATIENCE: Duration = Duration::from_millis(300);
/// How long an acknowledgement may wait for the groups that rules name, where there are any.
const GROUP_PATIENCE: Duration = Duration::from_millis(1_000);
/// How many keys are remembered before the memory starts over.
const REMEMBERED: usize = 20_000;

/// What Slack is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is taken.
    Taken,
    /// It is taken, and this is shown.
    Show(Value),
    /// It could not be kept; deliver it again.
    Again,
}

/// Takes payloads in.
pub struct Listener {
    config: SlackConfig,
    us: Ourselves,
    intake: Intake,
    scheduler: Scheduler,
    names: Arc<Names>,
    groups: Arc<Groups>,
    clock: Clock,
    told: Told,
    /// Sessions that this process knows to exist, so that the store need not be asked each time.
    opened: Mutex<HashSet<SessionKey>>,
    /// Slash commands that were taken, for Slack may deliver one twice.
    commands: Mutex<HashSet<String>>,
    /// Keeps people's own Hub tokens, if somebody does.
    tokens: OnceLock<Arc<dyn TokenDesk>>,
    /// Messages that go out behind the answer.
    behind: TaskTracker,
}

/// What a listener is made of.
pub struct Parts {
    /// The section.
    pub config: SlackConfig,
    /// Who we are.
    pub us: Ourselves,
    /// Where operations go.
    pub intake: Intake,
    /// What sends.
    pub scheduler: Scheduler,
    /// Who people are.
    pub names: Arc<Names>,
    /// Who belongs to the groups that rules name.
    pub groups: Arc<Groups>,
    /// The time.
    pub clock: Clock,
}

impl Listener {
    /// A listener.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { config, us, intake, scheduler, names, groups, clock } = parts;
        Self {
            config,
            us,
            intake,
            scheduler,
            names,
            groups,
            clock,
            told: Told::default(),
            opened: Mutex::default(),
            commands: Mutex::default(),
            tokens: OnceLock::new(),
            behind: TaskTracker::new(),
        }
    }

    /// Who we are.
    #[must_use]
    pub fn us(&self) -> &Ourselves {
        &self.us
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Does what a payload asks for; returns when it is safe to acknowledge it.
    pub async fn take(self: &Arc<Self>, inbound: Inbound) -> Answer {
        match inbound {
            Inbound::Spoken(spoken) => self.spoken(spoken).await,
            Inbound::Clicked(clicked) => self.clicked(clicked).await,
            Inbound::Submitted(submitted) => self.submitted(submitted).await,
            Inbound::Commanded(commanded) => self.commanded(commanded).await,
            Inbound::Stopped { place, person, event_id } => {
                let cause = format!("slack:stop:{event_id}");
                self.submit(&place, &person, cause, OperationKind::Stop).await
            }
            Inbound::Revoked => {
                tracing::error!(
                    "the Slack app was removed or its token revoked; nothing can be posted any more"
                );
                Answer::Taken
            }
            Inbound::Nothing(why) => {
                tracing::trace!(why, "nothing to do");
                Answer::Taken
            }
        }
    }

    /// Waits for what goes out behind the answers.
    pub async fn drain(&self) {
        self.behind.close();
        tokio::time::timeout(Duration::from_secs(5), self.behind.wait()).await.ok();
        self.behind.reopen();
    }

    async fn spoken(self: &Arc<Self>, spoken: Spoken) -> Answer {
        // Before anything is looked up or kept.
        if let Words::Token(wish) = &spoken.words {
            return self.token(&spoken, wish.clone()).await;
        }
        let Spoken { place, person, ts, addressed, words } = spoken;
        let key = place.session();
        let known = match self.knows(&key).await {
            Ok(known) => known,
            Err(answer) => return answer,
        };
        if addressed == Addressed::Thread && !known {
            return Answer::Taken;
        }
        if !self.may_talk(&place, &person, addressed) {
            return Answer::Taken;
        }
        let cause = format!("slack:message:{}:{ts}", place.channel);
        match words {
            Words::Token(_) | Words::Help => self.private(&place, &person.id, say::HELP),
            Words::Unclear(command) => self.private(&place, &person.id, &say::unclear(&command)),
            Words::GoOn(id) => return self.go_on(&place, &person, cause, &id).await,
            Words::Sessions(words) => return self.list(&place, &person, &words).await,
            Words::Command(_) if !known => self.private(&place, &person.id, say::NOTHING_HERE),
            Words::Command(kind) => return self.submit(&place, &person, cause, kind).await,
            Words::Say(markup) => {
                let names = self.names.of_all(&text::mentioned(&markup), NAME_PATIENCE).await;
                let text = self.without_tokens(&place, &person.id, text::readable(&markup, &names));
                let kind = OperationKind::Say { text, handle: json!({ "channel": place.channel, "ts": ts }) };
                return self.submit(&place, &person, cause, kind).await;
            }
        }
        Answer::Taken
    }

    async fn knows(&self, key: &SessionKey) -> Result<bool, Answer> {
        if self.opened.lock().unwrap_or_else(PoisonError::into_inner).contains(key) {
            return Ok(true);
        }
        self.intake.knows(key).await.map_err(|error| {
            tracing::error!(%error, "the store could not be read");
            Answer::Again
        })
    }

    /// Whether this person may talk to us here; tells them once if not and they spoke to us.
    fn may_talk(self: &Arc<Self>, place: &Place, person: &Person, addressed: Addressed) -> bool {
        let Err(why) = access::admit(&self.config, &place.channel, person) else { return true };
        metrics::counter!("slack_refused_total").increment(1);
        if addressed == Addressed::Us && self.told.first_time(place, person, why) {
            self.private(place, &person.id, say::refusal(why));
        }
        false
    }

    /// Keeps one operation durably.
    async fn submit(
        self: &Arc<Self>,
        place: &Place,
        person: &Person,
        cause: String,
        kind: OperationKind,
    ) -> Answer {
        let name = if person.id.is_empty() {
            "someone".to_owned()
        } else {
            self.names.of(&person.id, NAME_PATIENCE).await
        };
        let actor = Actor { zone: self.names.zone_of(&person.id), ..Actor::new(person.id.clone(), name) };
        let session = place.session();
        let operation = Operation {
            id: OperationId(cause),
            session: session.clone(),
            origin: place.origin(),
            actor: self.groups.join(actor, GROUP_PATIENCE).await,
            at: self.clock.now(),
            kind,
        };
        match self.intake.submit(operation).await {
            Ok(_) => {
                let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
                if opened.len() >= REMEMBERED {
                    opened.clear();
                }
                opened.insert(session);
                Answer::Taken
            }
            Err(error) => {
                tracing::error!(%error, "an operation could not be kept; Slack will deliver it again");
                Answer::Again
            }
        }
    }

    /// Tells one person something, behind the answer.
    fn private(self: &Arc<Self>, place: &Place, user: &str, line: &str) {
        if user.is_empty() {
            return;
        }
        let arguments = json!({
            "channel": place.channel,
            "user": user,
            "thread_ts": place.thread_ts,
            "text": line,
        });
        self.later(Method::PostEphemeral, place.channel.clone(), arguments);
    }

    /// Sends something behind the answer.
    fn later(self: &Arc<Self>, method: Method, channel: String, arguments: Value) {
        let this = Arc::clone(self);
        self.behind.spawn(async move {
            let outgoing = Outgoing {
                method,
                priority: Priority::Final,
                channel: Some(channel),
                arguments,
                retry: Retry::MustArrive,
            };
            if let Err(error) = this.scheduler.call(outgoing).await {
                tracing::warn!(%error, method = method.name(), "a line did not arrive");
            }
        });
    }
}
