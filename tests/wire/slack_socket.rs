//! Socket Mode against a strict workspace: acknowledgements, refreshes, storms, silence, panics, the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ml_intern::clients::slack::{Ack, Envelope, EnvelopeHandler, SlackApi, SocketMode, SocketTimes};
use ml_intern::clock::Clock;
use ml_intern::config::SlackConfig;
use ml_intern::playground::{Fault, Options, Redelivery, Workspace};
use ml_intern::random::Random;
use ml_intern::secret::Secret;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(15);

/// Keeps what came; panics, refuses or dawdles where the text says so.
#[derive(Default)]
struct Keeper {
    texts: Mutex<Vec<String>>,
    panicked: AtomicUsize,
    begun: AtomicUsize,
}

#[async_trait]
impl EnvelopeHandler for Keeper {
    async fn handle(&self, envelope: Envelope) -> Ack {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let text = envelope.payload["event"]["text"].as_str().unwrap_or_default().to_owned();
        if text.contains("panic") && self.panicked.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("on purpose");
        }
        if text.contains("refuse") && envelope.retry_attempt == 0 {
            return Ack::Withhold;
        }
        if text.contains("slow") {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        self.texts.lock().unwrap().push(text);
        Ack::Plain
    }
}

struct Line {
    slack: Workspace,
    keeper: Arc<Keeper>,
    mode: SocketMode,
    cancel: CancellationToken,
    running: JoinHandle<Result<(), ml_intern::clients::slack::SlackError>>,
}

impl Line {
    async fn open(connections: u8) -> Self {
        ml_intern::clients::http::install_tls();
        let options = Options {
            redelivery: Redelivery::UntilAcked,
            ack_within: Duration::from_millis(1_200),
            ..Options::new(Clock::system())
        };
        let slack = Workspace::start(options).await.unwrap();
        let config = SlackConfig {
            api_url: slack.api_url(),
            bot_token: Some(Secret::new(slack.bot_token())),
            app_token: Some(Secret::new(slack.app_token())),
            ..SlackConfig::default()
        };
        let api = Arc::new(SlackApi::new(&config).unwrap());
        let times = SocketTimes {
            handshake: Duration::from_secs(1),
            ping: Duration::from_millis(150),
            silence: Duration::from_millis(900),
            first_wait: Duration::from_millis(100),
            ..SocketTimes::default()
        };
        let keeper = Arc::new(Keeper::default());
        let handler: Arc<dyn EnvelopeHandler> = keeper.clone();
        let mode = SocketMode::new(api, handler, connections, times, Random::seeded(5));
        let cancel = CancellationToken::new();
        let running = tokio::spawn({
            let (mode, cancel) = (mode.clone(), cancel.clone());
            async move { mode.run(cancel).await }
        });
        let line = Self { slack, keeper, mode, cancel, running };
        line.connected(usize::from(connections)).await;
        line
    }

    async fn connected(&self, count: usize) {
        assert!(self.slack.connected(count, PATIENCE).await, "{} connections", self.slack.connections());
    }

    async fn say(&self, text: &str) {
        let alice = self.slack.person("alice");
        alice.mentions("ml-experiments", text).await.unwrap();
    }

