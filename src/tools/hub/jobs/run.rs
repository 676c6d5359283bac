//! Beginning a job: once, whatever breaks in between, and watched by a ticket from then on.
//!
//! ```text
//! who pays? --> is the dashboard there? --> does this call have a job already? --yes--> take that one
//!                                                  | no
//!                                                  v
//!                                                begin --ok------------------------> ticket
//!                                                  |--no credits, no permission----> said
//!                                                  '--no clear answer--> look for it by its labels
//!                                                       --found--> take it, --not there--> said
//! ```
//!
//! A dashboard that cannot be set up is a note in the result and keeps no job from running.

use std::collections::BTreeMap;
use std::time::Duration;

use super::account::pays;
use super::arguments::{Arguments, Operation};
use super::examine::{Named, commit};
use super::plan::{Plan, Work};
use super::{HfJobs, record, say};
use crate::agent::tool::{CallContext, ToolError};
use crate::clients::hub::jobs::{Job, JobFilter, NewJob, NewSchedule, labels};
use crate::clients::hub::{Hub, HubError};
use crate::protocol::{CallId, JobWork, NewTicket, ToolOutcome, Waits, Work as Outside};
use crate::secret::Secret;
use crate::text::duration;
use crate::tools::hub::trackio;

/// How long setting up a dashboard may take.
const DASHBOARD: Duration = Duration::from_secs(60);
/// The variables that carry the account's token.
const TOKENS: [&str; 2] = ["HF_TOKEN", "HUGGINGFACE_HUB_TOKEN"];

impl HfJobs {
    /// Begins a job and hands it to whoever watches.
    pub(super) async fn run(
        &self,
        (operation, arguments): (Operation, &Arguments),
        context: &CallContext,
    ) -> Result<ToolOutcome, ToolError> {
        let plan = self.plan(operation, arguments, &context.place).await?;
        let (hub, namespace, token) = match self.payer(arguments, context).await? {
            Ok(payer) => payer,
            Err(refused) => return Ok(refused.unspent()),
        };
        let quote = self.prices.fresh().await;
        if quote.live && quote.prices.hourly(&plan.flavour).is_none() {
            let why = super::unknown_flavour(&plan.flavour, &quote.prices).0;
            return Ok(ToolOutcome::failed(why).unspent());
        }
        let named = self.named(operation, arguments, &plan);
        let named_call = call_of(context);
        let call = labels::call_digest(&context.place.session, &named_call);
        let mut labels = labels::of(&context.place.session, &named_call, &plan.title);
        if operation == Operation::Evaluate {
            labels.extend(arguments.model_revision.as_deref().and_then(labels::revision));
        }
        let new = new_job(&plan, labels, &token);
        let dashboard = match arguments.trackio_space_id.as_deref().map(str::trim) {
            Some(space) => Some(dashboard(&hub, space, context).await?),
            None => None,
        };
        // All that takes time comes before the job: once it has begun, nothing keeps its ticket waiting.
        if let Work::Script { text, .. } = &plan.work {
            record::keep(&context.place.workspace, text).await;
        }
        let revision = match &named.dataset {
            Some(name) => commit(&hub, name, named.dataset_revision.as_deref()).await,
            None => None,
        };
        let begun =
            begin(Begin { hub: hub.clone(), namespace: namespace.clone(), new: new.clone(), call, context });
        let job = match begun.await? {
            Ok(job) => job,
            // Without a clear answer it may run all the same.
            Err(error) if error.may_pass() => return Ok(say::not_begun(&error, &namespace)),
            Err(error) => return Ok(say::not_begun(&error, &namespace).unspent()),
        };
        let price = quote.prices.hourly(&plan.flavour);
        let work =
            work(&plan, &named, Facts { hub: &hub, namespace: &namespace, job: &job, price, revision });
        let work = JobWork {
            labels: new.labels,
            dashboard: dashboard.as_ref().map(|seeded| seeded.url.clone()),
            ..work
        };
        let mut meanwhile = format!(
            "Job {} runs as {} on {} for {} at most: {}",
            job.id,
            namespace,
            plan.flavour,
            duration(plan.timeout.as_secs()),
            work.url
        );
        if let Some(seeded) = &dashboard {
            meanwhile.push_str(&format!("\n{}", seeded.told()));
        }
        context.progress.line(&meanwhile);
        let ticket = NewTicket {
            id: format!("job:{namespace}/{}", job.id).into(),
            work: Outside::Job(work),
            waits: Waits::ForEnd,
        };
        Ok(ToolOutcome::begun(ticket, meanwhile))
    }

