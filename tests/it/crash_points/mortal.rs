//! The store of a worker that dies at one of its writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ml_intern::clock::Timestamp;
use ml_intern::protocol::*;
use ml_intern::store::embedded::Embedded;
use ml_intern::store::*;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Dies at its n-th write: before it, or right after it.
pub(super) struct Mortal {
    pub(super) inner: Arc<Embedded>,
    pub(super) writes: AtomicUsize,
    pub(super) dies_at: usize,
    pub(super) after: bool,
    pub(super) dead: CancellationToken,
}

impl Mortal {
    /// Runs one write as the fate of this process has it.
    async fn write<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let gone = || Err(StoreError::Backend("this process is dead".into()));
        if self.dead.is_cancelled() {
            return gone();
        }
        if self.writes.fetch_add(1, Ordering::SeqCst) + 1 < self.dies_at {
            return work.await;
        }
        if self.after {
            let _ = work.await;
        }
        self.dead.cancel();
        gone()
    }
}

#[async_trait]
impl Inbox for Mortal {
    async fn push(&self, operation: Operation) -> Result<Pushed> {
        self.inner.push(operation).await
    }
    async fn claim(&self, claimable: &Claimable, ttl: Duration) -> Result<Option<Lease>> {
        if self.dead.is_cancelled() {
            return Ok(None);
        }
        self.inner.claim(claimable, ttl).await
    }
    async fn unread(&self, lease: &Lease) -> Result<Vec<Operation>> {
        self.inner.unread(lease).await
    }
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.inner.renew(lease, ttl).await
    }
    async fn release(&self, lease: &Lease, not_before: Option<Timestamp>) -> Result<()> {
        self.write(self.inner.release(lease, not_before)).await
    }
    async fn fire_due(&self, now: Timestamp) -> Result<Vec<SessionKey>> {
        self.inner.fire_due(now).await
    }
    async fn seize(&self, key: &SessionKey, ttl: Duration) -> Result<Option<Lease>> {
        self.inner.seize(key, ttl).await
    }
    async fn prune(&self, before: Timestamp) -> Result<u64> {
        self.inner.prune(before).await
    }
    async fn busy(&self, claimable: &Claimable) -> Result<u64> {
        self.inner.busy(claimable).await
    }
}

#[async_trait]
impl Sessions for Mortal {
    async fn load(&self, key: &SessionKey) -> Result<Loaded> {
        self.inner.load(key).await
    }
    async fn exists(&self, key: &SessionKey) -> Result<bool> {
        self.inner.exists(key).await
    }
    async fn head(&self, key: &SessionKey) -> Result<Option<SessionHead>> {
        self.inner.head(key).await
    }
    async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<()> {
        self.write(self.inner.commit(lease, commit)).await
    }
    async fn find(&self, find: &Find) -> Result<Vec<Listed>> {
        self.inner.find(find).await
    }
    async fn keys(&self, beginning: &str, limit: u32) -> Result<Vec<SessionKey>> {
        self.inner.keys(beginning, limit).await
    }
    async fn written(&self, key: &SessionKey) -> Result<Option<Timestamp>> {
        self.inner.written(key).await
    }
    async fn idle(&self, before: Timestamp, skip: u32, limit: u32) -> Result<Vec<SessionKey>> {
        self.inner.idle(before, skip, limit).await
    }
    async fn delete(&self, lease: &Lease) -> Result<()> {
        self.write(self.inner.delete(lease)).await
    }
}

impl Signals for Mortal {
    fn wake(&self, key: &SessionKey) {
        self.inner.wake(key);
    }
    fn watch(&self) -> broadcast::Receiver<SessionKey> {
        self.inner.watch()
    }
}

#[async_trait]
impl Ledger for Mortal {
    async fn enqueue(&self, delivery: Delivery, due: Timestamp) -> Result<Pushed> {
        self.inner.enqueue(delivery, due).await
    }
    async fn claim_deliveries(&self, now: Timestamp, limit: u32, ttl: Duration) -> Result<Vec<Delivery>> {
        self.inner.claim_deliveries(now, limit, ttl).await
    }
    async fn settle_delivery(&self, id: &str, outcome: Delivered) -> Result<()> {
        self.inner.settle_delivery(id, outcome).await
    }
    async fn delivery(&self, id: &str) -> Result<Option<Delivered>> {
        self.inner.delivery(id).await
    }
    async fn reserve(&self, reservation: Reservation) -> Result<Reserved> {
        self.write(self.inner.reserve(reservation)).await
    }
    async fn settle(&self, id: &str, cost: u64) -> Result<()> {
        self.write(self.inner.settle(id, cost)).await
    }
    async fn unreserve(&self, id: &str) -> Result<()> {
        self.write(self.inner.unreserve(id)).await
    }
    async fn spend(&self, spent: Reservation) -> Result<()> {
        self.write(self.inner.spend(spent)).await
    }
    async fn open_reservations(&self, session: &SessionKey) -> Result<Vec<Reservation>> {
        self.inner.open_reservations(session).await
    }
    async fn balances(&self, accounts: &[Account]) -> Result<Vec<Balance>> {
        self.inner.balances(accounts).await
    }
    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditRecord>> {
        self.inner.audit(after, limit).await
    }
}

#[async_trait]
impl Tickets for Mortal {
    async fn open_ticket(&self, ticket: &Ticket) -> Result<()> {
        self.inner.open_ticket(ticket).await
    }
    async fn ask_ticket(&self, ticket: &TicketId, request: TicketRequest) -> Result<()> {
        self.inner.ask_ticket(ticket, request).await
    }
    async fn claim_watches(&self, door: Door, limit: u32, ttl: Duration) -> Result<Vec<Watch>> {
        self.write(self.inner.claim_watches(door, limit, ttl)).await
    }
    async fn renew_watch(&self, watch: &Watch, ttl: Duration) -> Result<Vec<TicketRequest>> {
        self.inner.renew_watch(watch, ttl).await
    }
    async fn save_watch(&self, watch: &Watch, save: WatchSave<'_>) -> Result<()> {
        self.write(self.inner.save_watch(watch, save)).await
    }
    async fn close_watch(&self, watch: &Watch) -> Result<()> {
        self.write(self.inner.close_watch(watch)).await
    }
    async fn ticket(&self, id: &TicketId) -> Result<Option<Ticket>> {
        self.inner.ticket(id).await
    }
    async fn open_tickets(&self, session: Option<&SessionKey>, limit: u32) -> Result<Vec<Ticket>> {
        self.inner.open_tickets(session, limit).await
    }
    async fn record_run(&self, run: &Run) -> Result<()> {
        self.inner.record_run(run).await
    }
    async fn runs(&self, wanted: &RunFind) -> Result<Vec<Run>> {
        self.inner.runs(wanted).await
    }
}
