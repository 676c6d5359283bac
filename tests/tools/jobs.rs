//! `hf_jobs` as the agent and its people meet it, against the small Hub.

use std::sync::Arc;

use async_trait::async_trait;
use ml_intern::agent::tool::{
    Assessment, CallContext, ExamineContext, Examined, Ownership, Place, Progress, Risk, Tool, ToolError,
};
use ml_intern::clients::dataset_viewer::DatasetViewer;
use ml_intern::clients::docs::Docs;
use ml_intern::clients::hub::{Hub, Patience};
use ml_intern::clients::papers::{Manners, Papers};
use ml_intern::clock::Clock;
use ml_intern::config::{HubAccount, HubConfig, ServicesConfig};
use ml_intern::playground::hub::jobs::JobPlan;
use ml_intern::playground::hub::{Gate, HubFault, HubOptions, Kind, RepoSeed, SmallHub, Trouble};
use ml_intern::protocol::{Actor, Cost, Door, JobWork, PersonId, Purpose, ToolOutcome, Waits, Work};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use ml_intern::tools::hub::jobs::HfJobs;
use ml_intern::tools::hub::runs::NoRuns;
use ml_intern::tools::hub::{Accounts, HubAccess, HubKit, Unreadable};
use serde_json::{Value, json};

struct Nobody;

impl Progress for Nobody {
    fn line(&self, _: &str) {}
}

#[async_trait]
impl Accounts for Nobody {
    async fn token(&self, _: &PersonId) -> Result<Option<Secret>, Unreadable> {
        Ok(None)
    }
}

/// A tool at a small Hub, in a workspace of its own.
struct Bench {
    hub: SmallHub,
    tool: HfJobs,
    folder: tempfile::TempDir,
    call: std::cell::Cell<u32>,
}

const SCRIPT: &str = "import os\nprint('token', bool(os.environ.get('HF_TOKEN')))\n";

impl Bench {
    async fn open() -> Self {
        Self::of("alice").await
    }

    async fn of(person: &str) -> Self {
        ml_intern::clients::http::install_tls();
        let hub = SmallHub::start(HubOptions::new(Clock::system())).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let services = ServicesConfig { hf_endpoint: hub.url().to_owned(), ..ServicesConfig::default() };
        let client = Hub::new(hub.url(), None).unwrap().with_patience(Patience::none());
        let token = Some(Secret::new(&hub.token(person))).filter(|token| !token.is_empty());
        let kit = HubKit {
            access: HubAccess::new(client, token, Arc::new(Nobody), HubAccount::PersonOrBot),
            docs: Docs::new(&services).unwrap(),
            papers: Papers::new(&services, Manners::default(), &Clock::system(), &Random::seeded(1)).unwrap(),
            viewer: DatasetViewer::new(
                &services.dataset_viewer_url,
                DatasetViewer::usual_patience(),
                &Clock::system(),
                &Random::seeded(1),
            )
            .unwrap(),
            services,
            config: HubConfig::default(),
            sandboxes: None,
            runs: Arc::new(NoRuns),
            confirm_cpu_jobs: true,
            output_cap: 2_000,
            cache: folder.path().join("cache"),
            secrets: Vec::new(),
            clock: Clock::system(),
            random: Random::seeded(1),
        };
        Self { hub, tool: HfJobs::new(kit), folder, call: std::cell::Cell::new(0) }
    }

    fn place(&self) -> Place {
        let workspace = self.folder.path().join("work");
        std::fs::create_dir_all(&workspace).unwrap();
        Place {
            session: "slack/T1/C1/1.0".into(),
            door: Door::Slack,
            channel: Some("C1".to_owned()),
            workspace: workspace.canonicalize().unwrap(),
            ownership: Ownership::Session,
        }
    }

    fn assess(&self, value: &Value) -> Result<Assessment, String> {
        self.tool.assess(value, &self.place()).map_err(|error| error.0)
    }

    async fn examine(&self, value: &Value, tried: &[&str]) -> Examined {
        let context = ExamineContext {
            place: self.place(),
            requester: Actor::new("U1", "Ann"),
            earlier: Vec::new(),
            written: Vec::new(),
            tried: tried.iter().map(|command| json!({ "command": command })).collect(),
        };
        self.tool.examine(value, &context).await
    }

