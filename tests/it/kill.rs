//! The real process under SIGKILL: many threads at work, killed at random moments, started again,
//! until everything is answered. Prints what it counted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ml_intern::clock::Clock;
use ml_intern::playground::model::{Reply, Script, ScriptedModel};
use ml_intern::playground::{Options, Redelivery, Workspace};
use serde_json::{Value, json};

use super::world::{CHANNEL, is_final, shown};

const THREADS: usize = 30;
const KILLS: usize = 12;
const SEED: u64 = 20_261_123;

/// Decides from the transcript alone: a command that leaves a trace, another, then the answer.
fn reply(request: &Value, trace: &Path) -> Reply {
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let task =
        messages.iter().filter(|it| it["role"] == "user").find_map(|it| job(&it["content"].to_string()));
    let Some(job) = task else { return Reply::says("I know of no job.") };
    let done = messages.iter().filter(|it| it["role"] == "tool").count();
    let trace = trace.display();
    if done < 2 {
        let command = format!("echo {job}-{done} >> {trace}; sleep 0.0{}", done * 4 + 2);
        return Reply::calls([("bash", json!({ "command": command }))]);
    }
    Reply::says(format!("The answer of {job} is ready.")).in_pieces(4).slowly(Duration::from_millis(15))
}

fn job(text: &str) -> Option<String> {
    let at = text.find("job-")?;
    let digits: String = text[at + 4..].chars().take_while(char::is_ascii_digit).collect();
    Some(format!("job-{digits}"))
}

pub(super) struct Bot {
    pub(super) config: PathBuf,
    pub(super) child: Option<Child>,
}

impl Bot {
    pub(super) fn start(&mut self) {
        let child = Command::new(env!("CARGO_BIN_EXE_ml-intern"))
            .args(["serve", "--config"])
            .arg(&self.config)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.config.parent().unwrap())
            .current_dir(self.config.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(
                std::fs::File::options()
                    .append(true)
                    .create(true)
                    .open(self.config.with_extension("log"))
                    .unwrap(),
            )
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// SIGKILL: nothing gets to say goodbye.
    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_every_message_is_answered_once_and_no_call_runs_twice() {
    ml_intern::clients::http::install_tls();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.txt");
    let options = Options { redelivery: Redelivery::UntilAcked, ..Options::new(Clock::system()) };
    let slack = Workspace::start(options).await.unwrap();
    let seen = trace.clone();
    let script = Script::Answering(Box::new(move |request| reply(request, &seen)));
    let model = ScriptedModel::start(script).await.unwrap();
    let config = folder.path().join("kill.json");
    let settings = json!({
        "model_name": "vllm/scripted",
        "reasoning_effort": null,
        "yolo_mode": true,
        "models": { "vllm": { "base_url": model.url() } },
        "slack": {
            "api_url": slack.api_url(), "bot_token": slack.bot_token(), "app_token": slack.app_token(),
            "connections": 1
        },
        "server": { "bind": "127.0.0.1:0" },
        "store": { "data_dir": folder.path().join("data") },
    });
    std::fs::write(&config, settings.to_string()).unwrap();
    let mut bot = Bot { config, child: None };
    let mut dice = fastrand::Rng::with_seed(SEED);

    bot.start();
    let mut roots = BTreeMap::new();
    let mut kills = 0;
    for n in 0..THREADS {
        let text = format!("please do job-{n}");
        roots.insert(n, slack.person("alice").mentions(CHANNEL, &text).await.unwrap());
        tokio::time::sleep(Duration::from_millis(dice.u64(5..60))).await;
        if n % (THREADS / KILLS) == 1 && kills < KILLS {
            tokio::time::sleep(Duration::from_millis(dice.u64(50..900))).await;
            bot.kill();
            kills += 1;
            bot.start();
        }
    }
    let answers = |n: usize, root: &str| {
        let words = format!("The answer of job-{n} is ready.");
        let thread = slack.thread(CHANNEL, root);
        thread.iter().filter(|it| is_final(it) && shown(it).contains(&words)).count()
    };
    // Killed again and again while the backlog is worked on, then left alone to finish.
    while kills < KILLS {
        tokio::time::sleep(Duration::from_millis(dice.u64(300..2_000))).await;
        bot.kill();
        kills += 1;
        bot.start();
    }
    let deadline = Instant::now() + Duration::from_secs(150);
    while Instant::now() < deadline && roots.iter().any(|(n, root)| answers(*n, root) == 0) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;

    let unanswered: Vec<usize> =
        roots.iter().filter(|(n, root)| answers(**n, root) == 0).map(|(n, _)| *n).collect();
    let twice: Vec<usize> =
        roots.iter().filter(|(n, root)| answers(**n, root) > 1).map(|(n, _)| *n).collect();
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    for line in std::fs::read_to_string(&trace).unwrap_or_default().lines() {
        *runs.entry(line.to_owned()).or_default() += 1;
    }
    let repeated: Vec<&String> = runs.iter().filter(|(_, times)| **times > 1).map(|(call, _)| call).collect();
    let acked = slack.ack_times().iter().filter(|it| it.after.is_some()).count();
    println!(
        "kill test: {THREADS} threads, {kills} SIGKILLs, {acked} deliveries acknowledged, {} calls run; \
         messages without an answer {}, calls run twice {}, answers posted twice {}",
        runs.len(),
        unanswered.len(),
        repeated.len(),
        twice.len(),
    );
    let log = || {
        let log = std::fs::read_to_string(bot.config.with_extension("log")).unwrap_or_default();
        log.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    };
    let first = unanswered.iter().chain(&twice).next();
    let thread = first.map(|n| slack.transcript(CHANNEL, &roots[n])).unwrap_or_default();
    assert!(unanswered.is_empty(), "no answer: {unanswered:?}\n{thread}\n{}", log());
    assert!(twice.is_empty(), "answered twice: {twice:?}\n{thread}");
    assert!(repeated.is_empty(), "ran twice: {repeated:?}");
    assert_eq!(model.violations(), Vec::<String>::new());
}
