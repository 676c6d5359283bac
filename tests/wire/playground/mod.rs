//! The playground is strict where Slack is strict: its own wire, seen from outside.

mod acts;
mod api;
mod delivery;
mod door;
mod model;
mod people;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::playground::{Options, Workspace};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const SOON: Duration = Duration::from_secs(5);

fn http() -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "a test is its own client")]
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

/// A workspace whose time stands still, and a client of its Web API.
struct Bench {
    slack: Workspace,
    clock: Clock,
    http: reqwest::Client,
}

impl Bench {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Clock::manual(Timestamp(1_790_000_000_000));
        let mut options = Options::new(clock.clone());
        change(&mut options);
        Self { slack: Workspace::start(options).await.unwrap(), clock, http: http() }
    }

    async fn call(&self, method: &str, args: Value) -> Value {
        let url = format!("{}/{method}", self.slack.api_url());
        let request = self.http.post(url).bearer_auth(self.slack.bot_token());
        let request =
            request.header("content-type", "application/json; charset=utf-8").body(args.to_string());
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn works(&self, method: &str, args: Value) -> Value {
        let answer = self.call(method, args).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer
    }

    async fn refused(&self, method: &str, args: Value) -> String {
        let answer = self.call(method, args).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    fn channel(&self) -> String {
        self.slack.channel_id("ml-experiments")
    }

    /// Posts as the bot; returns the ts.
    async fn post(&self, args: Value) -> String {
        let mut args = args;
        args["channel"] = self.channel().into();
        self.works("chat.postMessage", args).await["ts"].as_str().unwrap().to_owned()
    }

    async fn connect(&self) -> Socket {
        let url = format!("{}/apps.connections.open", self.slack.api_url());
        let answer = self.http.post(url).bearer_auth(self.slack.app_token()).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let (stream, _) = tokio_tungstenite::connect_async(answer["url"].as_str().unwrap()).await.unwrap();
        Socket(stream)
    }

    /// Connects and takes the hello.
    async fn listen(&self) -> Socket {
        let mut socket = self.connect().await;
        let hello = socket.next().await.unwrap();
        assert_eq!(hello["type"], "hello", "{hello}");
        let before = self.slack.connections();
        assert!(self.slack.connected(before.max(1), SOON).await);
        socket
    }
}

/// One Socket Mode connection.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next frame; `None` once closed or when nothing comes for five seconds.
    async fn next(&mut self) -> Option<Value> {
        self.within(SOON).await
    }

    async fn within(&mut self, wait: Duration) -> Option<Value> {
        let until = tokio::time::Instant::now() + wait;
        loop {
            match tokio::time::timeout_at(until, self.0.next()).await.ok()?? {
                Ok(Frame::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(Frame::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn ack(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut ack = json!({"envelope_id": envelope["envelope_id"]});
        if let Some(payload) = payload {
            ack["payload"] = payload;
        }
        self.0.send(Frame::Text(ack.to_string().into())).await.unwrap();
    }

    /// The next envelope, acknowledged.
    async fn take(&mut self) -> Value {
        let envelope = self.next().await.expect("an envelope");
        self.ack(&envelope, None).await;
        envelope
    }
}
