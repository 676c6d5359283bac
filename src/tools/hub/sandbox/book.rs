//! Which session has which sandbox, on disk: found again after a restart, whatever moment the process died at.
//!
//! A sandbox is written down before it is made and struck out after it is deleted, so that none is ever forgotten:
//!
//! ```text
//!            intent                    answers                       asked for, idle, lost
//!   nothing --------> Making ---------------------------> Ready ---------------------------+
//!      ^                |                                                                   |
//!      |                | failed, cancelled, found after a crash                            v
//!      +----------------+-----------------------------------------------------------> Leaving
//!                                         deleted
//! ```
//!
//! One that the Hub says has failed is Broken instead of Ready, and leaves when people agree, or idle.
//!
//! One file each, readable by us alone: it holds the sandbox's key. Functions here block.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::protocol::{Actor, PersonId, SessionKey};
use crate::secret::Secret;

/// How far a sandbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is being made, or whoever made it died.
    Making,
    /// It answers.
    Ready,
    /// It ran once, and has failed since: it is replaced when people agree to that.
    Broken,
    /// It is being deleted, or must be.
    Leaving,
}

/// A sandbox, as it is written down.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The Space, `owner/name`.
    pub space: String,
    /// The session that it belongs to.
    pub session: SessionKey,
    /// Its hardware.
    pub hardware: String,
    /// How far it is.
    pub phase: Phase,
    /// Whose account it was made with: their id.
    pub by: PersonId,
    /// Their name.
    pub by_name: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// When it was last used, give or take a minute.
    pub used_at: Timestamp,
    pub(super) key: String,
    /// By which the token of the Hub that it holds is told from others.
    #[serde(default)]
    pub(super) token: Option<String>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("space", &self.space)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

impl Record {
    /// A sandbox that is about to be made.
    #[must_use]
    pub fn intent(
        space: String,
        hardware: String,
        owner: (&SessionKey, &Actor),
        key: &Secret,
        at: Timestamp,
    ) -> Self {
        let (session, by) = owner;
        Self {
            space,
            session: session.clone(),
            hardware,
            phase: Phase::Making,
            by: by.id.clone(),
            by_name: by.name.clone(),
            made_at: at,
            used_at: at,
            key: key.reveal().to_owned(),
            token: None,
        }
    }

    /// The same, with this token of the Hub in it.
    #[must_use]
    pub(super) fn holding(self, token: &Secret) -> Self {
        Self { token: Some(digest(token)), ..self }
    }

    /// Whether it was made with this token of the Hub.
    pub(super) fn holds(&self, token: &Secret) -> bool {
        self.token.as_deref() == Some(digest(token).as_str())
    }

    /// What people call its owner.
    #[must_use]
    pub fn owner_name(&self) -> &str {
        if self.by_name.trim().is_empty() { &self.by.0 } else { &self.by_name }
    }

    /// Whose account it is.
    #[must_use]
    pub fn owner(&self) -> Actor {
        Actor::new(self.by.0.clone(), self.by_name.clone())
    }

    /// Its own key.
    #[must_use]
    pub fn key(&self) -> Secret {
        Secret::new(&self.key)
    }
}

/// The folder of records.
#[derive(Debug, Clone)]
pub struct Book(PathBuf);