    async fn call(&self, value: Value) -> Result<ToolOutcome, ToolError> {
        self.call.set(self.call.get() + 1);
        self.call_as(&format!("call_{}", self.call.get()), value).await
    }

    async fn call_as(&self, call: &str, value: Value) -> Result<ToolOutcome, ToolError> {
        let context = CallContext {
            call: call.into(),
            turn: "t1".into(),
            place: self.place(),
            requester: Actor::new("U1", "Ann"),
            approved_by: vec!["Bob".to_owned()],
            model: "m".to_owned(),
            progress: Arc::new(Nobody),
            cancel: tokio_util::sync::CancellationToken::new(),
        };
        self.tool.call(value, context).await
    }

    /// Calls it; the text of a call that did not succeed.
    async fn fails(&self, value: Value) -> String {
        let outcome = self.call(value).await.unwrap();
        assert!(!outcome.success && outcome.tickets.is_empty(), "{}", outcome.output);
        outcome.output
    }

    /// The texts of facts and warnings, with the Hub's address taken out.
    fn shown(&self, found: &Examined) -> String {
        let facts = found.facts.iter().map(|(label, value)| format!("{label}: {value}\n"));
        let warnings = found.warnings.iter().map(|warning| format!("! {warning}\n"));
        facts.chain(warnings).collect::<String>().replace(self.hub.url(), "hub:")
    }
}

fn run(script: &str) -> Value {
    json!({ "operation": "run", "script": script, "note": "Say hello" })
}

fn work(outcome: &ToolOutcome) -> JobWork {
    let [ticket] = outcome.tickets.as_slice() else { panic!("no ticket: {}", outcome.output) };
    assert_eq!(ticket.waits, Waits::ForEnd);
    let Work::Job(work) = &ticket.work else { panic!("no job") };
    assert_eq!(ticket.id.as_str(), format!("job:{}/{}", work.namespace, work.job_id));
    work.clone()
}

#[tokio::test]
async fn a_job_begins_once_and_is_a_ticket_from_then_on() {
    let bench = Bench::open().await;
    bench.hub.jobs().every(JobPlan::log(["step 1"]));
    let value = json!({ "operation": "run", "script": SCRIPT, "hardware_flavor": "t4-small", "timeout": "2h", "note": "Say hello" });
    let outcome = bench.call_as("c1", value.clone()).await.unwrap();
    let begun = work(&outcome);
    assert_eq!(
        (begun.namespace.as_str(), begun.flavour.as_str(), begun.timeout_s),
        ("alice", "t4-small", 7_200)
    );
    assert!(begun.price.is_some_and(|price| price > 0) && begun.purpose == Purpose::Other);
    assert!(
        outcome.output.contains(&begun.url) && begun.url.ends_with(&format!("/jobs/alice/{}", begun.job_id))
    );
    let job = bench.hub.jobs().job(&begun.job_id).unwrap();
    assert_eq!(job.spec.secrets["HF_TOKEN"], bench.hub.token("alice"));
    assert_eq!(job.spec.labels["name"], "say-hello");
    assert_eq!(job.spec.labels, begun.labels);
    assert_eq!(job.spec.docker_image.as_deref(), Some("ghcr.io/astral-sh/uv:python3.12-bookworm"));
    assert!(!job.spec.command.join(" ").contains(&bench.hub.token("alice")));
    // The same call again, after a crash: it takes the job that it has.
    let again = work(&bench.call_as("c1", value.clone()).await.unwrap());
    assert_eq!((again.job_id, bench.hub.jobs().all().len()), (begun.job_id, 1));
    // Another call is another job.
    bench.call_as("c2", value).await.unwrap();
    assert_eq!(bench.hub.jobs().all().len(), 2);
}

