//! Sandboxes that were made by a call: ended when people ask for it, and settled when they are gone.
//!
//! A sandbox lives by itself and is deleted when nobody uses it; what is done here is the rest. Start at [`look`].

use std::time::Duration;

use super::follow::Shared;
use super::source::Sources;
use crate::protocol::{Amount, Operation, OperationId, OperationKind, SandboxWork, TicketWant};
use crate::store::{Result, Watch, WatchSave};

/// Between two looks at a sandbox; a wish of people's comes sooner.
const LOOK: Duration = Duration::from_secs(60);
/// Seconds in an hour.
const HOUR: u128 = 3_600;

/// Looks at one sandbox, and ends or settles it if that is due.
///
/// # Errors
/// When the store fails, or another process has the ticket by now.
pub(super) async fn look(
    shared: &Shared,
    sources: &dyn Sources,
    watch: Watch,
    work: &SandboxWork,
) -> Result<()> {
    let stop = watch.requests.iter().find(|request| request.want == TicketWant::Stop);
    let ended = match stop {
        Some(_) => sources.end_sandbox(&work.space).await,
        None => sources.sandbox_is_gone(&work.space).await,
    };
    let now = shared.clock.now();
    if !ended {
        // A stop that could not be done is tried again at the next look.
        let answered: Vec<String> = match stop {
            Some(_) => Vec::new(),
            None => watch.requests.iter().map(|request| request.id.clone()).collect(),
        };
        let save = WatchSave { memo: &watch.memo, answered: &answered, due: Some(now.plus(LOOK)) };
        return shared.store.save_watch(&watch, save).await;
    }
    let ticket = &watch.ticket;
    let seconds = u128::from(now.since(ticket.opened_at).as_secs());
    let cost = work.price.and_then(|price| u64::try_from((u128::from(price) * seconds).div_ceil(HOUR)).ok());
    let why =
        stop.map_or_else(|| "was deleted".to_owned(), |request| format!("was stopped by {}", request.name));
    let spent = cost.map_or_else(|| "an unknown sum".to_owned(), |cost| Amount(cost).to_string());
    let operation = Operation {
        id: OperationId(format!("settle:{}", ticket.id)),
        session: ticket.session.clone(),
        origin: ticket.origin.clone(),
        actor: ticket.requester.clone(),
        at: now,
        kind: OperationKind::Settle {
            ticket: ticket.id.clone(),
            output: format!(
                "The sandbox {} {why}, and its files with it. It cost {spent} at most.",
                work.space
            ),
            success: true,
            cost,
        },
    };
    // A session that was deleted is not brought back by its sandbox.
    if shared.store.exists(&ticket.session).await? {
        shared.intake.submit(operation).await?;
    }
    shared.store.close_watch(&watch).await
}
