//! Automatic notices: a decorator around any front door's presenters.
//!
//! A notice is queued durably when the event it tells of has arrived, before the session is saved as
//! told, so that a crash loses none; its id comes from turn and event, so that none is sent twice.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use crate::messaging::AutoNotices;
use crate::protocol::{Event, Heard, Operation, SessionHead};
use crate::runtime::{Branch, Opening, PresentError, Presenter, Presenters};
use crate::store::Store;

/// Presenters whose events also go to named destinations.
pub(super) struct Noticed {
    pub(super) inner: Arc<dyn Presenters>,
    pub(super) notices: Arc<AutoNotices>,
    pub(super) store: Arc<dyn Store>,
}

#[async_trait]
impl Presenters for Noticed {
    async fn open(&self, session: &SessionHead, opening: Opening) -> Arc<dyn Presenter> {
        Arc::new(NoticedPresenter {
            inner: self.inner.open(session, opening).await,
            presenters: self.inner.clone(),
            notices: self.notices.clone(),
            store: self.store.clone(),
            opened: session.clone(),
            pending: Mutex::default(),
        })
    }

    async fn heard(&self, session: &SessionHead, first: &Operation) -> Vec<Heard> {
        self.inner.heard(session, first).await
    }

    async fn link(&self, session: &SessionHead) -> Option<String> {
        self.inner.link(session).await
    }

    async fn branch(&self, session: &SessionHead, cause: &Operation) -> Result<Option<Branch>, PresentError> {
        self.inner.branch(session, cause).await
    }
}

struct NoticedPresenter {
    inner: Arc<dyn Presenter>,
    presenters: Arc<dyn Presenters>,
    notices: Arc<AutoNotices>,
    store: Arc<dyn Store>,
    /// The session as it was when the presenter was opened: a new one has no title yet.
    opened: SessionHead,
    pending: Mutex<Vec<Event>>,
}

impl NoticedPresenter {
    async fn notify(&self) {
        let events = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if events.is_empty() {
            return;
        }
        // Title and model as they are now; what was known at first serves if the store does not answer.
        let saved = self.store.head(&self.opened.key).await.ok().flatten();
        let session = saved.as_ref().unwrap_or(&self.opened);
        let link = self.presenters.link(session).await;
        for event in events {
            self.notices.on_event(&event, session, link.as_deref()).await;
        }
    }
}

#[async_trait]
impl Presenter for NoticedPresenter {
    fn show(&self, event: &Event) {
        self.inner.show(event);
        if matches!(event, Event::ApprovalRequired(_) | Event::Error { .. } | Event::TurnComplete { .. }) {
            self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        }
    }

    async fn settle(&self) -> Result<Value, PresentError> {
        let settled = self.inner.settle().await;
        // What arrives later is announced again then. Who cannot be told at all is one more reason to
        // tell the others.
        if !matches!(settled, Err(PresentError::Later(_))) {
            self.notify().await;
        }
        settled
    }
}