impl Book {
    /// The records kept in this folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The session's sandbox, if it has one that is not leaving; the newest, if there are two.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub fn of(&self, session: &SessionKey) -> anyhow::Result<Option<Record>> {
        let found = self.read(|name| name.starts_with(&prefix(session)))?;
        let mut found = found.into_iter().collect::<anyhow::Result<Vec<Record>>>()?;
        found.retain(|record| record.phase != Phase::Leaving && record.session == *session);
        found.sort_by_key(|record| record.made_at);
        Ok(found.pop())
    }

    /// All of them, each with what keeps it from being read.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(&self) -> anyhow::Result<Vec<anyhow::Result<Record>>> {
        self.read(|_| true)
    }

    fn read(&self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Vec<anyhow::Result<Record>>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("cannot read {}", self.0.display()))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".json") || !wanted(&name) {
                continue;
            }
            let path = self.0.join(&name);
            match fs::read(&path) {
                // It was struck out meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    found.push(Err(error).with_context(|| format!("cannot read {}", path.display())))
                }
                Ok(bytes) => {
                    let record = serde_json::from_slice(&bytes);
                    found.push(
                        record.with_context(|| format!("{} is no record of a sandbox", path.display())),
                    );
                }
            }
        }
        Ok(found)
    }

    /// Writes a record down, in one step and for good.
    ///
    /// # Errors
    /// As the system says; what was there before is untouched then.
    pub fn put(&self, record: &Record) -> anyhow::Result<()> {
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true).mode(0o700).create(&self.0)?;
        let path = self.path(record);
        let draft = path.with_extension(format!("{:?}.tmp", std::thread::current().id()));
        let written = write(&draft, &serde_json::to_vec(record)?).and_then(|()| {
            fs::rename(&draft, &path)?;
            File::open(&self.0)?.sync_all()
        });
        if written.is_err() {
            fs::remove_file(&draft).ok();
        }
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Strikes a record out. That there is none is as good.
    ///
    /// # Errors
    /// As the system says.
    pub fn strike(&self, record: &Record) -> anyhow::Result<()> {
        let path = self.path(record);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, record: &Record) -> PathBuf {
        self.0.join(format!("{}{}.json", prefix(&record.session), record.space.replace('/', "-")))
    }
}

/// A key may hold anything; its hash is a safe name and always the same.
fn prefix(session: &SessionKey) -> String {
    format!("{}-", hex::encode(&Sha256::digest(session.as_str())[..12]))
}

/// A token cannot be told from this.
fn digest(token: &Secret) -> String {
    hex::encode(Sha256::digest(token.reveal()))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn record(space: &str, session: &str, at: i64) -> Record {
        let actor = Actor::new("U1", "Ann");
        let key = Secret::new("s3cret-key");
        Record::intent(
            space.to_owned(),
            "cpu-basic".to_owned(),
            (&session.into(), &actor),
            &key,
            Timestamp(at),
        )
    }

    #[test]
    fn a_record_is_found_again_by_its_session_and_holds_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::new(folder.path().join("sandboxes"));
        assert_eq!(book.of(&"s".into()).unwrap(), None, "no folder is no record");
        let one = record("ann/sandbox-1", "s", 1);
        book.put(&one).unwrap();
        book.put(&record("ann/sandbox-2", "other", 2)).unwrap();
        let found = Book::new(folder.path().join("sandboxes")).of(&"s".into()).unwrap().unwrap();
        assert_eq!(found, one);
        assert_eq!(found.key().reveal(), "s3cret-key");
        assert!(!format!("{found:?}").contains("s3cret"), "it is not shown");
        let file = fs::read_dir(folder.path().join("sandboxes")).unwrap().next().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn its_token_is_known_again_and_not_written_down() {
        let (one, other) = (Secret::new("hf_one"), Secret::new("hf_other"));
        let made = record("ann/sandbox-1", "s", 1);
        assert!(!made.holds(&one), "nobody knows");
        let made = made.holding(&one);
        let text = serde_json::to_string(&made).unwrap();
        assert!(!text.contains("hf_one"), "{text}");
        let read: Record = serde_json::from_str(&text).unwrap();
        assert!(read.holds(&one) && !read.holds(&other));
    }

    #[test]
    fn what_is_leaving_is_nobodys_and_is_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::new(folder.path().to_owned());
        let leaving = Record { phase: Phase::Leaving, ..record("ann/sandbox-1", "s", 5) };
        book.put(&leaving).unwrap();
        assert_eq!(book.of(&"s".into()).unwrap(), None);
        book.put(&record("ann/sandbox-2", "s", 1)).unwrap();
        assert_eq!(book.of(&"s".into()).unwrap().unwrap().space, "ann/sandbox-2");
        assert_eq!(book.all().unwrap().len(), 2);
        book.strike(&leaving).unwrap();
        book.strike(&leaving).unwrap();
        assert_eq!(book.all().unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_is_no_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book::new(folder.path().to_owned());
        fs::write(folder.path().join("x.json"), "{").unwrap();
        let error = book.all().unwrap().remove(0).unwrap_err();
        assert!(error.to_string().contains("x.json is no record"), "{error}");
    }
}
