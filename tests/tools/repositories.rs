//! The tools for repositories against the small Hub: what the model calls, people answer, and the Hub then holds.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ml_intern::agent::tool::{CallContext, ExamineContext, Ownership, Place, Progress, Tool};
use ml_intern::clients::dataset_viewer::DatasetViewer;
use ml_intern::clients::docs::Docs;
use ml_intern::clients::hub::Hub;
use ml_intern::clients::papers::{Manners, Papers};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::{HubAccount, HubConfig, ServicesConfig};
use ml_intern::playground::hub::{HubOptions, SmallHub};
use ml_intern::protocol::{Actor, Door, PersonId};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::tools::hub::{Accounts, HfRepoFiles, HfRepoGit, HubAccess, HubKit, Unreadable};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Carol has given her token; the others have not.
struct Carols;

#[async_trait]
impl Accounts for Carols {
    async fn token(&self, person: &PersonId) -> Result<Option<Secret>, Unreadable> {
        Ok((person.0 == "U_CAROL").then(|| Secret::new(&HubOptions::token_of("carol"))))
    }
}

struct Silent;

impl Progress for Silent {
    fn line(&self, _: &str) {}
}

fn kit(small: &SmallHub, folder: &Path) -> HubKit {
    let bot = Some(Secret::new(&HubOptions::token_of("alice")));
    let hub = Hub::new(small.url(), None).unwrap().keeping(folder.join("kept"));
    let services = ServicesConfig { hf_endpoint: small.url().to_owned(), ..ServicesConfig::default() };
    HubKit {
        access: HubAccess::new(hub, bot, Arc::new(Carols), HubAccount::PersonOrBot),
        docs: Docs::new(&services).unwrap(),
        papers: Papers::new(&services, Manners::default(), &Clock::system(), &Random::seeded(1)).unwrap(),
        viewer: DatasetViewer::new(
            &services.dataset_viewer_url,
            DatasetViewer::usual_patience(),
            &Clock::system(),
            &Random::seeded(1),
        )
        .unwrap(),
        sandboxes: None,
        services,
        runs: Arc::new(ml_intern::tools::hub::runs::NoRuns),
        config: HubConfig::default(),
        confirm_cpu_jobs: true,
        output_cap: 25_000,
        cache: folder.join("cache"),
        secrets: Vec::new(),
        clock: Clock::manual(Timestamp(0)),
        random: Random::seeded(1),
    }
}

fn place(folder: &Path) -> Place {
    let workspace = folder.to_owned();
    Place { session: "s".into(), door: Door::Slack, channel: None, workspace, ownership: Ownership::Session }
}

async fn call(tool: &dyn Tool, folder: &Path, person: &str, arguments: Value) -> (bool, String) {
    tool.assess(&arguments, &place(folder)).unwrap();
    let context = CallContext {
        call: "call_1".into(),
        turn: "t1".into(),
        place: place(folder),
        requester: Actor::new(person, "Somebody"),
        approved_by: Vec::new(),
        model: "anthropic/claude".to_owned(),
        progress: Arc::new(Silent),
        cancel: CancellationToken::new(),
    };
    let outcome = tool.call(arguments, context).await.unwrap();
    (outcome.success, outcome.output)
}

#[tokio::test]
async fn a_repository_is_made_filled_read_offered_to_and_emptied() {
    ml_intern::clients::http::install_tls();
    let small = SmallHub::start(HubOptions::new(Clock::manual(Timestamp(1_795_000_000_000)))).await.unwrap();
    let room = tempfile::tempdir().unwrap();
    let folder = room.path().canonicalize().unwrap();
    let kit = kit(&small, &folder);
    let (files, git) = (HfRepoFiles::new(&kit), HfRepoGit::new(&kit));
    let at = |operation: &str, more: Value| {
        let mut arguments = json!({ "operation": operation, "repo_id": "alice/tiny" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let (done, made) = call(&git, &folder, "U_BOB", at("create_repo", json!({}))).await;
    assert!(done && made.contains("Made private model alice/tiny"), "{made}");
    std::fs::write(folder.join("model.bin"), vec![9; 5_000]).unwrap();
    let local = at("upload", json!({ "path": "model.bin", "local_path": "model.bin" }));
    let (done, up) = call(&files, &folder, "U_BOB", local).await;
    assert!(done && up.contains("Uploaded model.bin (5.0 kB)"), "{up}");
    let readme = |text: &str| at("upload", json!({ "path": "README.md", "content": text }));
    assert!(call(&files, &folder, "U_BOB", readme("# Tiny\n")).await.0);
    let (done, again) = call(&files, &folder, "U_BOB", readme("# Tiny\n")).await;
    assert!(done && again.contains("nothing was committed"), "{again}");

    let offer = at("upload", json!({ "path": "README.md", "content": "# Tiny!\n", "create_pr": true }));
    let requester = Actor::new("U_BOB", "Bob");
    let asked = ExamineContext {
        place: place(&folder),
        requester,
        earlier: Vec::new(),
        written: Vec::new(),
        tried: Vec::new(),
    };
    let shown = files.examine(&offer, &asked).await;
    assert!(shown.diff.unwrap().contains("-# Tiny\n+# Tiny!"), "{:?}", shown.facts);
    let (done, offered) = call(&files, &folder, "U_BOB", offer).await;
    assert!(done && offered.contains("refs/pr/1") && offered.contains("not merged"), "{offered}");
    let (_, before) = call(&files, &folder, "U_BOB", at("read", json!({ "path": "README.md" }))).await;
    assert!(before.contains("# Tiny\n"), "{before}");
    let (done, merged) = call(&git, &folder, "U_BOB", at("merge_pr", json!({ "pr_num": 1 }))).await;
    assert!(done, "{merged}");
    let (_, after) = call(&files, &folder, "U_BOB", at("read", json!({ "path": "README.md" }))).await;
    assert!(after.contains("# Tiny!\n"), "kept answers do not hide the change: {after}");

    let (done, hers) = call(&files, &folder, "U_CAROL", at("list", json!({}))).await;
    assert!(!done && hers.contains("none that this account may see"), "her own account: {hers}");
    let (_, listed) = call(&files, &folder, "U_BOB", at("list", json!({}))).await;
    assert!(listed.contains("model.bin (5.0 kB") && listed.contains("README.md (8 B)"), "{listed}");
    let (done, gone) = call(&files, &folder, "U_BOB", at("delete", json!({ "patterns": "*.bin" }))).await;
    assert!(done && gone.contains("Deleted 1 file"), "{gone}");
    let (_, listed) = call(&files, &folder, "U_BOB", at("list", json!({}))).await;
    assert!(!listed.contains("model.bin"), "{listed}");
    let (done, refs) = call(&git, &folder, "U_BOB", at("list_refs", json!({}))).await;
    assert!(done && refs.contains("- main at "), "{refs}");
}