    /// Puts a job on a schedule.
    pub(super) async fn schedule(
        &self,
        (operation, arguments): (Operation, &Arguments),
        context: &CallContext,
    ) -> Result<ToolOutcome, ToolError> {
        let plan = self.plan(operation, arguments, &context.place).await?;
        let (hub, namespace, token) = match self.payer(arguments, context).await? {
            Ok(payer) => payer,
            Err(refused) => return Ok(refused),
        };
        let quote = self.prices.fresh().await;
        if quote.live && quote.prices.hourly(&plan.flavour).is_none() {
            return Ok(ToolOutcome::failed(super::unknown_flavour(&plan.flavour, &quote.prices).0));
        }
        let labels = labels::of_schedule(&context.place.session, &call_of(context), &plan.title);
        let new = NewSchedule {
            job: new_job(&plan, labels, &token),
            schedule: arguments.schedule.as_deref().unwrap_or_default().trim().to_owned(),
            suspend: None,
            concurrency: None,
        };
        let kept = stoppable(context, hub.schedule_job(&namespace, &new)).await?;
        Ok(match kept {
            Ok(kept) => ToolOutcome::done(say::scheduled(&kept)),
            Err(error) => say::not_begun(&error, &namespace),
        })
    }

    /// The Hub, the namespace that pays, and the token; or why there is none.
    async fn payer(
        &self,
        arguments: &Arguments,
        context: &CallContext,
    ) -> Result<Result<(Hub, String, Secret), ToolOutcome>, ToolError> {
        let Some(token) = self.kit.access.token(&context.requester).await else {
            return Ok(Err(ToolOutcome::failed(say::NO_TOKEN)));
        };
        let hub = self.kit.access.of(&context.requester).await;
        Ok(match stoppable(context, hub.account()).await? {
            Ok(account) => {
                let wanted = arguments.namespace.as_deref().map(str::trim);
                match pays(&account, wanted.or(self.kit.config.namespace.as_deref())) {
                    Ok(namespace) => Ok((hub, namespace, token)),
                    Err(why) => Err(ToolOutcome::failed(why)),
                }
            }
            Err(error) => Err(ToolOutcome::failed(format!("The account could not be looked up: {error}"))),
        })
    }
}

/// Makes sure that the dashboard is there. What goes wrong is said in it.
async fn dashboard(hub: &Hub, space: &str, context: &CallContext) -> Result<trackio::Seeded, ToolError> {
    context.progress.line("setting up the dashboard");
    tokio::select! {
        () = context.cancel.cancelled() => Err(ToolError::Cancelled),
        seeded = tokio::time::timeout(DASHBOARD, trackio::seed(hub, space)) => {
            Ok(seeded.unwrap_or_else(|_| trackio::Seeded {
                url: hub.space_page(space),
                done: Vec::new(),
                problem: Some("setting it up took too long".to_owned()),
            }))
        }
    }
}

/// Waits for a request, unless the turn is stopped before it ends.
pub(super) async fn stoppable<T>(
    context: &CallContext,
    request: impl Future<Output = Result<T, HubError>>,
) -> Result<Result<T, HubError>, ToolError> {
    tokio::select! {
        () = context.cancel.cancelled() => Err(ToolError::Cancelled),
        answer = request => Ok(answer),
    }
}

