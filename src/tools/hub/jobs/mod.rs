//! `hf_jobs`: training, measuring and other work on rented machines, once or on a schedule.
//!
//! | File | Owns |
//! |---|---|
//! | `arguments` | what the model may ask, checked |
//! | `plan`, `command`, `evaluate` | what would run, from the same arguments always the same |
//! | [`python`] | what can be known of a script without running it |
//! | `warn`, `examine`, `record` | what people should know before they answer |
//! | `prices`, `account` | what it costs, and who pays |
//! | `run`, `read`, `say` | doing it, and what the model is told |
//!
//! A job that has begun is a ticket: the call ends when the job does, and nobody waits meanwhile. Never watches
//! a job itself. Start at [`HfJobs`].

mod account;
mod arguments;
mod command;
mod evaluate;
mod examine;
mod plan;
mod prices;
pub mod python;
mod read;
mod record;
mod run;
mod say;
mod warn;

use async_trait::async_trait;
use serde_json::{Value, json};

use self::arguments::{Arguments, Operation};
use self::plan::{Plan, Work};
use self::prices::LivePrices;
use super::HubKit;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, ExamineContext, Examined, Place, Risk, Tool, ToolError, parameters,
};
use crate::protocol::money::dollars;
use crate::protocol::{Cost, ToolOutcome, ToolSpec};
use crate::text::{duration, nearest};
use crate::tools::files::blocking;
use crate::tools::hardware::Prices;

/// The `hf_jobs` tool.
pub struct HfJobs {
    kit: HubKit,
    prices: LivePrices,
    /// What the model is told of hardware: the same for as long as the program runs.
    hardware: String,
}

impl HfJobs {
    /// Runs jobs with what the tools of Hugging Face share; asks for prices in the background.
    #[must_use]
    pub fn new(kit: HubKit) -> Self {
        let prices = LivePrices::new(&kit.access.anonymous(), &kit.cache, kit.clock.clone());
        // Who has no account of their own here asks for prices when a job is wanted, not at every start.
        if kit.access.bot().is_some() {
            prices.warm();
        }
        let hardware = prices
            .now()
            .prices
            .flavours()
            .map(|(flavour, price)| format!("{flavour} {}", dollars(price)))
            .collect::<Vec<_>>()
            .join(", ");
        Self { kit, prices, hardware }
    }

    /// The plan, made where reading a file may take its time.
    async fn plan(
        &self,
        operation: Operation,
        arguments: &Arguments,
        place: &Place,
    ) -> Result<Plan, ToolError> {
        let (arguments, place) = (arguments.clone(), place.clone());
        Ok(blocking(move || Plan::of(operation, &arguments, &place)).await??)
    }

    fn assess_plan(
        &self,
        operation: Operation,
        arguments: &Arguments,
        place: &Place,
    ) -> Result<Assessment, BadArguments> {
        let plan = Plan::of(operation, arguments, place)?;
        let quote = self.prices.now();
        if !quote.live {
            self.prices.warm();
        }
        if quote.live && quote.prices.hourly(&plan.flavour).is_none() {
            return Err(unknown_flavour(&plan.flavour, &quote.prices));
        }
        let once = quote.prices.job(&plan.flavour, &json!(plan.timeout.as_secs().max(1)));
        let (risk, cost) = match (operation, once) {
            (Operation::ScheduledRun, once) => {
                let each = match once {
                    Cost::AtMost(most) => format!("each run costs up to {}", dollars(most)),
                    _ => "each run costs money".to_owned(),
                };
                let reason = "Runs again and again on rented hardware, until somebody ends it.".to_owned();
                (
                    Risk::Always { reason },
                    Cost::Unknown(format!("{each}, again and again until it is deleted")),
                )
            }
            (_, once) if plan.flavour.starts_with("cpu") && !self.kit.confirm_cpu_jobs => (Risk::Free, once),
            (_, once) => {
                (Risk::Ask { reason: "Runs on rented hardware, which costs money.".to_owned() }, once)
            }
        };
        let (preview, language) = plan.preview();
        let limit = duration(plan.timeout.as_secs());
        let often = arguments.schedule.as_deref().filter(|_| operation == Operation::ScheduledRun);
        let often = often.map_or_else(String::new, |schedule| format!(", {}", schedule.trim()));
        let inline = matches!(&plan.work, Work::Script { from: plan::Origin::Inline, .. });
        Ok(Assessment {
            risk,
            cost,
            operation: Some(operation.name().to_owned()),
            preview,
            language: language.to_owned(),
            editable: inline.then(|| "script".to_owned()),
            ..Assessment::changes(format!("{} ({}, {limit} at most{often})", plan.title, plan.flavour))
        })
    }
}

