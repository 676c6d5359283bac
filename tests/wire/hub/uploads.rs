//! Commits and uploads beside the recordings: small files, LFS in one piece and in parts, deletions, pull requests.

use std::sync::{Arc, Mutex};

use ml_intern::clients::hub::{Change, Content, HubError, Into, NewCommit, Repo, RepoKind, Unwatched, Watch};
use serde_json::Value;

use super::played::Played;

fn all(_: &Value) -> bool {
    true
}

fn commit(kind: RepoKind, id: &str, summary: &str, changes: Vec<Change>) -> NewCommit {
    NewCommit {
        repo: Repo::parse(kind, id).unwrap(),
        revision: "main".to_owned(),
        into: Into::Revision,
        summary: summary.to_owned(),
        description: String::new(),
        parent: None,
        changes,
    }
}

fn put(path: &str, content: impl std::convert::Into<bytes::Bytes>) -> Change {
    Change::Put { path: path.to_owned(), content: Content::Bytes(content.into()) }
}

fn weights() -> Vec<u8> {
    [0, 1, 2, 3].repeat(50_000)
}

async fn plays(name: &str, new: &NewCommit) {
    let (played, hub) = Played::of(name, all).await;
    let made = hub.commit(new, &Unwatched).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    played.end();
    assert_eq!((made.oid.as_str(), made.changed), ("b".repeat(40).as_str(), true), "{name}");
}

#[tokio::test]
async fn small_files_go_in_the_commit_itself() {
    let model = |summary, changes| commit(RepoKind::Model, "alice/model1", summary, changes);
    let small = vec![put("notes/small.txt", "hello world\n")];
    plays("upload_file_small", &model("add small", small)).await;
    plays("create_commit_empty_file", &model("e", vec![put("empty.txt", "")])).await;
    let onto_pr = NewCommit {
        revision: "refs/pr/7".to_owned(),
        parent: Some("a".repeat(40)),
        ..model("Upload a.txt with huggingface_hub", vec![put("a.txt", "x")])
    };
    plays("upload_file_revision", &onto_pr).await;
    let old = Change::DeleteFile { path: "old.txt".to_owned() };
    plays("delete_file", &model("Delete old.txt with huggingface_hub", vec![old])).await;
    let sub = Change::DeleteFolder { path: "sub".to_owned() };
    plays("delete_folder", &model("Delete folder sub with huggingface_hub", vec![sub])).await;
}

#[tokio::test]
async fn a_pull_request_is_made_with_its_commit() {
    let new = NewCommit {
        into: Into::PullRequest,
        description: "d".to_owned(),
        ..commit(RepoKind::Dataset, "alice/data1", "m", vec![put("a.txt", "x")])
    };
    let (played, hub) = Played::of("upload_file_bytes_dataset_pr", all).await;
    let made = hub.commit(&new, &Unwatched).await.unwrap();
    assert_eq!(made.pull_request_num(), Some(7), "{made:?}");
    played.end();
}

/// Remembers what it was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(String, u64, u64)>>>);

impl Watch for Told {
    fn sent(&self, path: &str, done: u64, total: u64) {
        self.0.lock().unwrap().push((path.to_owned(), done, total));
    }
}

#[tokio::test]
async fn large_files_go_by_lfs_from_disk_in_one_piece_or_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.bin");
    std::fs::write(&file, weights()).unwrap();
    for (name, path) in
        [("upload_file_lfs_basic", "weights.bin"), ("upload_file_lfs_multipart", "weights2.bin")]
    {
        let from_disk = Change::Put { path: path.to_owned(), content: Content::File(file.clone()) };
        let summary = format!("Upload {path} with huggingface_hub");
        let new = commit(RepoKind::Model, "alice/model1", &summary, vec![from_disk]);
        let (played, hub) = Played::of(name, all).await;
        let told = Told::default();
        assert!(hub.commit(&new, &told).await.unwrap().changed);
        played.end();
        assert_eq!(told.0.lock().unwrap().last(), Some(&(path.to_owned(), 200_000, 200_000)));
    }
}

#[tokio::test]
async fn one_commit_adds_and_deletes() {
    let new = NewCommit {
        description: "desc".to_owned(),
        ..commit(
            RepoKind::Model,
            "alice/model1",
            "mix",
            vec![
                put("a.txt", "aaa"),
                put("b.bin", weights()),
                Change::DeleteFile { path: "old.txt".to_owned() },
                Change::DeleteFolder { path: "olddir/".to_owned() },
            ],
        )
    };
    plays("create_commit_mixed", &new).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_before_anything_is_sent() {
    let gone = Content::File("/nowhere/at/all.bin".into());
    let change = Change::Put { path: "x.bin".to_owned(), content: gone };
    let new = commit(RepoKind::Model, "alice/model1", "x", vec![change]);
    let (_played, hub) = Played::of("upload_file_small", all).await;
    let error = hub.commit(&new, &Unwatched).await.unwrap_err();
    assert!(matches!(&error, HubError::Local(why) if why.contains("/nowhere/at/all.bin")), "{error}");
}
