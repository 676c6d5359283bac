//! Every call beside the recording of the official client's: repositories, trees, refs, discussions, collections.

use ml_intern::clients::hub::{
    CollectionItem, Created, Depth, Gate, HubError, Missing, NewRepo, PullRequests, Repo, RepoKind, Span,
    Status, Topic, Visibility, Wanted,
};
use serde_json::Value;

use super::played::Played;

const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn repo(kind: RepoKind, id: &str) -> Repo {
    Repo::parse(kind, id).unwrap()
}

fn model() -> Repo {
    repo(RepoKind::Model, "alice/model1")
}

fn dataset() -> Repo {
    repo(RepoKind::Dataset, "alice/data1")
}

fn space() -> Repo {
    repo(RepoKind::Space, "alice/space1")
}

fn all(_: &Value) -> bool {
    true
}

/// Plays a recording against a call; gives what the call gave.
macro_rules! plays {
    ($name:literal, |$hub:ident| $call:expr) => {{
        let (played, $hub) = Played::of($name, all).await;
        let given = $call.await;
        played.end();
        given
    }};
}

#[tokio::test]
async fn accounts_and_repositories() {
    let account = plays!("whoami", |hub| hub.account()).unwrap();
    assert_eq!((account.namespaces(), account.role()), (vec!["alice", "acme"], Some("write")));
    plays!("auth_check", |hub| hub.may_read(&model())).unwrap();
    let info = plays!("repo_info_model", |hub| hub.info(&model(), None)).unwrap();
    assert_eq!((info.id.as_str(), info.sha.as_deref(), info.gated), ("alice/model1", Some(SHA), Gate::Open));
    assert_eq!((info.visibility(), info.siblings.len()), (Visibility::Public, 2));
    plays!("repo_info_dataset", |hub| hub.info(&dataset(), None)).unwrap();
    plays!("repo_info_space", |hub| hub.info(&space(), None)).unwrap();
    plays!("revision_exists", |hub| hub.info(&model(), Some("main"))).unwrap();
    let new = |repo: Repo, visibility| NewRepo { repo, visibility, sdk: None };
    let private = new(model(), Visibility::Private);
    assert_eq!(plays!("create_repo_model_private", |hub| hub.create(&private)), Ok(Created::New));
    let public = new(dataset(), Visibility::Public);
    assert_eq!(plays!("create_repo_dataset", |hub| hub.create(&public)), Ok(Created::New));
    plays!("delete_repo_model", |hub| hub.delete(&model())).unwrap();
    plays!("delete_repo_space", |hub| hub.delete(&space())).unwrap();
    let (from, to) = (repo(RepoKind::Dataset, "alice/a"), repo(RepoKind::Dataset, "alice/b"));
    plays!("move_repo", |hub| hub.rename(&from, &to)).unwrap();
    plays!("update_repo_settings_private", |hub| hub.set_visibility(&model(), Visibility::Private)).unwrap();
    plays!("update_repo_settings_visibility", |hub| hub.set_visibility(&model(), Visibility::Public))
        .unwrap();
    plays!("update_repo_settings_gated", |hub| hub.set(&dataset(), None, Some(Gate::Manual))).unwrap();
}

#[tokio::test]
async fn trees_files_refs_and_commits() {
    let at = |repo: &Repo| repo.clone();
    let (model, dataset) = (at(&model()), at(&dataset()));
    let tree = plays!("list_repo_files", |hub| hub.tree((&model, "main"), None, Depth::All, 100)).unwrap();
    assert!(!tree.more && tree.items.iter().any(|entry| entry.lfs.is_some()), "{tree:?}");
    let pr = "refs/pr/3";
    plays!("list_repo_files_dataset_rev", |hub| hub.tree((&dataset, pr), None, Depth::All, 100)).unwrap();
    let under = Some("sub dir");
    plays!("list_repo_tree_subdir", |hub| hub.tree((&model, "main"), under, Depth::One, 100)).unwrap();
    let found = plays!("paths_info", |hub| hub.paths(&model, "main", &["model.safetensors"])).unwrap();
    assert_eq!(found[0].lfs.as_ref().unwrap().oid, "c".repeat(64));
    let refs = plays!("list_repo_refs", |hub| hub.refs(&model, PullRequests::LeftOut)).unwrap();
    assert_eq!((refs.branches[0].name.as_str(), refs.branches[0].target_commit.as_str()), ("main", SHA));
    plays!("list_repo_refs_prs", |hub| hub.refs(&dataset, PullRequests::Listed)).unwrap();
    let commits = plays!("list_repo_commits", |hub| hub.commits(&model, "main", 10)).unwrap();
    assert_eq!((commits.items[0].title.as_str(), commits.items[0].authors[0].user.as_str()), ("c", "alice"));
    assert!(plays!("file_exists", |hub| hub.has_file((&model, "main"), "README.md")).unwrap());
    let span = Span { from: 0, at_most: 1_000 };
    for (name, repo, revision, path) in [
        ("hf_hub_download_model", &model, "main", "README.md"),
        ("hf_hub_download_dataset_rev", &dataset, "refs/pr/1", "data/train file.csv"),
        ("hf_hub_download_space", &space(), "main", "app.py"),
    ] {
        let (played, hub) = Played::of(name, all).await;
        let facts = hub.file_facts((repo, revision), path).await.unwrap();
        assert_eq!((facts.etag.as_deref(), facts.commit.as_deref()), (Some(SHA), Some(SHA)));
        let piece = hub.read_file((repo, revision), path, span).await.unwrap();
        assert_eq!((piece.bytes.len() as u64, piece.more), (piece.total.unwrap(), false));
        played.end();
    }
}

