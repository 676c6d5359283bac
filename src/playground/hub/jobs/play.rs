//! Carries a job from its creation to its end: as a process, or as a log that is played.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::job::{Job, JobStage, Owner, Why};
use super::log::Log;
use super::plan::{Act, JobPlan, Mishap, Pace};
use super::process::{Process, Program};
use super::{JobSpec, Jobs, fresh_id, hardware};

impl Jobs {
    /// Creates a job and starts it; gives its id. Whoever calls has checked who may.
    pub(super) fn begin(self: &Arc<Self>, owner: Owner, initiator: Value, spec: JobSpec) -> String {
        let now = self.clock.now();
        let mut desk = self.desk();
        let plan = desk.next.pop_front().or_else(|| desk.every.clone()).unwrap_or_else(JobPlan::process);
        let mut job = Job {
            id: fresh_id(now),
            owner,
            initiator,
            spec,
            stage: JobStage::Scheduling,
            message: None,
            created: now,
            started: None,
            finished: None,
            log: Log::default(),
            billed: None,
            gone: plan.mishaps.contains(&Mishap::Vanish),
            released: 0,
            changed: watch::channel(()).0,
            cancel: CancellationToken::new(),
            plan,
        };
        if job.plan.starts_after.is_zero() {
            job.start(now);
        }
        let id = job.id.clone();
        desk.jobs.push(job);
        drop(desk);
        tokio::spawn(run(self.clone(), id.clone()));
        id
    }

    fn with_job<T>(&self, id: &str, work: impl FnOnce(&mut Job) -> T) -> Option<T> {
        self.desk().jobs.iter_mut().find(|it| it.id == id).map(work)
    }
}

/// What a job's task needs to know from the beginning.
struct Course {
    plan: JobPlan,
    spec: JobSpec,
    cancel: CancellationToken,
}

async fn run(jobs: Arc<Jobs>, id: String) {
    let seen = jobs.with_job(&id, |job| {
        let starts = job.created.plus(job.plan.starts_after);
        (starts, Course { plan: job.plan.clone(), spec: job.spec.clone(), cancel: job.cancel.clone() })
    });
    let Some((starts, course)) = seen else { return };
    tokio::select! {
        () = jobs.stop.cancelled() => return,
        () = course.cancel.cancelled() => return,
        () = jobs.until(starts) => {}
    }
    let now = jobs.clock.now();
    let Some(deadline) = jobs.with_job(&id, |job| {
        job.start(now);
        job.deadline()
    }) else {
        return;
    };
    let why = tokio::select! {
        () = jobs.stop.cancelled() => return,
        () = course.cancel.cancelled() => return,
        () = jobs.until(deadline) => Why::TimedOut,
        code = act(&jobs, &id, &course) => Why::Exit(code),
    };
    let now = jobs.clock.now();
    jobs.desk().close(&id, now, why);
}

/// Plays or runs it; gives the exit code. Dropping it ends what runs.
async fn act(jobs: &Jobs, id: &str, course: &Course) -> i32 {
    match (&course.plan.act, course.plan.pace) {
        (Act::Process, _) => tries(jobs, id, &course.spec).await,
        (_, Pace::ByHand) => std::future::pending().await,
        (Act::Lines(lines), Pace::Every(pause)) => {
            for _ in lines {
                tokio::time::sleep(pause).await;
                let now = jobs.clock.now();
                jobs.with_job(id, |job| job.release(now, 1));
            }
            planned_end(course).await
        }
        (Act::Lines(_) | Act::Endless { .. }, _) => planned_end(course).await,
    }
}

async fn planned_end(course: &Course) -> i32 {
    match course.plan.end {
        super::JobEnd::Completed => 0,
        super::JobEnd::Failed(code) => code,
        super::JobEnd::Never => std::future::pending().await,
    }
}

/// Runs the command, again while it fails and there are attempts left.
async fn tries(jobs: &Jobs, id: &str, spec: &JobSpec) -> i32 {
    let mut code = 1;
    for attempt in 0..spec.attempts {
        if attempt > 0 {
            let now = jobs.clock.now();
            jobs.with_job(id, |job| job.say_started(now));
        }
        let write = |line: String| {
            let now = jobs.clock.now();
            jobs.with_job(id, |job| job.write(now, line));
        };
        code = match Process::start(&program(jobs, id, spec)) {
            Ok(process) => process.run(write).await,
            Err(error) => {
                write(format!("the small Hub could not start it: {error}"));
                128
            }
        };
        if code == 0 {
            break;
        }
    }
    code
}

fn program(jobs: &Jobs, id: &str, spec: &JobSpec) -> Program {
    let mut environment: BTreeMap<String, String> = spec.environment.clone();
    environment.extend(spec.secrets.clone());
    environment.insert("JOB_ID".to_owned(), id.to_owned());
    if let Some(flavour) = hardware::job_flavour(&spec.flavor) {
        environment.extend(flavour.environment().map(|(name, value)| (name.to_owned(), value)));
    }
    // Last, so that a job of this Hub never talks to the real one.
    environment.insert("HF_ENDPOINT".to_owned(), jobs.address.clone());
    let command = spec.command.iter().chain(&spec.arguments).cloned().collect();
    Program { command, environment, files: Vec::new() }
}