/// Hardware that is in no list, with what there is.
fn unknown_flavour(flavour: &str, prices: &Prices) -> BadArguments {
    let near = nearest(flavour, prices.flavours().map(|(name, _)| name));
    let near = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) };
    let all: Vec<&str> = prices.flavours().map(|(name, _)| name).collect();
    BadArguments(format!(
        "`hardware_flavor`: there is no `{}`.{near} There are {}",
        flavour.escape_debug(),
        all.join(", ")
    ))
}

#[async_trait]
impl Tool for HfJobs {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hf_jobs".to_owned(),
            description: format!(
                "Run Python or a command on rented machines of Hugging Face, look at such jobs and end them, measure a \
                 trained model against its base (`evaluate`), and keep jobs on a schedule.\n\
                 `run` takes a `script` (code, a workspace file, or an address; run by uv with its `dependencies`) or a \
                 `command` in an `image`. The script is read before anyone is asked: a syntax error comes back at once. \
                 People see script, cost and warnings and decide; the result of the call is the end of the job with its \
                 log, however long that takes. The machine's disk vanishes with the job: push what is to be kept. \
                 `HF_TOKEN` is in the job's environment.\n\
                 `evaluate` needs `model`, `base_model` and `dataset`, measures both in the same way and prints one line \
                 of JSON with both numbers.\n\
                 Jobs are billed by the minute to `namespace`. Dollars an hour: {}.",
                self.hardware
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let (operation, arguments) = Arguments::read(value)?;
        let ids = || arguments.job_ids().join(", ");
        let scheduled = || arguments.scheduled_job_id.as_deref().unwrap_or_default().trim().to_owned();
        let always = |reason: &str| Risk::Always { reason: reason.to_owned() };
        let assessment = match operation {
            Operation::Run | Operation::Evaluate | Operation::ScheduledRun => {
                return self.assess_plan(operation, &arguments, place);
            }
            Operation::Ps => Assessment::reads("List jobs"),
            Operation::Logs => Assessment::reads(format!("Read the log of job {}", ids())),
            Operation::Inspect => Assessment::reads(format!("Look at job {}", ids())),
            Operation::ScheduledPs => Assessment::reads("List scheduled jobs"),
            Operation::ScheduledInspect => {
                Assessment::reads(format!("Look at scheduled job {}", scheduled()))
            }
            Operation::Cancel => Assessment {
                risk: Risk::Ask { reason: "Ends a job; what it has not pushed is lost.".to_owned() },
                preview: format!("End job {}", ids()),
                ..Assessment::changes(format!("End job {}", ids()))
            },
            Operation::ScheduledDelete => Assessment {
                risk: always("Removes a scheduled job."),
                preview: format!("Delete scheduled job {}", scheduled()),
                ..Assessment::changes(format!("Delete scheduled job {}", scheduled()))
            },
            Operation::ScheduledSuspend => Assessment {
                risk: always("Lets a scheduled job rest."),
                preview: format!("Suspend scheduled job {}", scheduled()),
                ..Assessment::changes(format!("Suspend scheduled job {}", scheduled()))
            },
            Operation::ScheduledResume => Assessment {
                risk: always("Lets a scheduled job run again; each run costs money."),
                preview: format!("Resume scheduled job {}", scheduled()),
                ..Assessment::changes(format!("Resume scheduled job {}", scheduled()))
            },
        };
        Ok(Assessment { operation: Some(operation.name().to_owned()), ..assessment })
    }

    async fn examine(&self, value: &Value, context: &ExamineContext) -> Examined {
        let Ok((operation, arguments)) = Arguments::read(value) else { return Examined::default() };
        if !matches!(operation, Operation::Run | Operation::Evaluate | Operation::ScheduledRun) {
            return Examined::default();
        }
        match self.plan(operation, &arguments, &context.place).await {
            Ok(plan) => self.look((operation, &arguments), &plan, context).await,
            Err(error) => Examined {
                warnings: vec![format!("It could not be read again: {error}")],
                ..Examined::default()
            },
        }
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let (operation, arguments) = Arguments::read(&value)?;
        match operation {
            Operation::Run | Operation::Evaluate => self.run((operation, &arguments), &context).await,
            Operation::ScheduledRun => self.schedule((operation, &arguments), &context).await,
            _ => self.look_at((operation, &arguments), &context).await,
        }
    }
}
