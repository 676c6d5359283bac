//! Our client against the small Hub, which shares no types with it: a repository's life from beginning to end.

use ml_intern::clients::hub::{
    Change, Content, Created, Depth, Destination, Gate, Hub, HubError, Missing, NewCommit, NewRepo, Patience,
    PullRequests, Repo, RepoKind, Span, Status, Topic, Unwatched, Visibility, Wanted,
};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::playground::hub::{HubOptions, Limits, SmallHub};
use ml_intern::secret::Secret;

const ALL: Span = Span { from: 0, at_most: 1_000_000 };

async fn standing() -> (SmallHub, Hub) {
    ml_intern::clients::http::install_tls();
    let limits = Limits { large_from: 2_000, part: 4_096, tree_page: 3, ..Limits::default() };
    let options = HubOptions { limits, ..HubOptions::new(Clock::manual(Timestamp(1_795_000_000_000))) };
    let small = SmallHub::start(options).await.unwrap();
    let alice = Secret::new(&HubOptions::token_of("alice"));
    let hub = Hub::new(small.url(), Some(alice)).unwrap().with_patience(Patience::none());
    (small, hub)
}

fn repo(kind: RepoKind, id: &str) -> Repo {
    Repo::parse(kind, id).unwrap()
}

fn put(path: &str, content: impl Into<bytes::Bytes>) -> Change {
    Change::Put { path: path.to_owned(), content: Content::Bytes(content.into()) }
}

fn commit(repo: &Repo, into: Destination, changes: Vec<Change>) -> NewCommit {
    NewCommit {
        repo: repo.clone(),
        revision: "main".to_owned(),
        into,
        summary: "one change".to_owned(),
        description: String::new(),
        parent: None,
        changes,
    }
}

