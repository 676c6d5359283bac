//! What is sent to the Hub, beside what huggingface_hub 2.4.0 was recorded to send for the same.

mod calls;
mod core;
mod played;
mod small;
mod uploads;

use std::time::Duration;

use ml_intern::clients::hub::{
    Change, Committed, Content, Created, Destination, Hub, HubError, NewCommit, NewRepo, Patience, Repo,
    RepoKind, Unwatched, Visibility,
};
use ml_intern::secret::Secret;
use serde_json::json;

use super::hub_fake::{FakeHub, Seen, TOKEN};

async fn hub() -> (FakeHub, Hub) {
    ml_intern::clients::http::install_tls();
    let fake = FakeHub::start().await;
    let hub = Hub::new(&format!("{}/", fake.url), Some(Secret::new(TOKEN))).unwrap();
    (fake, hub)
}

fn dataset() -> Repo {
    Repo::parse(RepoKind::Dataset, "alice/data1").unwrap()
}

async fn commit(hub: &Hub, path: &str, content: Vec<u8>) -> Result<Committed, HubError> {
    let change = Change::Put { path: path.to_owned(), content: Content::Bytes(content.into()) };
    let new = NewCommit {
        repo: dataset(),
        revision: "main".to_owned(),
        into: Destination::Revision,
        summary: "add small".to_owned(),
        description: String::new(),
        parent: None,
        changes: vec![change],
    };
    hub.commit(&new, &Unwatched).await
}

fn seen(line: &str, body: serde_json::Value) -> Seen {
    Seen { line: line.to_owned(), body }
}

#[tokio::test]
async fn requests_are_those_of_the_official_client() {
    let (fake, hub) = hub().await;
    let private = NewRepo { repo: dataset(), visibility: Visibility::Private, sdk: None };
    assert_eq!(hub.whoami().await.unwrap(), "alice");
    assert_eq!(hub.visibility(&dataset()).await.unwrap(), None);
    assert_eq!(hub.create(&private).await.unwrap(), Created::New);
    assert_eq!(hub.create(&private).await.unwrap(), Created::Before);
    assert_eq!(hub.visibility(&dataset()).await.unwrap(), Some(Visibility::Private));
    hub.set_visibility(&dataset(), Visibility::Public).await.unwrap();
    assert_eq!(hub.visibility(&dataset()).await.unwrap(), Some(Visibility::Public));
    commit(&hub, "notes/small.txt", b"hello world\n".to_vec()).await.unwrap();
    assert!(hub.has_file((&dataset(), "main"), "notes/small.txt").await.unwrap());
    assert!(!hub.has_file((&dataset(), "main"), "README.md").await.unwrap());
    let create =
        json!({ "name": "data1", "organization": "alice", "visibility": "private", "type": "dataset" });
    let info = seen("GET /api/datasets/alice/data1", json!(null));
    assert_eq!(
        fake.look(|shelf| shelf.seen.clone()),
        [
            seen("GET /api/whoami-v2", json!(null)),
            info.clone(),
            seen("POST /api/repos/create", create.clone()),
            seen("POST /api/repos/create", create),
            info.clone(),
            seen("PUT /api/datasets/alice/data1/settings", json!({ "visibility": "public" })),
            info,
            seen(
                "POST /api/datasets/alice/data1/preupload/main",
                json!({ "files": [{ "path": "notes/small.txt", "sample": "aGVsbG8gd29ybGQK", "size": 12 }] })
            ),
            seen(
                "POST /api/datasets/alice/data1/commit/main",
                json!([
                    { "key": "header", "value": { "summary": "add small", "description": "" } },
                    { "key": "file", "value": { "content": "aGVsbG8gd29ybGQK", "path": "notes/small.txt", "encoding": "base64" } },
                ])
            ),
            seen("HEAD /datasets/alice/data1/resolve/main/notes/small.txt", json!(null)),
            seen("HEAD /datasets/alice/data1/resolve/main/README.md", json!(null)),
        ]
    );
    assert_eq!(fake.look(|shelf| shelf.wrong.clone()), Vec::<String>::new());
    assert_eq!(
        fake.look(|shelf| shelf.datasets["alice/data1"].files["notes/small.txt"].clone()),
        "hello world\n"
    );
}

#[tokio::test]
async fn refusals_are_told_apart_by_whether_they_pass() {
    let (fake, hub) = hub().await;
    let hub = hub.with_patience(Patience::none());
    for (status, passes) in [(401, false), (403, false), (429, true), (500, true), (503, true)] {
        fake.look(|shelf| shelf.refusals.push_back(Some(status)));
        let error = hub.whoami().await.unwrap_err();
        assert_eq!(error.may_pass(), passes, "{error}");
        match error {
            HubError::Limited { after } => assert_eq!(after, Some(Duration::from_secs(1))),
            HubError::Refused { message, .. }
            | HubError::Unauthorized { message }
            | HubError::Forbidden { message } => assert_eq!(message, "as the test wants it"),
            other => panic!("{other}"),
        }
    }
    let nowhere =
        Hub::new("http://127.0.0.1:9", Some(Secret::new(TOKEN))).unwrap().with_patience(Patience::none());
    let error = nowhere.whoami().await.unwrap_err();
    assert!(error.may_pass() && !error.to_string().contains(TOKEN), "{error}");
}

#[tokio::test]
async fn the_token_goes_to_its_own_host_only() {
    let (elsewhere, _) = hub().await;
    let target = elsewhere.url.replace("127.0.0.1", "localhost");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move || {
        let target = format!("{target}/api/whoami-v2");
        async move { axum::response::Redirect::temporary(&target) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let hub = Hub::new(&url, Some(Secret::new(TOKEN))).unwrap();
    let error = hub.whoami().await.unwrap_err();
    assert!(!error.to_string().contains(TOKEN), "{error}");
    assert_eq!(elsewhere.look(|shelf| shelf.seen.len()), 0, "another host hears nothing at all");
}