    /// Waits until each text came; gives how often (`app_mention` and `message` are two events).
    async fn came(&self, text: &str) -> usize {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let count = self.keeper.texts.lock().unwrap().iter().filter(|it| it.contains(text)).count();
            if count >= 2 {
                return count;
            }
            assert!(tokio::time::Instant::now() < deadline, "“{text}” came {count} times");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn opens(&self) -> usize {
        self.slack.calls().iter().filter(|call| call.method == "apps.connections.open").count()
    }

    async fn end(self) {
        self.cancel.cancel();
        self.running.await.unwrap().unwrap();
        assert!(!self.mode.is_connected());
    }
}

#[tokio::test]
async fn a_slow_envelope_holds_up_no_other_and_each_is_acknowledged_after_its_handler() {
    let line = Line::open(1).await;
    line.say("slow one").await;
    line.say("quick one").await;
    line.came("quick one").await;
    assert!(!line.keeper.texts.lock().unwrap().iter().any(|it| it.contains("slow one")));
    line.came("slow one").await;
    line.end().await;
}

#[tokio::test]
async fn what_was_not_taken_comes_again_and_a_panic_costs_nothing_else() {
    let line = Line::open(1).await;
    line.say("refuse me once").await;
    line.say("panic please").await;
    line.say("after all that").await;
    line.came("after all that").await;
    line.came("refuse me once").await;
    line.came("panic please").await;
    assert_eq!(line.slack.connections(), 1);
    assert_eq!(line.opens(), 1, "the connection survived");
    line.end().await;
}

#[tokio::test]
async fn a_refresh_opens_the_successor_before_the_old_one_goes() {
    for reason in ["warning", "refresh_requested"] {
        let line = Line::open(2).await;
        line.slack.fault(Fault::Disconnect { reason: reason.into() }).await;
        for n in 0..10 {
            line.say(&format!("message {n}.")).await;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        for n in 0..10 {
            line.came(&format!("message {n}.")).await;
        }
        line.connected(2).await;
        assert!(line.opens() <= 6, "{reason}: {} opens", line.opens());
        line.end().await;
    }
}

#[tokio::test]
async fn a_cut_line_comes_back_and_nothing_is_lost() {
    let line = Line::open(1).await;
    line.slack.fault(Fault::DropSocket).await;
    line.say("said into the void").await;
    line.came("said into the void").await;
    line.end().await;
}

#[tokio::test]
async fn a_storm_of_disconnects_is_met_with_patience() {
    let line = Line::open(1).await;
    for _ in 0..15 {
        line.slack.fault(Fault::Disconnect { reason: "too_many_websockets".into() }).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(line.opens() < 12, "{} opens in 1.5 s", line.opens());
    line.connected(1).await;
    line.say("still here").await;
    line.came("still here").await;
    line.end().await;
}

#[tokio::test]
async fn a_connection_without_a_hello_is_given_up_and_tried_again() {
    let line = Line::open(1).await;
    line.slack.fault(Fault::MuteSocket).await;
    line.slack.fault(Fault::DropSocket).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while line.opens() < 3 {
        assert!(tokio::time::Instant::now() < deadline, "{} opens", line.opens());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!line.mode.is_connected());
    line.slack.clear_faults();
    line.say("can you hear me").await;
    line.came("can you hear me").await;
    line.end().await;
}

/// Says hello to everybody and then neither reads nor writes; counts how often somebody came.
async fn a_dead_line() -> (String, Arc<AtomicUsize>) {
    let sockets = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", sockets.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    tokio::spawn({
        let came = came.clone();
        async move {
            let mut kept = Vec::new();
            loop {
                let (stream, _) = sockets.accept().await.unwrap();
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                let hello = serde_json::json!({ "type": "hello" }).to_string();
                futures::SinkExt::send(&mut socket, tokio_tungstenite::tungstenite::Message::text(hello))
                    .await
                    .unwrap();
                came.fetch_add(1, Ordering::SeqCst);
                kept.push(socket);
            }
        }
    });
    let api = axum::Router::new().fallback(move || {
        let url = url.clone();
        async move { axum::Json(serde_json::json!({ "ok": true, "url": url })) }
    });
    let web = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api", web.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(web, api).await });
    (base, came)
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced() {
    ml_intern::clients::http::install_tls();
    let (base, came) = a_dead_line().await;
    let config = SlackConfig {
        api_url: base,
        bot_token: Some(Secret::new("xoxb-1")),
        app_token: Some(Secret::new("xapp-1")),
        ..SlackConfig::default()
    };
    let api = Arc::new(SlackApi::new(&config).unwrap());
    let times = SocketTimes {
        ping: Duration::from_millis(100),
        silence: Duration::from_millis(500),
        first_wait: Duration::from_millis(100),
        ..SocketTimes::default()
    };
    let mode = SocketMode::new(api, Arc::new(Keeper::default()), 1, times, Random::seeded(5));
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { mode.run(cancel).await }
    });
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while came.load(Ordering::SeqCst) < 2 {
        assert!(tokio::time::Instant::now() < deadline, "silence was never noticed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    cancel.cancel();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_revoked_token_ends_it_for_good() {
    let line = Line::open(1).await;
    let fault = |error: &str, times| Fault::Error {
        method: "apps.connections.open".into(),
        error: error.into(),
        times,
    };
    line.slack.fault(fault("internal_error", 1)).await;
    line.slack.fault(fault("token_revoked", 99)).await;
    line.slack.fault(Fault::DropSocket).await;
    let end = tokio::time::timeout(PATIENCE, line.running).await.unwrap().unwrap();
    assert!(end.unwrap_err().token_is_dead());
}

#[tokio::test]
async fn at_the_end_handlers_in_flight_are_acknowledged() {
    let line = Line::open(1).await;
    line.say("slow and last").await;
    while line.keeper.begun.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let keeper = line.keeper.clone();
    let slack_calls = line.slack.ack_times().len();
    line.cancel.cancel();
    line.running.await.unwrap().unwrap();
    assert_eq!(keeper.texts.lock().unwrap().len(), 2);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(line.slack.ack_times().len(), slack_calls + 2);
}
