//! Wanting an upload when a turn has ended: a decorator around any front door's presenters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::Value;

use super::Traces;
use crate::protocol::{Event, Heard, Operation, SessionHead, SessionKey};
use crate::runtime::{Branch, Opening, PresentError, Presenter, Presenters};

/// Presenters whose sessions are shared.
pub(in crate::app) struct Sharing {
    pub(in crate::app) inner: Arc<dyn Presenters>,
    pub(in crate::app) traces: Arc<Traces>,
}

#[async_trait]
impl Presenters for Sharing {
    async fn open(&self, session: &SessionHead, opening: Opening) -> Arc<dyn Presenter> {
        Arc::new(SharingPresenter {
            inner: self.inner.open(session, opening).await,
            traces: self.traces.clone(),
            session: session.key.clone(),
            ended: AtomicBool::new(false),
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

struct SharingPresenter {
    inner: Arc<dyn Presenter>,
    traces: Arc<Traces>,
    session: SessionKey,
    ended: AtomicBool,
}

#[async_trait]
impl Presenter for SharingPresenter {
    fn show(&self, event: &Event) {
        self.inner.show(event);
        if matches!(event, Event::TurnComplete { .. } | Event::Interrupted { .. } | Event::Error { .. }) {
            self.ended.store(true, Ordering::Relaxed);
        }
    }

    async fn settle(&self) -> Result<Value, PresentError> {
        let settled = self.inner.settle().await;
        // The ending is saved before it is shown, so what is uploaded holds it.
        if self.ended.swap(false, Ordering::Relaxed) {
            self.traces.want(&self.session).await;
        }
        settled
    }
}
