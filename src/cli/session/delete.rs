//! `session delete`: asks, then deletes the session and its folder. Owns the question.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::super::exit::Exit;
use super::super::render::clean;
use super::id;
use crate::app::{SessionFolders, retention};
use crate::protocol::SessionKey;
use crate::store::Store;
use crate::text::count;

/// How long the deletion may take before another process may hold the session.
const LEASE: Duration = Duration::from_secs(120);

/// Whether the person has said yes beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// They did (`--yes`).
    Given,
    /// They are to be asked.
    Ask,
}

/// Deletes the session, if the person means it and nobody works on it.
///
/// # Errors
/// The store failed, or the folder could not be removed; the session is still there then.
pub async fn run(store: &dyn Store, dir: &Path, key: &SessionKey, consent: Consent) -> anyhow::Result<Exit> {
    if consent == Consent::Ask && !means_it(store, key).await? {
        eprintln!("Nothing was deleted.");
        return Ok(Exit::Refused);
    }
    let Some(lease) = store.seize(key, LEASE).await? else {
        eprintln!(
            "ml-intern: {} is being worked on; stop it or wait until it rests, then try again",
            id(key)
        );
        return Ok(Exit::Failed);
    };
    let erased = retention::erase(store, &SessionFolders::of(dir), &lease).await;
    if erased.is_err() {
        store.release(&lease, None).await?;
    }
    erased?;
    eprintln!("Deleted {}.", id(key));
    Ok(Exit::Finished)
}

async fn means_it(store: &dyn Store, key: &SessionKey) -> anyhow::Result<bool> {
    let head = store.head(key).await?;
    let title = head.as_ref().and_then(|head| head.title.as_deref()).unwrap_or("no title");
    let turns = head.as_ref().map_or(0, |head| usize::try_from(head.turns).unwrap_or(usize::MAX));
    let question = format!(
        "Delete {} ({}, {}) and its work folder for good? [y/N] ",
        id(key),
        clean::line(title, 60),
        count(turns, "turn")
    );
    tokio::task::spawn_blocking(move || {
        eprint!("{question}");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        // The end of the input is no yes.
        std::io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    })
    .await?
}