#[tokio::test]
async fn a_dashboard_is_set_up_first_and_keeps_no_job_from_running() {
    let bench = Bench::open().await;
    bench.hub.jobs().every(JobPlan::log(["step 1"]));
    let mut value = run(SCRIPT);
    value["trackio_space_id"] = json!("alice/board");
    let outcome = bench.call(value.clone()).await.unwrap();
    assert!(outcome.output.contains("\nDashboard: http"), "{}", outcome.output);
    let begun = work(&outcome);
    assert!(begun.dashboard.is_some_and(|url| url.ends_with("/spaces/alice/board")));
    value["trackio_space_id"] = json!("carol/board");
    let outcome = bench.call(value).await.unwrap();
    assert!(outcome.output.contains("carol/board is not set up whole"), "{}", outcome.output);
    assert_eq!(work(&outcome).namespace, "alice");
}

#[tokio::test]
async fn an_answer_that_was_lost_does_not_begin_it_twice() {
    let bench = Bench::open().await;
    bench.hub.jobs().every(JobPlan::log(["step 1"]));
    bench.hub.fault(HubFault::new("/api/jobs/alice", Trouble::Cut { after: 0 }).method("POST"));
    let begun = work(&bench.call(run(SCRIPT)).await.unwrap());
    assert_eq!(bench.hub.jobs().all().len(), 1);
    assert_eq!(bench.hub.jobs().all()[0].id, begun.job_id);
    bench.hub.fault(HubFault::new("/api/jobs/alice", Trouble::Status(500)).method("POST"));
    let words = bench.fails(run(SCRIPT)).await;
    assert!(words.contains("no clear answer") && words.contains("Look with `ps`"), "{words}");
    assert_eq!(bench.hub.jobs().all().len(), 1);
}

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let bench = Bench::open().await;
    bench.hub.jobs().set_credits("alice", 0);
    let words = bench.fails(run(SCRIPT)).await;
    assert!(words.starts_with("billing_required") && words.contains("/settings/billing"), "{words}");
    for (value, expected) in [
        (json!({ "operation": "run", "script": SCRIPT, "namespace": "other" }), "it may use `alice`, `acme`"),
        (json!({ "operation": "logs", "job_id": "0123456789abcdef01234567" }), "has no such job"),
        (json!({ "operation": "inspect", "job_id": "0123456789abcdef01234567" }), "has no such job"),
        (json!({ "operation": "cancel", "job_id": "0123456789abcdef01234567" }), "has no such job"),
        (
            json!({ "operation": "scheduled inspect", "scheduled_job_id": "0123456789abcdef01234567" }),
            "has no such job",
        ),
    ] {
        let words = bench.fails(value.clone()).await;
        assert!(words.contains(expected), "{value}: {words}");
    }
    bench.hub.fault(HubFault::new("/api/jobs/alice", Trouble::RateLimited { retry_after: 7 }));
    assert!(bench.fails(run(SCRIPT)).await.contains("wait 7 s"));
    bench.hub.fault(HubFault::new("/api/whoami-v2", Trouble::Status(503)));
    assert!(bench.fails(run(SCRIPT)).await.contains("could not be looked up"));
    assert_eq!(bench.hub.jobs().all().len(), 0, "nothing of all this began a job");
    let nobody = Bench::of("nobody").await;
    assert!(nobody.fails(run(SCRIPT)).await.contains("There is no Hugging Face token"));
}

#[tokio::test]
async fn hardware_that_is_not_there_is_named_with_what_there_is() {
    let bench = Bench::open().await;
    let value = json!({ "operation": "run", "script": SCRIPT, "hardware_flavor": "t4-smal" });
    bench.examine(&run(SCRIPT), &[]).await;
    let words = bench.assess(&value).unwrap_err();
    assert!(
        words.contains("there is no `t4-smal`. Did you mean t4-small") && words.contains("a100-large"),
        "{words}"
    );
}

