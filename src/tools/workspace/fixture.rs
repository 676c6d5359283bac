//! A session's folder on disk for tests, and contexts for calls in it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::agent::tool::{CallContext, Ownership, Place, Progress};
use crate::protocol::{Actor, Door};

/// A workspace that goes away when it is dropped.
pub struct Room {
    folder: tempfile::TempDir,
    root: PathBuf,
    /// Fires to stop calls.
    pub cancel: CancellationToken,
    /// What calls said while they ran.
    pub lines: Arc<Lines>,
}

/// Progress lines in order.
#[derive(Default)]
pub struct Lines(pub Mutex<Vec<String>>);

impl Progress for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

impl Room {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        Self { folder, root, cancel: CancellationToken::new(), lines: Arc::default() }
    }

    pub fn root(&self) -> &Path {
        debug_assert!(self.folder.path().exists());
        &self.root
    }

    pub fn path(&self, inner: &str) -> PathBuf {
        self.root.join(inner)
    }

    pub fn place(&self) -> Place {
        Place {
            session: "s".into(),
            door: Door::Slack,
            channel: None,
            workspace: self.root.clone(),
            ownership: Ownership::Session,
        }
    }

    pub fn context(&self) -> CallContext {
        CallContext {
            call: "call_1".into(),
            turn: "t1".into(),
            place: self.place(),
            requester: Actor::new("U1", "Ann"),
            approved_by: Vec::new(),
            model: "anthropic/claude".to_owned(),
            progress: self.lines.clone(),
            cancel: self.cancel.clone(),
        }
    }
}