#[tokio::test]
async fn branches_and_tags() {
    let (model, dataset) = (model(), dataset());
    let made = plays!("create_branch", |hub| hub.create_branch(&model, "dev", Some("main")));
    assert_eq!(made, Ok(Created::New));
    plays!("create_branch_slash", |hub| hub.create_branch(&model, "feat/x", None)).unwrap();
    plays!("delete_branch", |hub| hub.delete_branch(&model, "dev")).unwrap();
    plays!("create_tag", |hub| hub.create_tag((&model, "main"), "v1.0", Some("msg"))).unwrap();
    plays!("create_tag_dataset", |hub| hub.create_tag((&dataset, "main"), "v1", None)).unwrap();
    plays!("delete_tag", |hub| hub.delete_tag(&model, "v1.0")).unwrap();
}

#[tokio::test]
async fn discussions_and_pull_requests() {
    let (model, dataset) = (model(), dataset());
    let begun = plays!("create_pull_request", |hub| hub.begin(&model, Topic::PullRequest, "My PR", "desc"));
    assert_eq!(begun, Ok(7));
    plays!("create_discussion", |hub| hub.begin(&dataset, Topic::Discussion, "Q", "?")).unwrap();
    let (listed, all) =
        plays!("get_repo_discussions", |hub| hub.discussions(&model, Wanted::default(), 20)).unwrap();
    assert_eq!((listed[0].num, listed[0].is_pull_request, all), (7, true, 1));
    let wanted = Wanted { kind: Some("pull_request"), status: Some("open"), author: Some("bob") };
    plays!("get_repo_discussions_filtered", |hub| hub.discussions(&model, wanted, 20)).unwrap();
    let details = plays!("get_discussion_details", |hub| hub.discussion(&model, 7)).unwrap();
    assert_eq!((details.status.as_str(), details.events[0].comment()), ("draft", Some("hi")));
    plays!("merge_pull_request", |hub| hub.merge(&model, 7, Some("lgtm"))).unwrap();
    plays!("change_discussion_status", |hub| hub.set_status(&model, 7, Status::Closed, Some("bye"))).unwrap();
    plays!("comment_discussion", |hub| hub.comment(&model, 7, "hello")).unwrap();
}

#[tokio::test]
async fn collections() {
    let slug = "alice/c-64f9a55bb3115b4f513ec026";
    let (title, private) = ("ML Intern run", Visibility::Private);
    let made =
        plays!("create_collection", |hub| hub.create_collection("alice", title, "d", private)).unwrap();
    assert_eq!(made.slug, slug);
    let item = CollectionItem { id: "alice/model1".to_owned(), kind: "model".to_owned() };
    plays!("add_collection_item", |hub| hub.add_to_collection(slug, &item, Some("n"))).unwrap();
    plays!("get_collection", |hub| hub.collection(slug)).unwrap();
    let found = plays!("list_collections", |hub| hub.collections_with("models/alice/x", 3)).unwrap();
    assert_eq!((found.items.len(), found.more), (1, false));
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let model = model();
    let missing = |error| match error {
        HubError::NotFound { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(missing(plays!("err_404_repo", |hub| hub.info(&model, None)).unwrap_err()), Missing::Repo);
    assert_eq!(missing(plays!("err_404_rev", |hub| hub.info(&model, None)).unwrap_err()), Missing::Revision);
    let (played, hub) = Played::of("err_403_gated", all).await;
    let link = format!("{}/alice/model1", played.url);
    let gated = HubError::Gated { repo: "alice/model1".to_owned(), link };
    assert_eq!(hub.info(&model, None).await.unwrap_err(), gated);
    played.end();
    let (played, hub) = Played::of("err_402_credits", all).await;
    let error = hub.info(&model, None).await.unwrap_err();
    let billing = format!("{}/settings/billing", played.url);
    assert!(matches!(&error, HubError::Payment { link, .. } if *link == billing), "{error}");
    assert!(error.to_string().contains("Pre-paid credits are required"), "{error}");
    played.end();
    let error = plays!("err_401", |hub| hub.info(&model, None)).unwrap_err();
    assert!(
        matches!(&error, HubError::Unauthorized { message } if message.contains("Invalid cred")),
        "{error}"
    );
    let error = plays!("err_429", |hub| hub.info(&model, None)).unwrap_err();
    assert!(matches!(error, HubError::Limited { after: Some(after) } if after.as_secs() == 1));
    let error = plays!("err_503", |hub| hub.info(&model, None)).unwrap_err();
    assert!(matches!(error, HubError::Refused { status: 503, .. }) && error.may_pass());
}
