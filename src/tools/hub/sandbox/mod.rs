//! `sandbox_create`: a machine of the session's own on the Hub, which bash, read, write and edit act in.
//!
//! It is a private Space; `server/` is what runs in it. `book` writes sandboxes down, `keep` finds, ends and sweeps
//! them, `make` makes them, `matter` says why one does not answer. What the tools do in a sandbox is in
//! `tools/computer/remote.rs`. Start at [`SandboxCreate`].

mod book;
mod keep;
mod make;
mod matter;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub use self::book::{Phase, Record};
pub use self::keep::{Pace, Sandboxes, Swept, Why};
use self::make::{Failure, Wish};
use super::trackio;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Effect, Place, Risk, Together, Tool, ToolError, arguments,
    parameters,
};
use crate::clients::hub::spaces::Stage;
use crate::clients::hub::{HubError, Repo, RepoKind};
use crate::protocol::approval::Alike;
use crate::protocol::{Amount, Cost, NewTicket, SandboxWork, TicketId, ToolOutcome, ToolSpec, Waits, Work};
use crate::tools::hardware::{DEFAULT_FLAVOUR, Prices, Sandbox as Standing};

/// The `sandbox_create` tool.
pub struct SandboxCreate {
    sandboxes: Arc<Sandboxes>,
    prices: Prices,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The machine: `cpu-basic` (free; if left out), or another flavour of Spaces such as `t4-small`.
    #[serde(default)]
    #[schemars(extend("enum" = flavours()))]
    hardware: Option<String>,
    /// A trackio dashboard, `owner/name`, that measurements of this sandbox go to; made if there is none.
    #[serde(default)]
    trackio_space_id: Option<String>,
    /// The project in that dashboard.
    #[serde(default)]
    trackio_project: Option<String>,
}

/// The hardware that a sandbox can have.
fn flavours() -> Value {
    Prices::kept().spaces().map(|(flavour, _)| Value::from(flavour)).collect()
}

impl Arguments {
    fn checked(value: &Value) -> Result<Self, BadArguments> {
        let mut wish: Self = arguments(value)?;
        if let Some(hardware) = wish.hardware.take() {
            let named = hardware.trim().to_ascii_lowercase();
            if !Prices::kept().spaces().any(|(flavour, _)| flavour == named) {
                let all: Vec<String> =
                    Prices::kept().spaces().map(|(flavour, _)| flavour.to_owned()).collect();
                return Err(BadArguments(format!(
                    "`hardware`: there is no `{}`; it can be {}",
                    crate::text::first_line(&hardware, 60),
                    all.join(", ")
                )));
            }
            wish.hardware = Some(named);
        }
        if let Some(space) = &wish.trackio_space_id {
            Repo::parse(RepoKind::Space, space)
                .ok()
                .filter(|repo| repo.id.contains('/'))
                .ok_or_else(|| BadArguments("`trackio_space_id` must be owner/name".to_owned()))?;
        } else if wish.trackio_project.is_some() {
            return Err(BadArguments("`trackio_project` needs `trackio_space_id`".to_owned()));
        }
        Ok(wish)
    }

    fn flavour(&self) -> &str {
        self.hardware.as_deref().unwrap_or(DEFAULT_FLAVOUR)
    }

