//! Jobs of ours that nobody follows: found by their labels, taken up again where their session is known, told otherwise.
//!
//! A job can outlive what knew of it: the process died between beginning it and saving its ticket, or its session
//! was deleted. Never stops a job by itself: it may be the one that somebody waits for. Old logs go with the sweep.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::follow::Shared;
use super::hub::AGAIN;
use super::source::{Found, JobName, JobSource, Sources};
use super::supervisor::Boards;
use crate::clients::hub::jobs::labels;
use crate::clock::Timestamp;
use crate::protocol::{
    Actor, CallId, JobWork, RunFind, SessionHead, SessionKey, Ticket, TicketId, TurnId, Waits, Work,
};
use crate::runtime::now_and_then;

/// After the start, before the first sweep.
const FIRST: Duration = Duration::from_secs(20);
/// Between two sweeps.
const EVERY: Duration = Duration::from_secs(600);
/// A job this young may be on its way to its ticket.
const YOUNG: Duration = Duration::from_secs(120);
/// Runs of the registry whose accounts are looked at.
const RUNS: u32 = 200;
/// Open tickets, and sessions, that are looked at.
const MANY: u32 = 2_000;
/// How long the log of a job that has ended is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Somebody to tell of a job whose session nobody knows.
#[async_trait]
pub trait Tell: Send + Sync {
    /// Tells them, once per key.
    async fn tell(&self, key: &str, text: &str);
}

/// Finds jobs that nobody follows.
pub struct Sweep {
    /// What followers share.
    pub shared: Arc<Shared>,
    /// Where jobs run.
    pub sources: Arc<dyn Sources>,
    /// Where people see them.
    pub boards: Boards,
    /// Whom to tell otherwise.
    pub owner: Arc<dyn Tell>,
}

/// Where jobs of ours may run.
struct Spot {
    namespace: String,
    source: Arc<dyn JobSource>,
    /// Whose account sees them; `None` for the bot's own.
    person: Option<Actor>,
}

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs that are followed again.
    pub adopted: usize,
    /// Jobs that somebody was told about.
    pub told: usize,
}

impl Sweep {
    /// Sweeps at the start and now and then, until `stop` fires.
    pub async fn run(&self, stop: CancellationToken) {
        now_and_then((FIRST, EVERY), &stop, || async {
            match self.sweep().await {
                Ok(swept) if swept == Swept::default() => {}
                Ok(Swept { adopted, told }) => {
                    tracing::warn!(adopted, told, "found jobs that nobody followed");
                }
                Err(error) => tracing::error!(%error, "jobs without a ticket were not looked for"),
            }
        })
        .await;
    }

