//! Git's objects as the Hub needs them: trees and commits whose names are the hashes git would give.
//!
//! Owns [`Entry`], [`Commit`] and their hashes. Never knows who may do what. Start at [`Commit::new`].

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha1::Digest as _;

use crate::clock::Timestamp;

/// A file in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Git's hash of the blob; of a large file, of its pointer.
    pub oid: String,
    /// Bytes of the content.
    pub size: u64,
    /// SHA-256 of the content, if it is a large file.
    pub large: Option<String>,
}

impl Entry {
    /// A file that git itself keeps.
    pub fn regular(content: &[u8]) -> Self {
        Self { oid: blob_oid(content), size: content.len() as u64, large: None }
    }

    /// A file that git keeps a pointer of.
    pub fn large(sha256: &str, size: u64) -> Self {
        Self { oid: blob_oid(pointer(sha256, size).as_bytes()), size, large: Some(sha256.to_owned()) }
    }

    /// Bytes of the pointer.
    pub fn pointer_size(&self) -> usize {
        self.large.as_ref().map_or(0, |it| pointer(it, self.size).len())
    }
}

/// What git keeps in place of a large file.
pub fn pointer(sha256: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n")
}

/// Files by path.
pub type Files = Arc<BTreeMap<String, Entry>>;

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    pub id: String,
    pub parents: Vec<String>,
    pub files: Files,
    pub title: String,
    pub message: String,
    pub author: String,
    pub at: Timestamp,
}

impl Commit {
    pub fn new(
        parents: Vec<String>,
        files: BTreeMap<String, Entry>,
        words: (&str, &str),
        author: &str,
        at: Timestamp,
    ) -> Self {
        let (title, message) = words;
        let mut text = format!("tree {}\n", tree_oid(&files, ""));
        let seconds = at.seconds();
        for parent in &parents {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "parent {parent}");
        }
        let who = format!("{author} <{author}@users.noreply.huggingface.co> {seconds} +0000");
        let _ = write!(text, "author {who}\ncommitter {who}\n\n{title}\n");
        if !message.is_empty() {
            let _ = write!(text, "\n{message}\n");
        }
        Self {
            id: object_oid("commit", text.as_bytes()),
            parents,
            files: Arc::new(files),
            title: title.to_owned(),
            message: message.to_owned(),
            author: author.to_owned(),
            at,
        }
    }
}

fn object_oid(kind: &str, content: &[u8]) -> String {
    let mut hash = sha1::Sha1::new();
    hash.update(format!("{kind} {}\0", content.len()).as_bytes());
    hash.update(content);
    hex::encode(hash.finalize())
}

/// Git's hash of a blob.
pub fn blob_oid(content: &[u8]) -> String {
    object_oid("blob", content)
}

/// SHA-256 as text.
pub fn sha256(content: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(content))
}

/// Git's hash of the folder at `prefix` (empty, or ending in `/`).
pub fn tree_oid(files: &BTreeMap<String, Entry>, prefix: &str) -> String {
    // Git sorts folders as if their names ended in a slash.
    let mut items: BTreeMap<String, (bool, String)> = BTreeMap::new();
    for (path, entry) in files.range(prefix.to_owned()..) {
        let Some(rest) = path.strip_prefix(prefix) else { break };
        match rest.split_once('/') {
            None => {
                items.insert(rest.to_owned(), (false, entry.oid.clone()));
            }
            Some((folder, _)) => {
                let key = format!("{folder}/");
                items
                    .entry(key.clone())
                    .or_insert_with(|| (true, tree_oid(files, &format!("{prefix}{key}"))));
            }
        }
    }
    let mut content = Vec::new();
    for (name, (folder, oid)) in &items {
        let mode = if *folder { "40000" } else { "100644" };
        content.extend_from_slice(format!("{mode} {}\0", name.trim_end_matches('/')).as_bytes());
        content.extend(hex::decode(oid).unwrap_or_default());
    }
    object_oid("tree", &content)
}

/// Whether git and the Hub would take this as a path: relative, no tricks.
pub fn is_good_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 4096
        && !path.contains(['\0', '\\'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git") && part.len() <= 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_git() {
        // `printf 'hello\n' | git hash-object --stdin`, and `git write-tree` of a folder with it.
        assert_eq!(blob_oid(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(tree_oid(&BTreeMap::new(), ""), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        let files = BTreeMap::from([("a.txt".to_owned(), Entry::regular(b"hello\n"))]);
        assert_eq!(tree_oid(&files, ""), "2e81171448eb9f2ee3821e3d447aa6b2fe3ddba1");
    }

    #[test]
    fn paths_with_tricks_are_not_good() {
        for path in ["a.txt", "sub dir/b.bin", "data/train-00000-of-00001.parquet", ".gitattributes"] {
            assert!(is_good_path(path), "{path}");
        }
        for path in ["", "/a", "a//b", "../a", "a/../b", "./a", ".git/config", "a\\b", "a\nb", "a/"] {
            assert!(!is_good_path(path), "{path:?}");
        }
    }
}