async fn text(hub: &Hub, at: (&Repo, &str), path: &str) -> String {
    String::from_utf8(hub.read_file(at, path, ALL).await.unwrap().bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_repository_from_its_making_to_its_end() {
    let (_small, hub) = standing().await;
    let data = repo(RepoKind::Dataset, "alice/data1");
    let new = NewRepo { repo: data.clone(), visibility: Visibility::Private, sdk: None };
    assert_eq!(hub.account().await.unwrap().namespaces(), ["alice", "acme"]);
    assert_eq!(hub.create(&new).await, Ok(Created::New));
    assert_eq!(hub.create(&new).await, Ok(Created::Before));
    assert_eq!(hub.visibility(&data).await, Ok(Some(Visibility::Private)));

    // A small file, one that goes by LFS in one piece, and one in parts from disk.
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("weights.bin");
    let weights: Vec<u8> = (0..10_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(&disk, &weights).unwrap();
    let changes = vec![
        put("notes/a b.txt", "hello\n"),
        put("medium.bin", vec![7; 3_000]),
        Change::Put { path: "weights.bin".to_owned(), content: Content::File(disk) },
        put("old/x.txt", "x"),
        put("old/y.txt", "y"),
    ];
    let first = hub.commit(&commit(&data, Destination::Revision, changes.clone()), &Unwatched).await.unwrap();
    assert!(first.changed);
    let again = hub.commit(&commit(&data, Destination::Revision, changes), &Unwatched).await.unwrap();
    assert_eq!((again.changed, &again.oid), (false, &first.oid), "the same again is no commit");
    let at = (&data, "main");
    assert_eq!(text(&hub, at, "notes/a b.txt").await, "hello\n");
    assert_eq!(hub.read_file(at, "weights.bin", ALL).await.unwrap().bytes, weights, "fetched from elsewhere");
    let part = hub.read_file(at, "weights.bin", Span { from: 9_998, at_most: 10 }).await.unwrap();
    assert_eq!((&part.bytes[..], part.total), (&weights[9_998..], Some(10_000)));
    assert_eq!(hub.file_facts(at, "weights.bin").await.unwrap().size, Some(10_000));
    let tree = hub.tree(at, None, Depth::All, 100).await.unwrap();
    let large = tree.items.iter().filter(|entry| entry.lfs.is_some()).count();
    assert_eq!((large, tree.more), (2, false), "several pages: {tree:?}");

    let change = commit(
        &data,
        Destination::Revision,
        vec![
            Change::Copy { from: "weights.bin".to_owned(), to: "copy.bin".to_owned() },
            Change::Copy { from: "notes/a b.txt".to_owned(), to: "notes/c.txt".to_owned() },
            Change::DeleteFile { path: "medium.bin".to_owned() },
            Change::DeleteFolder { path: "old/".to_owned() },
        ],
    );
    let stale = NewCommit { parent: Some("a".repeat(40)), ..change.clone() };
    assert!(matches!(hub.commit(&stale, &Unwatched).await, Err(HubError::Conflict { .. })));
    hub.commit(&change, &Unwatched).await.unwrap();
    assert_eq!(hub.read_file(at, "copy.bin", ALL).await.unwrap().bytes, weights);
    assert_eq!(text(&hub, at, "notes/c.txt").await, "hello\n");
    for gone in ["medium.bin", "old/x.txt", "old/y.txt"] {
        assert_eq!(hub.has_file(at, gone).await, Ok(false), "{gone}");
    }
    assert_eq!(hub.commits(&data, "main", 50).await.unwrap().items[0].title, "one change");
    hub.delete(&data).await.unwrap();
    assert_eq!(hub.visibility(&data).await, Ok(None));
}

#[tokio::test]
async fn branches_tags_and_pull_requests_live() {
    let (_small, hub) = standing().await;
    let model = repo(RepoKind::Model, "acme/model1");
    hub.create(&NewRepo { repo: model.clone(), visibility: Visibility::Private, sdk: None }).await.unwrap();
    hub.commit(&commit(&model, Destination::Revision, vec![put("a.txt", "one\n")]), &Unwatched)
        .await
        .unwrap();
    assert_eq!(hub.create_branch(&model, "feat/x", None).await, Ok(Created::New));
    assert_eq!(hub.create_branch(&model, "feat/x", None).await, Ok(Created::Before));
    assert_eq!(hub.create_tag((&model, "main"), "v1", Some("first")).await, Ok(Created::New));
    let refs = hub.refs(&model, PullRequests::Listed).await.unwrap();
    assert!(refs.branches.iter().any(|known| known.name == "feat/x"), "{refs:?}");
    assert_eq!((refs.tags.len(), refs.tags[0].name.as_str()), (1, "v1"));
    hub.delete_branch(&model, "feat/x").await.unwrap();
    hub.delete_tag(&model, "v1").await.unwrap();

    let offered = commit(&model, Destination::PullRequest, vec![put("a.txt", "two\n")]);
    let made = hub.commit(&offered, &Unwatched).await.unwrap();
    let num = made.pull_request_num().unwrap();
    assert_eq!(text(&hub, (&model, "main"), "a.txt").await, "one\n", "offered, not made");
    let pr = format!("refs/pr/{num}");
    assert_eq!(text(&hub, (&model, &pr), "a.txt").await, "two\n");
    hub.comment(&model, num, "looks good").await.unwrap();
    hub.merge(&model, num, Some("thanks")).await.unwrap();
    assert_eq!(text(&hub, (&model, "main"), "a.txt").await, "two\n");
    let read = hub.discussion(&model, num).await.unwrap();
    assert_eq!((read.status.as_str(), read.is_pull_request), ("merged", true));
    assert!(read.events.iter().any(|event| event.comment() == Some("looks good")), "{read:?}");

    let draft = hub.begin(&model, Topic::PullRequest, "By hand", "in two steps").await.unwrap();
    assert_eq!(hub.discussion(&model, draft).await.unwrap().status, "draft");
    hub.set_status(&model, draft, Status::Closed, Some("not now")).await.unwrap();
    let wanted = Wanted { status: Some("closed"), ..Wanted::default() };
    let (listed, _) = hub.discussions(&model, wanted, 20).await.unwrap();
    assert!(listed.iter().any(|one| one.num == draft), "{listed:?}");
}

#[tokio::test]
async fn what_others_may_not_do_is_told_apart() {
    let (_small, hub) = standing().await;
    let model = repo(RepoKind::Model, "acme/model1");
    hub.create(&NewRepo { repo: model.clone(), visibility: Visibility::Public, sdk: None }).await.unwrap();
    hub.commit(&commit(&model, Destination::Revision, vec![put("a.txt", "one\n")]), &Unwatched)
        .await
        .unwrap();
    hub.set(&model, None, Some(Gate::Manual)).await.unwrap();
    let carol = hub.with_token(Some(Secret::new(&HubOptions::token_of("carol"))));
    assert!(matches!(carol.read_file((&model, "main"), "a.txt", ALL).await, Err(HubError::Gated { .. })));
    let change = commit(&model, Destination::Revision, vec![put("a.txt", "hers\n")]);
    assert!(matches!(carol.commit(&change, &Unwatched).await, Err(HubError::Forbidden { .. })));
    hub.set_visibility(&model, Visibility::Private).await.unwrap();
    let missing = |error| matches!(error, Err(HubError::NotFound { what: Missing::Repo, .. }));
    assert!(missing(carol.info(&model, None).await.map(drop)));
    let revision = hub.info(&model, Some("nowhere")).await.map(drop);
    assert!(matches!(revision, Err(HubError::NotFound { what: Missing::Revision, .. })), "{revision:?}");
    let entry = hub.read_file((&model, "main"), "none.txt", ALL).await.map(drop);
    assert!(matches!(entry, Err(HubError::NotFound { what: Missing::Entry, .. })), "{entry:?}");
    let wrong = hub.with_token(Some(Secret::new("hf_wrong")));
    assert!(matches!(wrong.whoami().await, Err(HubError::Unauthorized { .. })));
}