fn new_job(plan: &Plan, labels: BTreeMap<String, String>, token: &Secret) -> NewJob {
    let mut secrets: BTreeMap<String, Secret> =
        plan.secrets.iter().map(|(name, value)| (name.clone(), Secret::new(value))).collect();
    // The tool states that it must: a job reads gated data and pushes its result as the account that pays.
    secrets.extend(TOKENS.map(|name| (name.to_owned(), token.clone())));
    NewJob {
        source: plan.source.clone(),
        command: plan.command.clone(),
        environment: plan.environment.clone(),
        secrets,
        flavor: plan.flavour.clone(),
        timeout_s: Some(plan.timeout.as_secs().max(1)),
        labels,
        volumes: Vec::new(),
    }
}

struct Begin<'a> {
    hub: Hub,
    namespace: String,
    new: NewJob,
    call: String,
    context: &'a CallContext,
}

/// Begins it once. The request goes on by itself if the turn is stopped in the middle: a job that has begun by
/// then is ended again, for nobody would know of it.
async fn begin(it: Begin<'_>) -> Result<Result<Job, HubError>, ToolError> {
    let Begin { hub, namespace, new, call, context } = it;
    match stoppable(context, found(&hub, &namespace, &call)).await? {
        Ok(Some(job)) => return Ok(Ok(job)),
        Ok(None) => {}
        Err(error) => return Ok(Err(error)),
    }
    let cancel = context.cancel.clone();
    let task = tokio::spawn(async move {
        let job = match hub.run_job(&namespace, &new).await {
            // It may have begun all the same.
            Err(error) if error.may_pass() => match found(&hub, &namespace, &call).await {
                Ok(Some(job)) => Ok(job),
                _ => Err(error),
            },
            other => other,
        };
        if let (true, Ok(job)) = (cancel.is_cancelled(), &job)
            && let Err(error) = hub.cancel_job(&namespace, &job.id).await
        {
            tracing::warn!(job = job.id, %error, "a job of a stopped call could not be ended; a sweep will find it");
        }
        job
    });
    tokio::select! {
        // A job that has begun is told, even if somebody stops the turn at that moment: its ticket is stopped.
        biased;
        job = task => job.map_err(|error| ToolError::Broken(error.into())),
        // What the task begins after this it ends by itself.
        () = context.cancel.cancelled() => Err(ToolError::Cancelled),
    }
}

/// The call, as labels name it: its turn too, for the ids of calls may come again in a later one.
fn call_of(context: &CallContext) -> CallId {
    CallId(format!("{}/{}", context.turn, context.call))
}

/// The job that this call began before, if there is one.
async fn found(hub: &Hub, namespace: &str, call: &str) -> Result<Option<Job>, HubError> {
    let labels = BTreeMap::from([(labels::CALL.to_owned(), call.to_owned())]);
    let filter = JobFilter { stages: Vec::new(), labels };
    let listed = hub.jobs(namespace, &filter, 10).await?;
    // A Hub that does not know the filter lists others, too.
    let ours =
        |job: &Job| labels::is_job(&job.labels) && job.labels.get(labels::CALL).is_some_and(|it| it == call);
    Ok(listed.items.into_iter().find(ours))
}

struct Facts<'a> {
    hub: &'a Hub,
    namespace: &'a str,
    job: &'a Job,
    price: Option<u64>,
    revision: Option<String>,
}

fn work(plan: &Plan, named: &Named, facts: Facts<'_>) -> JobWork {
    JobWork {
        namespace: facts.namespace.to_owned(),
        job_id: facts.job.id.clone(),
        url: facts.hub.job_page(facts.namespace, &facts.job.id),
        title: plan.title.clone(),
        purpose: plan.purpose,
        flavour: plan.flavour.clone(),
        price: facts.price,
        timeout_s: plan.timeout.as_secs().max(1),
        script: Some(plan.digest.clone()),
        base_model: named.base_model.clone(),
        dataset: named.dataset.clone(),
        dataset_revision: facts.revision,
        output: named.output.clone(),
        dashboard: None,
        labels: BTreeMap::new(),
    }
}
