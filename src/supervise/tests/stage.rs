//! What the stories are played on: a provider that does as it is told, a board, a clock that the script moves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::protocol::*;
use crate::runtime::{Board, Intake, PresentError};
use crate::secret::Secret;
use crate::store::embedded::Embedded;
use crate::store::{Claimable, Store};
use crate::supervise::source::*;
use crate::supervise::{Boards, Pace, Shared, Supervisor};

/// A job at the provider.
#[derive(Default, Clone)]
pub struct Job {
    pub stage: Option<Stage>,
    pub message: Option<String>,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub lines: Vec<String>,
    /// Every connection ends after so many new lines.
    pub drop_after: Option<usize>,
    pub cancelled: u32,
    /// How many times a cancel is refused for now.
    pub deaf: u32,
    pub connections: u32,
}

/// The provider: what the script says, by job id.
#[derive(Default)]
pub struct Provider {
    pub jobs: Mutex<BTreeMap<String, Job>>,
    pub begun: Mutex<BTreeMap<String, String>>,
    pub found: Mutex<Vec<Found>>,
    /// How many further looks fail.
    pub failing: Mutex<u32>,
    /// How many further looks are refused to this account.
    pub refusing: Mutex<u32>,
}

impl Provider {
    pub fn job<T>(&self, id: &str, change: impl FnOnce(&mut Job) -> T) -> T {
        change(self.jobs.lock().unwrap().entry(id.to_owned()).or_default())
    }
}

#[async_trait]
impl JobSource for Provider {
    async fn look(&self, job: &JobName) -> Result<JobFacts, SourceError> {
        let mut failing = self.failing.lock().unwrap();
        if *failing > 0 {
            *failing -= 1;
            return Err(SourceError::Later { why: "500".to_owned(), after: None });
        }
        let mut refusing = self.refusing.lock().unwrap();
        if *refusing > 0 {
            *refusing -= 1;
            return Err(SourceError::Refused("the token was taken back".to_owned()));
        }
        let jobs = self.jobs.lock().unwrap();
        let Some(Job { stage: Some(stage), message, started, finished, .. }) = jobs.get(&job.id).cloned()
        else {
            return Err(SourceError::Gone);
        };
        Ok(JobFacts { stage, message, started, finished })
    }

    async fn log(&self, job: &JobName, from: LogPoint) -> Result<LogLines, SourceError> {
        self.job(&job.id, |job| {
            job.connections += 1;
            let skip = usize::try_from(from.lines).unwrap();
            let room = job.drop_after.unwrap_or(usize::MAX);
            let more = job.lines.len().saturating_sub(skip) > room;
            let lines: Vec<Result<LogLine, SourceError>> = job
                .lines
                .iter()
                .skip(skip)
                .take(room)
                .map(|text| Ok(LogLine { timestamp: None, text: text.clone() }))
                .collect();
            let end = more.then(|| Err(SourceError::Later { why: "dropped".to_owned(), after: None }));
            Ok(futures::stream::iter(lines.into_iter().chain(end)).boxed())
        })
    }

    async fn cancel(&self, job: &JobName) -> Result<(), SourceError> {
        self.job(&job.id, |job| {
            if job.deaf > 0 {
                job.deaf -= 1;
                return Err(SourceError::Later { why: "503".to_owned(), after: None });
            }
            job.cancelled += 1;
            job.stage = Some(Stage::Stopped);
            Ok(())
        })
    }

    async fn again(&self, job: &JobName, seconds: u64, label: &str) -> Result<JobName, SourceError> {
        let mut begun = self.begun.lock().unwrap();
        let number = begun.len() + 2;
        let id = begun.entry(label.to_owned()).or_insert_with(|| format!("job-{number}-{seconds}")).clone();
        Ok(JobName { namespace: job.namespace.clone(), id })
    }

    async fn commit(&self, repo: &str) -> Option<String> {
        Some(format!("commit-of-{repo}"))
    }