    /// Looks once.
    ///
    /// # Errors
    /// The store's. A provider that cannot be asked is logged and asked again at the next sweep.
    pub async fn sweep(&self) -> crate::store::Result<Swept> {
        let mut swept = Swept::default();
        let now = self.shared.clock.now();
        let mut seen = BTreeSet::new();
        for Spot { namespace, source, person } in self.places().await? {
            let found = match source.ours(&namespace).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!(namespace, %error, "jobs could not be listed");
                    continue;
                }
            };
            for job in found {
                let young = job.created.is_some_and(|created| now.since(created) < YOUNG);
                if young || !seen.insert(job.name.clone()) || self.is_known(&job).await? {
                    continue;
                }
                match self.session_of(&job).await? {
                    Some(head) => {
                        let price = source.price(&job.flavour).await;
                        self.adopt(&job, (head, person.clone(), price), now).await?;
                        swept.adopted += 1;
                    }
                    None => {
                        self.tell(&job).await;
                        swept.told += 1;
                    }
                }
            }
        }
        self.forget_logs().await;
        Ok(swept)
    }

    /// Where jobs of ours may run: what open tickets and the registry name, and the bot's own account.
    async fn places(&self) -> crate::store::Result<Vec<Spot>> {
        let mut people: BTreeMap<String, Vec<Actor>> = BTreeMap::new();
        for ticket in self.shared.store.open_tickets(None, MANY).await? {
            if let Work::Job(job) = ticket.work {
                let of_it = people.entry(job.namespace).or_default();
                if !of_it.iter().any(|person| person.id == ticket.requester.id) {
                    of_it.push(ticket.requester);
                }
            }
        }
        let wanted = RunFind { limit: RUNS, ..RunFind::default() };
        for run in self.shared.store.runs(&wanted).await? {
            if let Some(ticket) = self.shared.store.ticket(&run.id).await? {
                let of_it = people.entry(run.namespace).or_default();
                if of_it.is_empty() {
                    of_it.push(ticket.requester);
                }
            }
        }
        let mut places = Vec::new();
        for (namespace, people) in people {
            for person in people {
                let source = self.sources.of(&person).await;
                places.push(Spot { namespace: namespace.clone(), source, person: Some(person) });
            }
        }
        if let Some((source, namespaces)) = self.sources.own().await {
            let spot = |namespace| Spot { namespace, source: source.clone(), person: None };
            places.extend(namespaces.into_iter().map(spot));
        }
        Ok(places)
    }

    /// Whether a ticket knows the job, under its own name or as one that was begun anew.
    async fn is_known(&self, job: &Found) -> crate::store::Result<bool> {
        if self.shared.store.ticket(&ticket_id(&job.name)).await?.is_some() {
            return Ok(true);
        }
        let Some(label) = job.labels.get(AGAIN) else { return Ok(false) };
        let Some((first, _)) = label.rsplit_once('-') else { return Ok(false) };
        let first = JobName { namespace: job.name.namespace.clone(), id: first.to_owned() };
        Ok(self.shared.store.ticket(&ticket_id(&first)).await?.is_some())
    }

    /// The session that its label names, if it is still there.
    async fn session_of(&self, job: &Found) -> crate::store::Result<Option<SessionHead>> {
        let Some(digest) = &job.session else { return Ok(None) };
        let listed = self.shared.store.list(MANY).await?;
        let known: HashMap<String, SessionKey> =
            listed.into_iter().map(|it| (labels::session_digest(&it.key), it.key)).collect();
        match known.get(digest) {
            Some(key) => self.shared.store.head(key).await,
            None => Ok(None),
        }
    }

    /// Follows it again, and says so where it was begun.
    async fn adopt(
        &self,
        job: &Found,
        (head, person, price): (SessionHead, Option<Actor>, Option<u64>),
        now: Timestamp,
    ) -> crate::store::Result<()> {
        let turn = head.turn.as_ref();
        // Through whose account it was found sees it later, too.
        let requester = person.or_else(|| turn.map(|turn| turn.requester.clone()));
        let ticket = Ticket {
            id: ticket_id(&job.name),
            session: head.key.clone(),
            origin: head.origin.clone(),
            turn: turn.map_or_else(|| TurnId::from(Ticket::SWEPT), |turn| turn.id.clone()),
            call: CallId::from(Ticket::SWEPT),
            tool: "hf_jobs".to_owned(),
            requester: requester.unwrap_or_else(|| Actor::new(Ticket::SWEPT, "nobody known")),
            approved_by: Vec::new(),
            asked_of: None,
            work: Work::Job(JobWork {
                namespace: job.name.namespace.clone(),
                job_id: job.name.id.clone(),
                url: job.url.clone(),
                title: job.title.clone(),
                flavour: job.flavour.clone(),
                price,
                timeout_s: job.timeout_s.unwrap_or_default(),
                labels: job.labels.clone(),
                ..JobWork::default()
            }),
            waits: Waits::NoOne,
            pledge: None,
            opened_at: job.created.unwrap_or(now),
        };
        self.shared.store.open_ticket(&ticket).await?;
        if let Some(board) = self.boards.of(ticket.origin.door) {
            let key = format!("sweep:{}", ticket.id);
            if let Err(error) = board.alarm(&ticket, &key, &found_text(job)).await {
                tracing::warn!(ticket = %ticket.id, %error, "nobody could be told of a job that was found");
            }
        }
        Ok(())
    }

    async fn tell(&self, job: &Found) {
        let text = format!("{} The conversation that began it is not known here.", found_text(job));
        self.owner.tell(&format!("sweep:{}", ticket_id(&job.name)), &text).await;
    }

    /// Logs of jobs that ended long ago are deleted.
    async fn forget_logs(&self) {
        let open: BTreeSet<String> = match self.shared.store.open_tickets(None, MANY).await {
            Ok(open) if open.len() < MANY as usize => {
                open.iter().map(|ticket| super::folder_name(&ticket.id)).collect()
            }
            _ => return,
        };
        let (folder, now) = (self.shared.folder.clone(), self.shared.clock.now());
        let forgotten = tokio::task::spawn_blocking(move || forget(&folder, &open, now)).await;
        if let Ok(Err(error)) = forgotten
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "old logs of jobs could not be deleted");
        }
    }
}

fn forget(folder: &Path, open: &BTreeSet<String>, now: Timestamp) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let changed = std::fs::metadata(entry.path().join("begin.log")).and_then(|file| file.modified());
        let Ok(changed) = changed else { continue };
        let since = changed.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let changed = Timestamp::default().plus(since);
        if !open.contains(entry.file_name().to_string_lossy().as_ref()) && now.since(changed) > KEPT {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The ticket of a job.
#[must_use]
pub fn ticket_id(job: &JobName) -> TicketId {
    TicketId(format!("job:{}/{}", job.namespace, job.id))
}

fn found_text(job: &Found) -> String {
    format!(
        "A job that nobody followed is running: “{}” on {}, paid by {}. If nobody needs it, stop it: {}",
        job.title, job.flavour, job.name.namespace, job.url
    )
}