    /// Variables that the sandbox gets for its measurements.
    fn extra(&self) -> Vec<(&'static str, String)> {
        let pairs =
            [("TRACKIO_SPACE_ID", &self.trackio_space_id), ("TRACKIO_PROJECT", &self.trackio_project)];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// What a call comes to, by what the session has and what is asked for.
#[derive(Debug, Clone, PartialEq)]
enum Course {
    /// There is none: one is made.
    Make,
    /// There is one that will do.
    Keep(Record),
    /// There is a free one, and another machine is asked for: the old one is deleted.
    Replace(Record),
    /// There is one that costs, and another machine is asked for: it stays, and the answer says so.
    Other(Record),
    /// One was begun, and whoever made it died, or it has failed since: it is deleted first.
    Again(Record),
}

impl Course {
    fn of(known: Option<Record>, asked: Option<&str>) -> Self {
        match known {
            None => Self::Make,
            Some(record) if record.phase != Phase::Ready => Self::Again(record),
            Some(record) => match asked {
                Some(asked) if asked != record.hardware && record.hardware == DEFAULT_FLAVOUR => {
                    Self::Replace(record)
                }
                Some(asked) if asked != record.hardware => Self::Other(record),
                _ => Self::Keep(record),
            },
        }
    }
}

impl SandboxCreate {
    /// The sandboxes of all sessions.
    #[must_use]
    pub fn new(sandboxes: Arc<Sandboxes>) -> Self {
        Self { sandboxes, prices: Prices::kept() }
    }

    fn preview(&self, wish: &Arguments, course: &Course) -> String {
        let flavour = wish.flavour();
        let price = match self.prices.space(flavour) {
            Some(0) => "free".to_owned(),
            Some(price) => format!("{} an hour", Amount(price)),
            None => "its price is unknown".to_owned(),
        };
        let idle = self.sandboxes.idle_minutes();
        let mut lines = vec![
            format!("A private Space on the Hub, as a machine for trials: {flavour}, {price}."),
            format!("It is deleted, with its files, when nobody has used it for {idle} minutes."),
            "The requester's token of the Hub goes into it as the secret HF_TOKEN, because code in it must load and \
             push what they may: commands there can use it."
                .to_owned(),
        ];
        if let Some(space) = &wish.trackio_space_id {
            lines.push(format!("The dashboard {space} is set up for its measurements."));
        }
        if let Course::Replace(record) | Course::Again(record) = course {
            lines.push(format!("{} ({}) is deleted first, with its files.", record.space, record.hardware));
            if !self.sandboxes.access.is_bots() {
                lines.push(format!(
                    "That one is {}'s: for anybody else nothing is done.",
                    record.owner_name()
                ));
            }
        }
        if self.prices.space(flavour) != Some(0) {
            lines.push("One hour is counted now; it goes on costing until it is deleted.".to_owned());
        }
        lines.join("\n")
    }

    /// What is said of a sandbox that is there already, once it answers.
    async fn kept(
        &self,
        record: Record,
        asked: Option<&str>,
        context: &CallContext,
    ) -> Result<ToolOutcome, ToolError> {
        let space = record.space.clone();
        let hub = self.sandboxes.hub_of(&record).await;
        match hub.space_runtime(&space).await.map(|runtime| (runtime.stage, runtime.word)) {
            Err(HubError::NotFound { .. }) => {
                return Ok(ToolOutcome::failed(self.sandboxes.missing(&record).await));
            }
            Ok((Stage::Failed(word), _)) => return self.broken(record, &word).await,
            Ok((Stage::Stopped | Stage::Leaving, word)) => {
                return Ok(ToolOutcome::failed(format!(
                    "The session's sandbox {space} was stopped on the Hub ({word}). Its owner can start it there, or \
                     delete it there; then call this again."
                )));
            }
            // What the Hub cannot say now, the sandbox can.
            Err(_) | Ok((Stage::Running | Stage::Coming | Stage::Asleep, _)) => {}
        }
        tokio::select! {
            answered = self.sandboxes.wait_until_it_answers(&record, context) => match answered {
                Ok(()) => {}
                Err(Failure::Told(why)) => return Ok(ToolOutcome::failed(why)),
                Err(Failure::Tool(error)) => return Err(error),
            },
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
        }
        self.sandboxes.used(&record).await;
        let mut text = format!("The session's sandbox is {space} on {}; it is ready.", record.hardware);
        if let Some(asked) = asked.filter(|asked| *asked != record.hardware) {
            text.push_str(&format!(
                " It was not changed to {asked}: a sandbox that costs money is not replaced by calling this again. \
                 People can stop it first; else it is deleted when nobody has used it for {} minutes.",
                self.sandboxes.idle_minutes()
            ));
        }
        Ok(ToolOutcome::done(text))
    }

    /// A sandbox that has failed is left as it is: deleting it, and making a new one, needs people's yes.
    async fn broken(&self, record: Record, word: &str) -> Result<ToolOutcome, ToolError> {
        let space = record.space.clone();
        self.sandboxes.write(Record { phase: Phase::Broken, ..record }).await?;
        Ok(ToolOutcome::failed(format!(
            "The session's sandbox {space} is out of order ({word}). Call `sandbox_create` again to have it deleted, \
             with its files, and a new one made; people are asked about that first."
        )))
    }

    async fn made(&self, wish: &Arguments, context: &CallContext) -> Result<ToolOutcome, ToolError> {
        let Some(token) = self.sandboxes.access.token(&context.requester).await else {
            return Ok(ToolOutcome::failed(
                "A sandbox is a Space of somebody's account, and there is no token of the Hub for this person: they \
                 can give theirs, or the operator sets one up.",
            )
            .unspent());
        };
        let mut notes = Vec::new();
        if let Some(dashboard) = &wish.trackio_space_id {
            let hub = self.sandboxes.access.of(&context.requester).await;
            context.progress.line("setting up the dashboard");
            let seeded = tokio::select! {
                seeded = trackio::seed(&hub, dashboard) => seeded,
                () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            };
            notes.push(seeded.told());
        }
        let making = Wish { hardware: wish.flavour().to_owned(), extra: wish.extra() };
        let record = match self.sandboxes.make(&making, token, context).await {
            Ok(record) => record,
            Err(Failure::Tool(error)) => return Err(error),
            Err(Failure::Told(why)) => {
                notes.insert(0, format!("There is no sandbox: {why}. What was begun is being deleted."));
                return Ok(ToolOutcome::failed(notes.join("\n")));
            }
        };
        let url = self.sandboxes.access.of(&context.requester).await.space_page(&record.space);
        notes.insert(
            0,
            format!(
                "The sandbox {} is ready on {}: {url}\nbash, read, write and edit act in it; its workspace is the \
                 folder /app. HF_TOKEN is in its environment. It is deleted, with its files, when nobody has used it \
                 for {} minutes.",
                record.space,
                record.hardware,
                self.sandboxes.idle_minutes()
            ),
        );
        let price = self.prices.space(&record.hardware);
        let work = SandboxWork { space: record.space.clone(), url, flavour: record.hardware, price };
        let ticket = NewTicket {
            id: TicketId::from(format!("sandbox:{}", record.space).as_str()),
            work: Work::Sandbox(work),
            waits: Waits::NoOne,
        };
        Ok(ToolOutcome::begun(ticket, notes.join("\n")))
    }
}

#[async_trait]
impl Tool for SandboxCreate {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "sandbox_create".to_owned(),
            description: format!(
                "Make the machine that bash, read, write and edit act in: a private Space of the requester's \
                 account. A session has one; calling this again gives the same one. `cpu-basic` is free and enough \
                 for everything that needs no accelerator; it is replaced if you ask for another machine, and its \
                 files are lost. A machine that costs money is not replaced. It takes some minutes. A sandbox that \
                 nobody has used for {} minutes is deleted with its files.",
                self.sandboxes.idle_minutes()
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let wish = Arguments::checked(value)?;
        let course = Course::of(self.sandboxes.known(&place.session), wish.hardware.as_deref());
        if let Course::Keep(record) | Course::Other(record) = &course {
            return Ok(Assessment {
                together: Together::Alone,
                operation: Some("keep".to_owned()),
                ..Assessment::reads(format!("Look at the sandbox {}", record.space))
            });
        }
        let cost = self.prices.sandbox(wish.flavour(), Standing::New);
        let free = cost == Cost::Free;
        let words = "making free sandboxes in this session".to_owned();
        Ok(Assessment {
            risk: Risk::Ask { reason: "Makes a private Space on the Hub.".to_owned() },
            effect: Effect::Changes,
            operation: Some(
                if matches!(course, Course::Replace(_)) { "replace" } else { "create" }.to_owned(),
            ),
            preview: self.preview(&wish, &course),
            alike: free.then(|| Alike { key: "sandbox_create:free".to_owned(), words }),
            cost,
            ..Assessment::changes(format!("Make a sandbox on {}", wish.flavour()))
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let wish = Arguments::checked(&value)?;
        let known = self.sandboxes.known(&context.place.session);
        if let Some(record) = &known
            && let Err(why) = self.sandboxes.serves(record, &context.requester)
        {
            return Ok(ToolOutcome::failed(why));
        }
        match Course::of(known, wish.hardware.as_deref()) {
            Course::Keep(record) | Course::Other(record) => {
                self.kept(record, wish.hardware.as_deref(), &context).await
            }
            Course::Make => self.made(&wish, &context).await,
            Course::Replace(record) | Course::Again(record) => {
                context.progress.line(&format!("deleting {}", record.space));
                if let Err(error) = self.sandboxes.end(&record).await {
                    return Ok(ToolOutcome::failed(format!(
                        "No sandbox was made: the old one, {}, could not be deleted ({error:#}). It will be tried \
                         again by itself.",
                        record.space
                    )));
                }
                self.made(&wish, &context).await
            }
        }
    }
}
