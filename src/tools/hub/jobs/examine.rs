//! What people should know before they answer: looked up on the Hub, in the registry and in this session.
//!
//! Every lookup has its own time and fails alone; what could not be looked up is said. Never changes anything.
//! Start at [`HfJobs::look`].

use std::time::Duration;

use serde_json::Value;

use super::account::pays;
use super::arguments::{Arguments, Operation};
use super::plan::{Origin, Plan, Work};
use super::warn;
use super::{HfJobs, record};
use crate::agent::tool::{ExamineContext, Examined};
use crate::clients::hub::jobs::Source;
use crate::clients::hub::{Account, Hub, HubError, Patience, Repo, RepoKind};
use crate::protocol::money::dollars;
use crate::protocol::{Cost, Purpose, Run, RunFind};
use crate::text::{count, duration};

/// How long one lookup may take.
const LOOKUP: Duration = Duration::from_secs(6);
/// Runs that an estimate looks at.
const RUNS: u32 = 50;
/// Dependencies that are named.
const NAMED: usize = 12;

/// A dataset or model, as the Hub knows it.
struct Seen {
    commit: Option<String>,
    warning: Option<String>,
}

impl HfJobs {
    /// Looks up what people should know about a job.
    pub(super) async fn look(
        &self,
        (operation, arguments): (Operation, &Arguments),
        plan: &Plan,
        context: &ExamineContext,
    ) -> Examined {
        let hub = self.kit.access.of(&context.requester).await.with_patience(Patience::none());
        let revision = self.named(operation, arguments, plan);
        let dataset = revision.dataset.as_deref();
        let (account, data, model, runs, quote, last) = tokio::join!(
            bounded(hub.account()),
            seen(&hub, RepoKind::Dataset, dataset, revision.dataset_revision.as_deref()),
            seen(&hub, RepoKind::Model, revision.base_model.as_deref(), None),
            self.earlier_runs(plan, dataset, context.place.channel.clone()),
            self.prices.fresh(),
            record::last(&context.place.workspace),
        );
        let mut found = Examined::default();
        let mut fact = |label: &str, value: String| found.facts.push((label.to_owned(), value));
        let hourly = quote.prices.hourly(&plan.flavour);
        fact("Hardware", hardware(plan, hourly, &quote.prices.job(&plan.flavour, &arguments.timeout)));
        let (payer, unpaid) = payer(arguments, self.kit.config.namespace.as_deref(), account.as_ref());
        fact("Paid by", payer);
        let (Source::Image(image) | Source::Space(image)) = &plan.source;
        fact("Image", image.clone());
        if !matches!(plan.work, Work::Command) {
            fact("Dependencies", dependencies(plan));
        }
        if let Some(model) = &revision.base_model {
            fact("Starts from", model.clone());
        }
        if let Some(name) = dataset {
            let commit = data.as_ref().and_then(|it| it.commit.as_deref()).map(super::super::runs::short);
            fact("Dataset", commit.map_or_else(|| name.to_owned(), |commit| format!("{name} @ {commit}")));
        }
        fact("Result goes to", result(plan, revision.output.as_deref()));
        fact("Secrets", secrets(plan));
        if let Some(schedule) = arguments.schedule.as_deref().filter(|_| operation == Operation::ScheduledRun)
        {
            fact("Schedule", format!("{schedule} (UTC), until somebody deletes it"));
        }
        if let Some(space) = &arguments.trackio_space_id {
            fact("Dashboard", format!("{}/spaces/{}", hub.endpoint(), space.trim()));
        }
        let estimate = runs.as_deref().and_then(|runs| warn::estimate(plan, runs));
        if let Some(estimate) = &estimate {
            fact("Will take about", estimate.words());
        }
        let mut warnings = Vec::new();
        warnings.extend(unpaid);
        if !quote.live {
            warnings
                .push("The Hub's list of prices could not be read: prices are from a kept table.".to_owned());
        }
        warnings.extend(warn::of_plan(plan));
        warnings.extend(estimate.and_then(|estimate| estimate.warning(plan.timeout)));
        warnings.extend([data, model].into_iter().flatten().filter_map(|it| it.warning));
        warnings.extend(strange_target(plan, account.as_ref().ok()));
        warnings.extend(untried(plan, context));
        found.warnings = warnings;
        if let (Work::Script { text, from, .. }, Some(last)) = (&plan.work, last)
            && *from != Origin::Template
            && last != *text
        {
            let shown = |text: &str| crate::text::redact_known(text, &[]).into_owned();
            found.diff = changed(&shown(&last), &shown(text));
        }
        found
    }

