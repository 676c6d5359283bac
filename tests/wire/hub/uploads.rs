//! Commits and uploads beside the recordings: small files, LFS in one piece and in parts, deletions, pull requests.

use std::sync::{Arc, Mutex};

use ml_intern::clients::hub::{
    Change, Content, Destination, HubError, NewCommit, Repo, RepoKind, Unwatched, Watch,
};
use serde_json::{Value, json};

use super::core::{Stage, answer, hub};
use super::played::Played;

fn all(_: &Value) -> bool {
    true
}

fn commit(kind: RepoKind, id: &str, summary: &str, changes: Vec<Change>) -> NewCommit {
    NewCommit {
        repo: Repo::parse(kind, id).unwrap(),
        revision: "main".to_owned(),
        into: Destination::Revision,
        summary: summary.to_owned(),
        description: String::new(),
        parent: None,
        changes,
    }
}

fn put(path: &str, content: impl Into<bytes::Bytes>) -> Change {
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
        into: Destination::PullRequest,
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

/// A Hub that wants `w.bin` by LFS, its bytes at this address.
async fn by_lfs(storage: &str) -> (Stage, String, NewCommit) {
    let mode = json!({ "files": [{ "path": "w.bin", "uploadMode": "lfs", "shouldIgnore": false }] });
    let (stage, url) = Stage::open([answer(200, &[], &mode)]).await;
    let oid = "6a4b4d3a06cf345d936f7798be1f932a74cc1fadce1968f357aca3a8f49f2f73";
    let actions = json!({ "upload": { "href": storage, "header": {} } });
    stage.add(answer(200, &[], &json!({ "objects": [{ "oid": oid, "actions": actions }] })));
    stage.add(answer(200, &[], &json!({ "commitOid": "c0ffee" })));
    let new = commit(RepoKind::Model, "alice/model1", "w", vec![put("w.bin", weights())]);
    (stage, url, new)
}

#[tokio::test]
async fn storage_that_fails_in_passing_is_tried_again_and_never_sees_the_token() {
    let (storage, address) =
        Stage::open([answer(503, &[], &json!("busy")), answer(200, &[("etag", "\"e\"")], &json!(""))]).await;
    let (stage, url, new) = by_lfs(&format!("{address}/put?sig=1")).await;
    assert_eq!(hub(&url).commit(&new, &Unwatched).await.unwrap().oid, "c0ffee");
    assert_eq!(storage.lines(), ["PUT /put?sig=1", "PUT /put?sig=1"]);
    assert_eq!((storage.header(0, "authorization"), storage.header(1, "authorization")), (None, None));
    assert_eq!(stage.lines().last().unwrap(), "POST /api/models/alice/model1/commit/main");
}

#[tokio::test]
async fn storage_that_refuses_leaves_the_repository_as_it_was() {
    let (_storage, address) = Stage::open([answer(403, &[], &json!("expired"))]).await;
    let (stage, url, new) = by_lfs(&format!("{address}/put")).await;
    let error = hub(&url).commit(&new, &Unwatched).await.unwrap_err();
    assert!(error.to_string().contains("did not take w.bin"), "{error}");
    assert!(!stage.lines().iter().any(|line| line.contains("/commit/")), "{:?}", stage.lines());
}

#[tokio::test]
async fn a_dropped_upload_stops() {
    // Storage that takes a connection and never reads.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stage, url, new) = by_lfs(&format!("http://{}/put", silent.local_addr().unwrap())).await;
    let hub = hub(&url);
    let upload = hub.commit(&new, &Unwatched);
    let (mut taken, _) = tokio::select! {
        taken = silent.accept() => taken.unwrap(),
        outcome = upload => panic!("{outcome:?}"),
    };
    let mut buffer = vec![0; 64 * 1024];
    let ended = async {
        while tokio::io::AsyncReadExt::read(&mut taken, &mut buffer).await.is_ok_and(|read| read > 0) {}
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), ended).await.expect("the connection ends");
    assert!(!stage.lines().iter().any(|line| line.contains("/commit/")), "{:?}", stage.lines());
}