#[tokio::test]
async fn people_read_what_would_run_and_what_is_wrong_with_it() {
    let bench = Bench::open().await;
    bench.hub.seed(RepoSeed::new(Kind::Dataset, "carol/secret-data").gated(Gate::Manual, &[]));
    let sha = bench.hub.seed(RepoSeed::new(Kind::Dataset, "alice/data"));
    let train = "from datasets import load_dataset\nfrom trl import SFTTrainer\nimport sklearn\n\
                 d = load_dataset('carol/secret-data')\nt = SFTTrainer(model='alice/nothing', train_dataset=d)\nt.train()\n";
    let value = json!({
        "operation": "run", "script": train, "dependencies": ["trl"], "hardware_flavor": "cpu-basic", "timeout": "20m",
        "namespace": "acme", "trackio_space_id": "alice/board",
    });
    let assessment = bench.assess(&value).unwrap();
    assert!(matches!(assessment.risk, Risk::Ask { .. }) && matches!(assessment.cost, Cost::AtMost(_)));
    let (settings, code) = assessment.preview.split_at(assessment.preview.len() - train.len());
    assert_eq!((code, assessment.language.as_str()), (train, "python"));
    assert_eq!(
        settings,
        "# uv run --with trl --with hf-transfer -\n# image ghcr.io/astral-sh/uv:python3.12-bookworm\n\
         # dependencies: trl, hf-transfer\n# env TRACKIO_SPACE_ID=alice/board\n"
    );
    assert_eq!(assessment.editable.as_deref(), Some("script"));
    assert_eq!(assessment.title, "Train alice/nothing on carol/secret-data (cpu-basic, 20 min at most)");
    let shown = bench.shown(&bench.examine(&value, &["ls"]).await);
    for line in [
        "Paid by: acme (by the account alice)\n",
        "Dependencies: trl, hf-transfer\n",
        "Starts from: alice/nothing\n",
        "Result goes to: nowhere but its log\n",
        "Secrets: HF_TOKEN",
        "Dashboard: hub:/spaces/alice/board\n",
        "! It trains but pushes nothing to the Hub",
        "! It imports `sklearn`",
        "! The time limit is 20 min",
        "carol/secret-data is gated",
        "! The model alice/nothing is not on the Hub",
        "! This script was never tried in this session (1 command ran here",
    ] {
        assert!(shown.contains(line), "{line}\n---\n{shown}");
    }
    // What is in order is not warned of.
    let good = "from datasets import load_dataset\nprint(load_dataset('alice/data'))\n";
    let value = json!({ "operation": "run", "script": good, "dependencies": ["datasets"] });
    let found = bench.examine(&value, &[&format!("python - <<'E'\n{good}E")]).await;
    assert_eq!(found.warnings, Vec::<String>::new());
    assert!(bench.shown(&found).contains(&format!("Dataset: alice/data @ {}\n", &sha[..12])));
}

#[tokio::test]
async fn a_changed_script_is_shown_against_the_last_one() {
    let bench = Bench::open().await;
    bench.hub.jobs().every(JobPlan::log(["x"]));
    std::fs::write(bench.place().workspace.join("t.py"), "print(1)\nprint(2)\n").unwrap();
    let value = json!({ "operation": "run", "script": "t.py" });
    assert_eq!(bench.examine(&value, &["python t.py"]).await.diff, None);
    bench.call(value.clone()).await.unwrap();
    assert_eq!(bench.examine(&value, &[]).await.diff, None, "nothing has changed");
    std::fs::write(bench.place().workspace.join("t.py"), "print(1)\nprint(3)\n").unwrap();
    let diff = bench.examine(&value, &[]).await.diff.unwrap();
    assert!(diff.contains("-print(2)") && diff.contains("+print(3)"), "{diff}");
    assert!(diff.starts_with("--- last run\n+++ this run\n"), "{diff}");
    std::fs::write(bench.place().workspace.join("t.py"), "import os\nprint(os.name)\n").unwrap();
    assert_eq!(bench.examine(&value, &[]).await.diff, None, "another script altogether");
}

