//! Where operations come in: one durable write, one wake-up.

use std::sync::Arc;

use crate::protocol::{Actor, Approvers, Operation, SessionHead, SessionKey};
use crate::store::{Pushed, Result, Store};

/// The way in for every front door. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    store: Arc<dyn Store>,
    /// People who may go on with every session, whoever spoke in it.
    trusted: Approvers,
}

impl Intake {
    /// A way into this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, trusted: Approvers::Listed { people: Vec::new(), groups: Vec::new() } }
    }

    /// The same way in, with people who may go on with every session.
    #[must_use]
    pub fn trusting(self, trusted: Approvers) -> Self {
        Self { trusted, ..self }
    }

    pub(super) fn trusts(&self, person: &Actor) -> bool {
        self.trusted.include(person)
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Keeps the operation durably, then wakes whoever works. Acknowledge only after this returned.
    /// `Seen` means a redelivery: nothing changed, acknowledge it too.
    pub async fn submit(&self, operation: Operation) -> Result<Pushed> {
        let key = operation.session.clone();
        let pushed = self.store.push(operation).await?;
        if pushed == Pushed::New {
            self.store.wake(&key);
        }
        Ok(pushed)
    }

    /// Whether the session exists: somebody has talked to the agent there, here or in another process.
    pub async fn knows(&self, key: &SessionKey) -> Result<bool> {
        self.store.exists(key).await
    }

    /// Whether a worker has the session in hand, or something for one to do.
    pub async fn is_busy(&self, key: &SessionKey) -> Result<bool> {
        Ok(self.store.busy(&crate::store::Claimable::Only(key.clone())).await? > 0)
    }

    /// The saved head of a session, for front doors that must show something at once (a modal).
    pub async fn head(&self, key: &SessionKey) -> Result<Option<SessionHead>> {
        self.store.head(key).await
    }

    /// Runs of the registry, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn runs(&self, wanted: &crate::protocol::RunFind) -> Result<Vec<crate::protocol::Run>> {
        self.store.runs(wanted).await
    }
}