    /// What the job is about, by the names of repositories.
    pub(super) fn named(&self, operation: Operation, arguments: &Arguments, plan: &Plan) -> Named {
        if operation == Operation::Evaluate {
            return Named {
                base_model: arguments.base_model.clone(),
                dataset: arguments.dataset.clone(),
                dataset_revision: arguments.revision.clone(),
                output: arguments.model.clone(),
            };
        }
        let facts = plan.facts();
        let dataset = facts.and_then(|facts| facts.datasets.first());
        let named = |name: &String| super::arguments::repository("", name).is_ok();
        Named {
            base_model: facts.and_then(|facts| facts.models.first()).filter(|name| named(name)).cloned(),
            dataset: dataset.map(|data| data.name.clone()).filter(named),
            dataset_revision: dataset.and_then(|data| data.revision.clone()),
            output: facts.and_then(|facts| facts.output.clone()),
        }
    }

    async fn earlier_runs(
        &self,
        plan: &Plan,
        dataset: Option<&str>,
        channel: Option<String>,
    ) -> Option<Vec<Run>> {
        if plan.purpose == Purpose::Other && dataset.is_none() {
            return None;
        }
        let find =
            RunFind { words: dataset.unwrap_or_default().to_owned(), session: None, channel, limit: RUNS };
        tokio::time::timeout(LOOKUP, self.kit.runs.find(&find)).await.ok()?.ok()
    }
}

/// What a job is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The model that it starts from.
    pub base_model: Option<String>,
    /// The dataset that it reads.
    pub dataset: Option<String>,
    /// The revision of it that is asked for.
    pub dataset_revision: Option<String>,
    /// The repository of its result; for an evaluation, the model that is measured.
    pub output: Option<String>,
}

async fn bounded<T>(looking: impl Future<Output = Result<T, HubError>>) -> Result<T, HubError> {
    tokio::time::timeout(LOOKUP, looking)
        .await
        .unwrap_or_else(|_| Err(HubError::Unreachable("no answer in time".to_owned())))
}

/// Looks a repository up: its commit, and whether this account may read it.
async fn seen(hub: &Hub, kind: RepoKind, name: Option<&str>, revision: Option<&str>) -> Option<Seen> {
    let repo = Repo::parse(kind, name?).ok()?;
    let warn = |why: String| Some(Seen { commit: None, warning: Some(why) });
    let info = match bounded(hub.info(&repo, revision)).await {
        Ok(info) => info,
        Err(HubError::NotFound { .. }) => {
            return warn(format!("The {repo} is not on the Hub, or this account may not see it."));
        }
        Err(error) => return warn(format!("The {repo} could not be looked up: {error}.")),
    };
    let commit = info.sha.clone();
    let warning = match bounded(hub.may_read(&repo)).await {
        Ok(()) => None,
        Err(error @ HubError::Gated { .. }) => Some(format!("The {error}. The job would fail.")),
        Err(HubError::Unauthorized { .. } | HubError::Forbidden { .. }) => {
            Some(format!("This account has no access to the {repo}: the job would fail."))
        }
        Err(_) => None,
    };
    Some(Seen { commit, warning })
}

/// The commit of a dataset, if it can be had quickly.
pub(super) async fn commit(hub: &Hub, name: &str, revision: Option<&str>) -> Option<String> {
    let repo = Repo::parse(RepoKind::Dataset, name).ok()?;
    bounded(hub.info(&repo, revision)).await.ok()?.sha
}

fn hardware(plan: &Plan, hourly: Option<u64>, cost: &Cost) -> String {
    let limit = duration(plan.timeout.as_secs());
    match (hourly, cost) {
        (Some(price), Cost::AtMost(most)) => {
            format!("{} at {} an hour, for {limit} at most: {}", plan.flavour, dollars(price), dollars(*most))
        }
        _ => format!("{} (its price is not known), for {limit} at most", plan.flavour),
    }
}

/// Who pays, and what is wrong with that.
fn payer(
    arguments: &Arguments,
    configured: Option<&str>,
    account: Result<&Account, &HubError>,
) -> (String, Option<String>) {
    let wanted = arguments.namespace.as_deref().map(str::trim).or(configured);
    match account {
        Ok(account) => match pays(account, wanted) {
            Ok(namespace) if namespace == account.name => (namespace, None),
            Ok(namespace) => (format!("{namespace} (by the account {})", account.name), None),
            Err(why) => (wanted.unwrap_or_default().to_owned(), Some(format!("It would be refused: {why}."))),
        },
        Err(error) => {
            let who = wanted.map_or_else(|| "the account of the token".to_owned(), str::to_owned);
            (who, Some(format!("Whose account would pay could not be looked up: {error}.")))
        }
    }
}

/// What changed since the last run; nothing if less than a third of the lines are in both: then it is another
/// script altogether.
fn changed(last: &str, this: &str) -> Option<String> {
    let ended = |text: &str| if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let (last, this) = (ended(last), ended(this));
    let diff = similar::TextDiff::from_lines(last.as_str(), this.as_str());
    let both = diff.iter_all_changes().filter(|change| change.tag() == similar::ChangeTag::Equal).count();
    if both * 3 < last.lines().count().max(this.lines().count()) {
        return None;
    }
    Some(diff.unified_diff().context_radius(3).header("last run", "this run").to_string())
}