#[tokio::test]
async fn jobs_are_looked_at_and_ended() {
    let bench = Bench::open().await;
    let long: Vec<String> = (0..500).map(|step| format!("step {step} loss 0.5")).collect();
    bench.hub.jobs().next(JobPlan::log(long));
    let done = work(&bench.call(run(SCRIPT)).await.unwrap()).job_id;
    let log = bench.call(json!({ "operation": "logs", "job_id": done })).await.unwrap().output;
    assert!(
        log.contains("step 0 loss") && log.contains("step 499 loss") && log.contains("`read` can page"),
        "{log}"
    );
    let inspected = bench.call(json!({ "operation": "inspect", "job_id": [done] })).await.unwrap().output;
    assert!(
        inspected.contains("\"hardware_flavor\": \"cpu-basic\"") && inspected.contains(&done),
        "{inspected}"
    );
    assert!(!inspected.contains(&bench.hub.token("alice")));
    bench.hub.jobs().next(JobPlan::log(["working"]).starts_after(std::time::Duration::from_secs(3_600)));
    let waiting = work(&bench.call(run(SCRIPT)).await.unwrap()).job_id;
    let running = bench.call(json!({ "operation": "ps" })).await.unwrap().output;
    assert!(running.contains(&waiting) && running.contains("say-hello"), "{running}");
    let all = bench.call(json!({ "operation": "ps", "all": true })).await.unwrap().output;
    assert!(all.contains(&waiting) && all.contains(&done), "{all}");
    assert!(matches!(bench.assess(&json!({ "operation": "ps" })).unwrap().risk, Risk::Free));
    let cancel = json!({ "operation": "cancel", "job_id": waiting });
    assert!(matches!(bench.assess(&cancel).unwrap().risk, Risk::Ask { .. }));
    let ended = bench.call(cancel).await.unwrap();
    assert!(ended.success && ended.output.contains("asked to end"), "{}", ended.output);
    assert!(bench.hub.jobs().job(&waiting).unwrap().stage.is_over());
}

#[tokio::test]
async fn a_schedule_always_asks_and_can_rest_and_go() {
    let bench = Bench::open().await;
    let value =
        json!({ "operation": "scheduled run", "script": SCRIPT, "schedule": "@daily", "note": "Nightly" });
    let assessment = bench.assess(&value).unwrap();
    assert!(matches!(assessment.risk, Risk::Always { .. }) && matches!(assessment.cost, Cost::Unknown(_)));
    assert!(assessment.title.ends_with(", @daily)"), "{}", assessment.title);
    let kept = bench.call(value).await.unwrap().output;
    let id = kept.split_whitespace().nth(2).unwrap().to_owned();
    for (operation, words) in [
        ("scheduled inspect", "\"suspend\": false"),
        ("scheduled suspend", "is suspended"),
        ("scheduled inspect", "\"suspend\": true"),
        ("scheduled resume", "is resumed"),
        ("scheduled ps", "@daily"),
        ("scheduled delete", "is deleted"),
    ] {
        let value = json!({ "operation": operation, "scheduled_job_id": id });
        let always = matches!(bench.assess(&value).unwrap().risk, Risk::Always { .. });
        assert_eq!(always, !matches!(operation, "scheduled inspect" | "scheduled ps"), "{operation}");
        let outcome = bench.call(value).await.unwrap();
        assert!(outcome.success && outcome.output.contains(words), "{operation}: {}", outcome.output);
    }
    assert!(
        bench.call(json!({ "operation": "scheduled ps" })).await.unwrap().output.starts_with("No scheduled")
    );
}

#[tokio::test]
async fn an_evaluation_is_a_job_that_knows_what_it_measures() {
    let bench = Bench::open().await;
    bench.hub.jobs().every(JobPlan::log(["{\"eval\": {\"accuracy\": 0.9, \"base_accuracy\": 0.5}}"]));
    let sha = bench.hub.seed(RepoSeed::new(Kind::Dataset, "alice/data"));
    let value = json!({
        "operation": "evaluate", "model": "alice/sft", "base_model": "alice/base", "dataset": "alice/data",
        "task": "text_classification", "hardware_flavor": "t4-small",
    });
    assert_eq!(bench.assess(&value).unwrap().operation.as_deref(), Some("evaluate"));
    let begun = work(&bench.call(value).await.unwrap());
    assert_eq!(begun.purpose, Purpose::Evaluate);
    assert_eq!(
        (begun.output.as_deref(), begun.base_model.as_deref(), begun.dataset_revision.as_deref()),
        (Some("alice/sft"), Some("alice/base"), Some(sha.as_str()))
    );
}
