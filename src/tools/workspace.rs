//! Which paths the file tools may touch: the workspace, and nothing that only looks like it.
//!
//! Paths are resolved against the file system one part at a time, following links as the kernel
//! would, so `..` and links cannot lead out unseen. Never opens a file. Start at [`resolve`].

use std::path::{Component, Path, PathBuf};

use crate::agent::tool::{BadArguments, Ownership, Place, Risk};
use crate::protocol::approval::Alike;

/// The folder inside a workspace that is ours: spilled output. Readable, not writable by tools.
pub const INTERNAL: &str = ".ml-intern";

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The real path: absolute, without links in it.
    pub path: PathBuf,
    /// How it stands to the workspace.
    pub relation: Relation,
}

/// How a path stands to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// In it (or the workspace itself).
    Inside,
    /// In our own folder within it.
    Internal,
    /// Outside.
    Outside,
    /// A window into the system (`/proc`, `/sys`, `/dev`), which tools never use.
    System,
}

/// Whether file tools may leave the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// No.
    Forbidden,
    /// Yes, if people agree.
    Asked,
}

impl Outside {
    /// As configured.
    #[must_use]
    pub fn configured(config: &crate::config::ToolsConfig) -> Self {
        if config.allow_outside_workspace { Self::Asked } else { Self::Forbidden }
    }
}

/// Finds out where `given` leads: relative paths start at the workspace.
///
/// # Errors
/// The path is empty or leads through something that is no folder; the text says so.
pub fn resolve(workspace: &Path, given: &str) -> Result<Target, BadArguments> {
    let bad = |why: &str| Err(BadArguments(format!("`{}`: {why}", given.escape_default())));
    if given.trim().is_empty() {
        return Err(BadArguments("the path is empty".to_owned()));
    }
    if given.contains('\0') {
        return bad("a path cannot contain a zero byte");
    }
    if given == "~" || given.starts_with("~/") {
        return bad("`~` is not expanded; write the path relative to the workspace");
    }
    let root = match workspace.canonicalize() {
        Ok(root) => root,
        Err(error) => return bad(&format!("the workspace cannot be used: {error}")),
    };
    let mut path = root.clone();
    let mut exists = true;
    for part in Path::new(given).components() {
        match part {
            Component::RootDir | Component::Prefix(_) => path = PathBuf::from("/"),
            Component::CurDir => {}
            Component::ParentDir if exists => {
                path.pop();
            }
            Component::ParentDir => return bad("`..` after a folder that does not exist"),
            Component::Normal(name) => {
                path.push(name);
                if exists && let Err(why) = follow(&mut path, &mut exists) {
                    return bad(&why);
                }
            }
        }
    }
    let relation = relate(&root, &path);
    Ok(Target { path, relation })
}

