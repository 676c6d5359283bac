//! Showing a session's events in its thread. Implements the runtime's presenter port for Slack.
//!
//! One task per presenter shows everything in order; what must arrive is posted once, whatever is
//! refused, lost or crashed on the way. Start at [`SlackPresenters`], then `worker.rs`.

mod again;
mod answer;
mod board;
mod branch;
mod card;
mod ending;
mod found;
mod heard;
mod job_card;
mod live;
pub mod markdown;
mod memo;
mod money_card;
mod post;
mod question;
mod queue;
mod status;
mod stream;
mod tasks;
mod voters;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use self::live::StreamSupport;
use self::memo::Memo;
use self::post::Courier;
use self::queue::{Input, Queue};
use self::status::StatusSupport;
use self::worker::{Past, Worker};
use super::groups::Groups;
use super::names::Names;
use super::place::Place;
use super::say;
use super::translate::Ourselves;
use crate::clients::slack::{Method, Outgoing, Priority, Retry, Scheduler};
use crate::protocol::{Event, Heard, Operation, SessionHead, SessionKey};
use crate::runtime::present::{Branch, Opening, PresentError, Presenter, Presenters};

/// How many links and unsaved memos are kept in memory.
const KEPT: usize = 10_000;

/// Opens presenters for Slack threads.
pub struct SlackPresenters {
    scheduler: Scheduler,
    us: Ourselves,
    names: Arc<Names>,
    shared: Arc<Shared>,
    links: Mutex<HashMap<SessionKey, String>>,
}

/// What all presenters of a process share.
struct Shared {
    pub status: Arc<StatusSupport>,
    pub streams: StreamSupport,
    pub names: Arc<Names>,
    pub groups: Arc<Groups>,
    /// Memos that were never saved, because something did not arrive.
    unsaved: Mutex<HashMap<SessionKey, Memo>>,
}

impl Shared {
    fn remember(&self, place: &Place, memo: &Memo, saved: bool) {
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        if saved {
            unsaved.remove(&place.session());
        } else if unsaved.len() < KEPT {
            unsaved.insert(place.session(), memo.clone());
        }
    }
}

impl SlackPresenters {
    /// Presenters that send through this scheduler. `stream` off means post and update.
    #[must_use]
    pub fn new(
        scheduler: Scheduler,
        us: Ourselves,
        names: Arc<Names>,
        groups: Arc<Groups>,
        stream: bool,
    ) -> Self {
        let shared = Shared {
            status: Arc::default(),
            streams: StreamSupport::new(stream),
            names: Arc::clone(&names),
            groups,
            unsaved: Mutex::default(),
        };
        Self { scheduler, us, names, shared: Arc::new(shared), links: Mutex::default() }
    }

    fn courier(&self, place: Place) -> Courier {
        Courier { scheduler: self.scheduler.clone(), place, us: self.us.clone() }
    }
}

#[async_trait]
impl Presenters for SlackPresenters {
    async fn open(&self, session: &SessionHead, opening: Opening) -> Arc<dyn Presenter> {
        let Some(place) = Place::of(&session.origin) else { return Arc::new(Nowhere) };
        let unsaved = {
            let mut unsaved = self.shared.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
            unsaved.remove(&session.key)
        };
        let recovered = opening == Opening::Recovered || unsaved.is_some();
        let since = session.turn.as_ref().map(|turn| turn.started_at);
        let queue = Arc::new(Queue::default());
        let worker = Worker {
            courier: self.courier(place),
            shared: Arc::clone(&self.shared),
            queue: Arc::clone(&queue),
            memo: unsaved.unwrap_or_else(|| Memo::read(&session.presentation)),
            past: match since.filter(|_| recovered) {
                Some(since) => Past::Unknown { since },
                None => Past::Known,
            },
            live: None,
            title: session.title.clone(),
            turn: session.turn.as_ref().map(|turn| turn.id.clone()),
            failed: None,
            approved: Vec::new(),
        };
        tokio::spawn(worker.run());
        Arc::new(SlackPresenter { queue })
    }

    async fn heard(&self, session: &SessionHead, first: &Operation) -> Vec<Heard> {
        match Place::of(&session.origin) {
            Some(place) => heard::before(&self.courier(place), &self.names, first).await,
            None => Vec::new(),
        }
    }

    async fn link(&self, session: &SessionHead) -> Option<String> {
        if let Some(link) = self.links.lock().unwrap_or_else(PoisonError::into_inner).get(&session.key) {
            return Some(link.clone());
        }
        let place = Place::of(&session.origin)?;
        let outgoing = Outgoing {
            method: Method::GetPermalink,
            priority: Priority::Normal,
            channel: Some(place.channel.clone()),
            arguments: json!({ "channel": place.channel, "message_ts": place.thread_ts }),
            retry: Retry::Within(std::time::Duration::from_secs(3)),
        };
        let answer = self.scheduler.call(outgoing).await.ok()?;
        let link = answer["permalink"].as_str()?.to_owned();
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= KEPT {
            links.clear();
        }
        links.insert(session.key.clone(), link.clone());
        Some(link)
    }

    async fn branch(&self, session: &SessionHead, cause: &Operation) -> Result<Option<Branch>, PresentError> {
        let Some(place) = Place::of(&session.origin) else { return Ok(None) };
        let from = self.link(session).await;
        let courier = self.courier(place);
        let opened = branch::open(&courier, session.title.as_deref(), from.as_deref(), cause).await?;
        let link = self.link(&SessionHead::new(opened.session(), opened.origin(), cause.at)).await;
        let (session, origin) = (opened.session(), opened.origin());
        Ok(Some(Branch { session, origin, words: say::FORKED_HERE.to_owned(), link }))
    }
}

/// Shows one session's events in its thread.
struct SlackPresenter {
    queue: Arc<Queue>,
}

#[async_trait]
impl Presenter for SlackPresenter {
    fn show(&self, event: &Event) {
        self.queue.push(Input::Show(event.clone()));
    }

    async fn settle(&self) -> Result<Value, PresentError> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Input::Settle(reply));
        answer.await.unwrap_or_else(|_| Err(PresentError::Later("the showing task ended".to_owned())))
    }
}

impl Drop for SlackPresenter {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// For a session whose place cannot be read: nobody can be told there.
struct Nowhere;

#[async_trait]
impl Presenter for Nowhere {
    fn show(&self, _: &Event) {}

    async fn settle(&self) -> Result<Value, PresentError> {
        Err(PresentError::Never("the session's place cannot be read".to_owned()))
    }
}