    async fn price(&self, flavour: &str) -> Option<u64> {
        (flavour == "a10g-small").then_some(1_000_000)
    }

    async fn ours(&self, namespace: &str) -> Result<Vec<Found>, SourceError> {
        let found = self.found.lock().unwrap();
        Ok(found.iter().filter(|job| job.name.namespace == namespace).cloned().collect())
    }
}

pub struct Only(pub Arc<Provider>);

#[async_trait]
impl Sources for Only {
    async fn of(&self, _: &Actor) -> Arc<dyn JobSource> {
        self.0.clone()
    }

    async fn own(&self) -> Option<(Arc<dyn JobSource>, Vec<String>)> {
        Some((self.0.clone(), vec!["alice".to_owned()]))
    }
}

/// What people saw.
#[derive(Default)]
pub struct Seen {
    pub cards: Mutex<Vec<JobView>>,
    pub alarms: Mutex<Vec<(String, String)>>,
    pub pictures: Mutex<Vec<Attachment>>,
    pub files: Mutex<Vec<Attachment>>,
    /// How many further calls fail.
    pub failing: Mutex<u32>,
}

impl Seen {
    fn fails(&self) -> Result<(), PresentError> {
        let mut failing = self.failing.lock().unwrap();
        if *failing > 0 {
            *failing -= 1;
            return Err(PresentError::Later("Slack is away".to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
impl Board for Seen {
    async fn show(&self, _: &Ticket, view: &JobView, _: &Value) -> Result<Value, PresentError> {
        self.fails()?;
        self.cards.lock().unwrap().push(view.clone());
        Ok(json!({ "ts": "1" }))
    }

    async fn picture(&self, _: &Ticket, picture: Attachment, _: &Value) -> Result<Value, PresentError> {
        self.fails()?;
        self.pictures.lock().unwrap().push(picture);
        Ok(json!({ "ts": "1", "picture": self.pictures.lock().unwrap().len() }))
    }

    async fn alarm(&self, _: &Ticket, key: &str, text: &str) -> Result<(), PresentError> {
        self.fails()?;
        self.alarms.lock().unwrap().push((key.to_owned(), text.to_owned()));
        Ok(())
    }

    async fn file(&self, _: &Ticket, file: Attachment) -> Result<(), PresentError> {
        self.fails()?;
        self.files.lock().unwrap().push(file);
        Ok(())
    }
}

/// The whole of it.
pub struct Scene {
    pub provider: Arc<Provider>,
    pub seen: Arc<Seen>,
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    pub shared: Arc<Shared>,
    pub boards: Boards,
    running: Option<(CancellationToken, JoinHandle<()>)>,
    folder: tempfile::TempDir,
}

pub const JOB: &str = "job-1";

impl Scene {
    /// A store with one session, whose job is `job-1` of alice at a dollar an hour.
    pub async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_000_000_000));
        let store: Arc<dyn Store> = Embedded::open(folder.path(), clock.clone()).unwrap();
        let seen = Arc::new(Seen::default());
        let boards = Boards::default();
        boards.put(Door::Slack, seen.clone());
        let beat = Duration::from_millis(2);
        let shared = Arc::new(Shared {
            store: store.clone(),
            intake: Intake::new(store.clone()),
            clock: clock.clone(),
            folder: folder.path().join("jobs"),
            secrets: vec![Secret::new("hunter2-and-more")].into(),
            stall_s: 900,
            log_bytes: 1 << 20,
            pace: Pace { beat, ..Pace::default() },
        });
        let stage =
            Self { provider: Arc::default(), seen, store, clock, shared, boards, running: None, folder };
        stage.provider.job(JOB, |job| job.stage = Some(Stage::Queued));
        let opening = Operation {
            id: "open".into(),
            session: "s1".into(),
            origin: origin(),
            actor: Actor::new("U1", "Alice"),
            at: stage.clock.now(),
            kind: OperationKind::Status,
        };
        stage.store.push(opening).await.unwrap();
        stage.store.open_ticket(&ticket(stage.clock.now())).await.unwrap();
        stage
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a process that follows.
    pub fn start(&mut self) {
        let supervisor =
            Supervisor::new(self.shared.clone(), Arc::new(Only(self.provider.clone())), self.boards.clone());
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { supervisor.run(stop).await }
        });
        self.running = Some((stop, task));
    }

    /// The process ends in good order.
    pub async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.cancel();
            task.await.unwrap();
        }
    }

    /// The process is killed: nothing is saved, nothing is given back.
    pub async fn kill(&mut self) {
        let (_, task) = self.running.take().unwrap();
        task.abort();
        let _ = task.await;
    }

    /// The clock moves on in small steps until this is so.
    pub async fn until(&self, what: &str, mut so: impl AsyncFnMut(&Self) -> bool) {
        for _ in 0..2_000 {
            if so(self).await {
                return;
            }
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        panic!("never so: {what}");
    }

    pub fn runs(&self, lines: &[&str]) {
        let now = self.clock.now();
        self.provider.job(JOB, |job| {
            job.stage = Some(Stage::Running);
            job.started.get_or_insert(now);
            job.lines.extend(lines.iter().map(|line| (*line).to_owned()));
        });
    }

    pub fn ends(&self, id: &str, stage: Stage, after_s: i64) {
        self.provider.job(id, |job| {
            job.stage = Some(stage);
            job.finished = job.started.map(|started| Timestamp(started.0 + after_s * 1_000));
        });
    }

    pub async fn ask(&self, id: &str, want: TicketWant) {
        let request = TicketRequest {
            id: id.to_owned(),
            by: "U2".into(),
            name: "Bob".to_owned(),
            want,
            at: self.clock.now(),
        };
        self.store.ask_ticket(&"job:alice/job-1".into(), request).await.unwrap();
    }

    /// What the session was told, if it was.
    pub async fn settled(&self) -> Option<(String, bool, Option<u64>)> {
        let only = Claimable::Only("s1".into());
        let lease = self.store.claim(&only, Duration::from_secs(1)).await.unwrap()?;
        let unread = self.store.unread(&lease).await.unwrap();
        self.store.release(&lease, None).await.unwrap();
        let told: Vec<_> = unread
            .into_iter()
            .filter_map(|it| match it.kind {
                OperationKind::Settle { output, success, cost, .. } => Some((output, success, cost)),
                _ => None,
            })
            .collect();
        assert!(told.len() <= 1, "told twice");
        told.into_iter().next()
    }

    pub async fn until_closed(&self) {
        self.until("the ticket is closed", async |stage| {
            stage.store.open_tickets(None, 10).await.unwrap().is_empty()
        })
        .await;
    }
}

pub fn origin() -> Origin {
    Origin::new(Door::Slack, json!({ "channel": "C1" }))
}

pub fn ticket(now: Timestamp) -> Ticket {
    Ticket {
        id: "job:alice/job-1".into(),
        session: "s1".into(),
        origin: origin(),
        turn: "t1".into(),
        call: "c1".into(),
        tool: "hf_jobs".to_owned(),
        requester: Actor::new("U1", "Alice"),
        approved_by: vec!["Bob".to_owned()],
        asked_of: None,
        work: Work::Job(JobWork {
            namespace: "alice".to_owned(),
            job_id: JOB.to_owned(),
            url: "https://hub/jobs/alice/job-1".to_owned(),
            title: "Fine-tune the model".to_owned(),
            flavour: "a10g-small".to_owned(),
            price: Some(1_000_000),
            timeout_s: 3_600,
            output: Some("alice/tuned".to_owned()),
            ..JobWork::default()
        }),
        waits: Waits::ForEnd,
        pledge: Some(Pledged { id: "p1".to_owned(), micros: Some(1_000_000) }),
        opened_at: now,
    }
}