/// Replaces a link by where it leads, and notes when nothing is there.
fn follow(path: &mut PathBuf, exists: &mut bool) -> Result<(), String> {
    match std::fs::symlink_metadata(&*path) {
        Ok(about) if about.is_symlink() => {
            *path = path.canonicalize().map_err(|error| format!("a link that leads nowhere: {error}"))?;
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            *exists = false;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn relate(root: &Path, path: &Path) -> Relation {
    if let Ok(inner) = path.strip_prefix(root) {
        // Compared without case: some file systems do so too.
        let first = inner.components().next().map(|part| part.as_os_str().to_string_lossy().to_lowercase());
        return if first.as_deref() == Some(INTERNAL) { Relation::Internal } else { Relation::Inside };
    }
    if ["/proc", "/sys", "/dev"].iter().any(|system| path.starts_with(system)) {
        return Relation::System;
    }
    Relation::Outside
}

/// What a file tool wants of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To look.
    Look,
    /// To change.
    Change,
}

/// Whether people must be asked before this wish is granted.
#[must_use]
pub fn risk(place: &Place, target: &Target, wish: Wish, outside: Outside) -> Risk {
    let never = |reason: &str| Risk::Never { reason: reason.to_owned() };
    match (target.relation, wish, outside) {
        (Relation::System, ..) => never("the path is a window into the system, not a file"),
        (Relation::Outside, _, Outside::Forbidden) => never("the path is outside the workspace"),
        (Relation::Outside, Wish::Look, Outside::Asked) => {
            Risk::Ask { reason: "Reads outside the workspace.".to_owned() }
        }
        (Relation::Outside, Wish::Change, Outside::Asked) => {
            Risk::Ask { reason: "Changes a file outside the workspace.".to_owned() }
        }
        (Relation::Internal, Wish::Change, _) => never("that folder is kept by ml-intern itself"),
        (Relation::Inside, Wish::Change, _) if place.ownership == Ownership::Person => {
            Risk::Ask { reason: "Changes a file in your folder.".to_owned() }
        }
        _ => Risk::Free,
    }
}

/// What "approve for this session" allows: changes under the workspace, and nothing outside it.
#[must_use]
pub fn alike(place: &Place, target: &Target) -> Option<Alike> {
    (target.relation == Relation::Inside).then(|| {
        let folder = place.workspace.display();
        Alike { key: format!("files:{folder}"), words: format!("file changes under {folder}") }
    })
}

/// Refuses at the time of the call what [`risk`] would never allow: the folder may have changed
/// since people were asked.
///
/// # Errors
/// Says why not.
pub fn allow(place: &Place, target: &Target, wish: Wish, outside: Outside) -> Result<(), BadArguments> {
    match risk(place, target, wish, outside) {
        Risk::Never { reason } => Err(BadArguments(format!("`{}`: {reason}", target.path.display()))),
        Risk::Free | Risk::Ask { .. } | Risk::Always { .. } => Ok(()),
    }
}

/// A path as people and the model read it: relative to the workspace if it is inside.
#[must_use]
pub fn shown(workspace: &Path, path: &Path) -> String {
    let root = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    match path.strip_prefix(&root) {
        Ok(inner) if inner.as_os_str().is_empty() => ".".to_owned(),
        Ok(inner) => inner.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

#[cfg(test)]
pub mod fixture;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::fixture::Room;
    use super::*;

    #[test]
    fn plain_paths_lead_where_they_say() {
        let room = Room::new();
        fs::create_dir(room.path("a")).unwrap();
        let relation = |given: &str| resolve(room.root(), given).unwrap().relation;
        assert_eq!(resolve(room.root(), "a/./b/c.txt").unwrap().path, room.path("a/b/c.txt"));
        assert_eq!(relation("a/../x"), Relation::Inside);
        assert_eq!(relation(room.path("x").to_str().unwrap()), Relation::Inside);
        assert_eq!(relation("."), Relation::Inside);
        assert_eq!(relation(".ml-intern/output/x.txt"), Relation::Internal);
        assert_eq!(relation(".ML-Intern/x"), Relation::Internal);
    }

    #[test]
    fn tricks_lead_outside_and_are_seen_to() {
        let room = Room::new();
        let elsewhere = Room::new();
        fs::create_dir(room.path("a")).unwrap();
        symlink(elsewhere.root(), room.path("link")).unwrap();
        symlink(elsewhere.path("nothing"), room.path("dangling")).unwrap();
        symlink("..", room.path("up")).unwrap();
        symlink("loop", room.path("loop")).unwrap();
        let relation = |given: &str| resolve(room.root(), given).unwrap().relation;
        for given in ["../x", "a/../../x", "/etc/passwd", "link/x", "link", "up/x", "a/../link/y/z"] {
            assert_eq!(relation(given), Relation::Outside, "{given}");
        }
        // A link out and back by `..` counts from where the link leads, as for the kernel.
        assert_eq!(relation("link/../x"), Relation::Outside);
        for given in ["/proc/self/environ", "/proc/self/../../proc/1/mem", "/dev/null", "/sys/kernel"] {
            assert_eq!(relation(given), Relation::System, "{given}");
        }
        assert_eq!(relation("/proc/self/root/etc/passwd"), Relation::Outside);
        for given in ["", "  ", "a\0b", "~/x", "new/../x", "dangling", "dangling/x", "loop"] {
            assert!(resolve(room.root(), given).is_err(), "{given}");
        }
    }

    #[test]
    fn what_is_asked_depends_on_whose_folder_it_is() {
        let room = Room::new();
        let person = Place { ownership: Ownership::Person, ..room.place() };
        let inside = resolve(room.root(), "x").unwrap();
        let outside = resolve(room.root(), "/etc/x").unwrap();
        let own = resolve(room.root(), ".ml-intern/x").unwrap();
        let risk_of = |place: &Place, target: &Target, wish, outside| match risk(place, target, wish, outside)
        {
            Risk::Free => "free",
            Risk::Ask { .. } | Risk::Always { .. } => "ask",
            Risk::Never { .. } => "never",
        };
        let no = Outside::Forbidden;
        assert_eq!(risk_of(&room.place(), &inside, Wish::Change, no), "free");
        assert_eq!(risk_of(&person, &inside, Wish::Change, no), "ask");
        assert_eq!(risk_of(&person, &inside, Wish::Look, no), "free");
        assert_eq!(risk_of(&room.place(), &outside, Wish::Look, no), "never");
        assert_eq!(risk_of(&room.place(), &outside, Wish::Change, Outside::Asked), "ask");
        assert_eq!(risk_of(&room.place(), &own, Wish::Change, Outside::Asked), "never");
        assert_eq!(risk_of(&room.place(), &own, Wish::Look, no), "free");
        assert_eq!(alike(&room.place(), &outside), None);
        assert!(alike(&person, &inside).unwrap().words.starts_with("file changes under "));
    }
}