fn dependencies(plan: &Plan) -> String {
    let all = plan.dependencies();
    let mut text = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > NAMED {
        text.push_str(&format!(" and {} more", all.len() - NAMED));
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

fn result(plan: &Plan, output: Option<&str>) -> String {
    match (plan.purpose, output, plan.facts()) {
        (Purpose::Evaluate, Some(model), _) => format!("the thread (numbers of {model})"),
        (_, Some(output), _) => output.to_owned(),
        (_, None, Some(facts)) if facts.pushes => "the Hub, by a name that the script makes".to_owned(),
        (_, None, Some(_)) => "nowhere but its log".to_owned(),
        (_, None, None) => "not known".to_owned(),
    }
}

/// The secrets that the job gets, by their names.
fn secrets(plan: &Plan) -> String {
    let mut names = vec!["HF_TOKEN (the token of the account that asks)".to_owned()];
    names.extend(plan.secrets.keys().cloned());
    names.join(", ")
}

/// A result that goes to somebody whom the account does not belong to.
fn strange_target(plan: &Plan, account: Option<&Account>) -> Option<String> {
    let output = plan.facts()?.output.as_deref()?;
    let (owner, _) = output.split_once('/')?;
    let names = account?.namespaces();
    let known = names.iter().any(|name| name.eq_ignore_ascii_case(owner));
    (!known).then(|| format!("The result is to go to {output}, but the account cannot write to `{owner}`."))
}

/// Whether the script or command never ran here. A command that ran well and names its file, or holds all of its
/// text, is a trial; of a command, one that is equal to it.
fn untried(plan: &Plan, context: &ExamineContext) -> Option<String> {
    let commands: Vec<&str> = context.tried.iter().filter_map(|it: &Value| it["command"].as_str()).collect();
    let (tried, what) = match &plan.work {
        Work::Address { .. } => return None,
        Work::Command => (ran(plan, &commands), "command"),
        Work::Script { text, from, .. } => (tried(text.trim(), from, &commands, context), "script"),
    };
    (!tried).then(|| {
        let seen = count(commands.len(), "command");
        format!("This {what} was never tried in this session ({seen} ran here, none of them it): its first error costs money.")
    })
}

/// Whether this very command ran here: as a line, or what it hands to a shell.
fn ran(plan: &Plan, commands: &[&str]) -> bool {
    let plain = plan.command.join(" ");
    let handed = match plan.command.as_slice() {
        [shell, flag, line] if flag.ends_with('c') && shell.ends_with("sh") => line.as_str(),
        _ => plain.as_str(),
    };
    let same =
        |command: &&str| [plan.run.as_str(), &plain, handed].iter().any(|it| it.trim() == command.trim());
    commands.iter().any(same)
}

/// Whether this script ran here.
fn tried(body: &str, from: &Origin, commands: &[&str], context: &ExamineContext) -> bool {
    match from {
        Origin::Template => true,
        Origin::File(path) => {
            let name = path.rsplit('/').next().unwrap_or(path);
            let runs = |command: &&str| {
                command.contains(name) && ["python", "uv run"].iter().any(|it| command.contains(it))
            };
            commands.iter().any(runs)
        }
        Origin::Inline => {
            commands.iter().any(|command| command.contains(body))
                || written(body, commands, context)
                || copied(body, commands, context)
        }
    }
}

/// Whether this very text was written into a file, here or in a sandbox, which Python then ran or loaded.
fn written(body: &str, commands: &[&str], context: &ExamineContext) -> bool {
    let files =
        context.written.iter().filter(|it| it["content"].as_str().is_some_and(|text| text.trim() == body));
    let stems = files.filter_map(|it| it["path"].as_str()?.rsplit('/').next()?.strip_suffix(".py"));
    let runs = |stem: &str| {
        let names = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_') == stem;
        let words =
            |command: &str| command.split(|c: char| c.is_whitespace() || ".;,/'\"".contains(c)).any(names);
        commands.iter().any(|command| command.contains("python") && words(command))
    };
    stems.into_iter().any(runs)
}

/// Whether a file of the workspace has this very text and was run by its name.
fn copied(body: &str, commands: &[&str], context: &ExamineContext) -> bool {
    let named =
        commands.iter().flat_map(|command| command.split_whitespace()).filter(|word| word.ends_with(".py"));
    let mut names: Vec<&str> = named.map(|name| name.trim_matches(['"', '\''])).collect();
    names.dedup();
    names
        .iter()
        .take(20)
        .any(|name| super::plan::file(name, &context.place).is_ok_and(|text| text.trim() == body))
}
