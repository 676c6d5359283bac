//! Jobs of the small Hub: real processes or logs that a test wrote, their stages, logs, prices and credits;
//! and scheduled jobs.
//!
//! Owns [`Jobs`], the state. Never knows our own client. `routes` and `scheduled` are what is served, `play`
//! carries a job from its start to its end, `stream` serves logs as events. Start at [`Jobs`]: tests choose
//! with [`Jobs::next`] what the next job does, move it with [`Jobs::play`], break it with [`Jobs::strike`].

mod cron;
pub(super) mod fields;
pub(super) mod hardware;
mod job;
mod log;
mod plan;
mod play;
pub(super) mod process;
mod routes;
mod scheduled;
#[cfg(test)]
mod scheduled_tests;
mod spec;
pub(super) mod stream;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};

use super::super::shared::lock;
use job::Job;

pub use job::{JobStage, JobView};
pub use plan::{Cut, JobEnd, JobPlan, Mishap, Pace};
pub(super) use routes::doors;
pub use spec::JobSpec;
pub(super) use spec::volume;

/// Credits of a namespace that nobody spoke of, in micro-dollars: a hundred dollars.
const CREDITS: i64 = 100_000_000;
/// How often what waits for the Hub's clock looks at it, by real time.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// Jobs and scheduled jobs.
#[derive(Debug)]
pub struct Jobs {
    desk: Mutex<Desk>,
    clock: Clock,
    /// Where this Hub answers.
    address: String,
    keep_alive: Mutex<Duration>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Desk {
    jobs: Vec<Job>,
    scheduled: Vec<scheduled::Scheduled>,
    next: VecDeque<JobPlan>,
    every: Option<JobPlan>,
    /// Micro-dollars, by namespace.
    credits: HashMap<String, i64>,
}

impl Desk {
    fn job(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|it| it.id == id && !it.gone)
    }

    fn credits(&self, namespace: &str) -> i64 {
        self.credits.get(namespace).copied().unwrap_or(CREDITS)
    }
}

impl Jobs {
    /// `address` is where this Hub answers; all jobs end with `stop`.
    pub(super) fn new(clock: Clock, address: String, stop: CancellationToken) -> Arc<Self> {
        let keep_alive = Mutex::new(Duration::from_secs(30));
        Arc::new(Self { desk: Mutex::default(), clock, address, keep_alive, stop })
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }

    /// What the next job that is created does; more of them queue up. After them, [`Jobs::every`].
    pub fn next(&self, plan: JobPlan) {
        self.desk().next.push_back(plan);
    }

    /// What every job does for which nothing else was said. At first: [`JobPlan::process`].
    pub fn every(&self, plan: JobPlan) {
        self.desk().every = Some(plan);
    }

    /// How long a log stream is silent before it says that it is alive. At first 30 s.
    pub fn keep_alive_every(&self, pause: Duration) {
        *lock(&self.keep_alive) = pause;
    }

    /// Micro-dollars that a namespace has left.
    #[must_use]
    pub fn credits(&self, namespace: &str) -> i64 {
        self.desk().credits(namespace)
    }

    /// Gives a namespace so many micro-dollars; with none left it cannot start jobs.
    pub fn set_credits(&self, namespace: &str, micros: i64) {
        self.desk().credits.insert(namespace.to_owned(), micros);
    }

    /// Everything about a job, whatever its id's owner; `None` if there never was one.
    #[must_use]
    pub fn job(&self, id: &str) -> Option<JobView> {
        self.desk().jobs.iter().find(|it| it.id == id).map(Job::view)
    }

    /// All jobs, in the order in which they were created.
    #[must_use]
    pub fn all(&self) -> Vec<JobView> {
        self.desk().jobs.iter().map(Job::view).collect()
    }

    /// The kept lines of a job's log, from the first.
    #[must_use]
    pub fn lines(&self, id: &str) -> Vec<String> {
        let desk = self.desk();
        let Some(job) = desk.jobs.iter().find(|it| it.id == id) else { return Vec::new() };
        (0..job.log.len()).map_while(|index| job.log.line(index)).map(|(_, text)| text).collect()
    }

    /// Releases the next lines of a job that is played by hand; gives how many there were. Once there are
    /// none left, the job ends as planned.
    pub fn play(&self, id: &str, lines: usize) -> usize {
        let now = self.clock.now();
        let mut desk = self.desk();
        let Some(job) = desk.job(id) else { return 0 };
        job.start(now);
        let released = job.release(now, lines);
        if released < lines || lines == 0 {
            let end = job.plan.end;
            desk.end(id, now, end);
        }
        released
    }

    /// Lets a job write a line that no plan has.
    pub fn write(&self, id: &str, line: &str) {
        let now = self.clock.now();
        if let Some(job) = self.desk().job(id) {
            job.write(now, line.to_owned());
        }
    }

    /// Ends a job so, whatever its plan was.
    pub fn finish(&self, id: &str, end: JobEnd) {
        let now = self.clock.now();
        self.desk().end(id, now, end);
    }

    /// Lets this go wrong with a job from now on.
    pub fn strike(&self, id: &str, mishap: Mishap) {
        let mut desk = self.desk();
        let Some(job) = desk.job(id) else { return };
        if mishap == Mishap::Vanish {
            job.gone = true;
            job.cancel.cancel();
        }
        job.plan.mishaps.push(mishap);
        job.changed.send_modify(|()| {});
    }

    /// Waits until a moment by the Hub's clock.
    async fn until(&self, moment: Timestamp) {
        while self.clock.now() < moment {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// An id as the Hub makes them: 24 hexadecimal digits that begin with the time.
fn fresh_id(now: Timestamp) -> String {
    format!("{:08x}{:016x}", now.seconds() & 0xffff_ffff, fastrand::u64(..))
}
