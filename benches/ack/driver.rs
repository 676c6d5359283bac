//! Signed Events API deliveries as Slack makes them, as many as a server takes, or so many a second.
//!
//! Everything is written and signed before the clock runs, and connections are kept alive, so that
//! the driver costs as little as it can of the processor that it shares with the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ml_intern::clients::slack::sign;
use ml_intern::clock::Clock;
use ml_intern::playground::Workspace;
use ml_intern::secret::Secret;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Threads of the direct message that the events go to, in turn.
const THREADS: usize = 200;
/// How long answers are waited for after the last event was due.
const GRACE: Duration = Duration::from_secs(3);

/// What a server is asked, one event each.
pub struct Deliveries {
    requests: Vec<Vec<u8>>,
    used: AtomicUsize,
}

/// What came of a load.
#[derive(Default)]
pub struct Outcome {
    /// Acknowledged with 200.
    pub acknowledged: usize,
    /// Answered otherwise, or not at all.
    pub refused: usize,
    /// From the first request to the last answer.
    pub spent: Duration,
    /// Of each acknowledgement.
    pub waits: Vec<Duration>,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.acknowledged as f64 / self.spent.as_secs_f64()
    }
}

/// When the next event is sent.
#[derive(Clone, Copy)]
pub enum Rhythm {
    /// When a connection has its answer, until this long is over.
    Closed { at_most: Duration },
    /// At its time, whatever the answers; waits count from the intended time.
    Open { per_second: usize },
}

/// One load.
#[derive(Clone, Copy)]
pub struct Load {
    /// Events, at most.
    pub count: usize,
    /// Connections, each with one request in flight.
    pub connections: usize,
    /// When.
    pub rhythm: Rhythm,
}

/// A load while it runs.
struct Running {
    first: usize,
    next: AtomicUsize,
    start: Instant,
    end: Instant,
    load: Load,
}

impl Deliveries {
    /// So many messages of a person to the bot, in threads of their direct message.
    pub async fn written(workspace: &Workspace, clock: &Clock, count: usize) -> Result<Arc<Self>> {
        let alice = workspace.person("alice");
        let (user, channel) = (alice.id(), alice.opens_im().await?);
        let bot = workspace.bot_user_id();
        let secret = Secret::new(workspace.signing_secret());
        let seconds = clock.now().seconds();
        let requests = (0..count).map(|number| {
            let thread = format!("{}.000100", seconds - 100_000 + (number % THREADS) as i64);
            let ts = format!("{}.{:06}", seconds - 50_000 + (number / 1_000_000) as i64, number % 1_000_000);
            let text = format!("and compare it with run {number}, please: the learning rate was three times as high");
            let body = json!({
                "token": "unused", "team_id": "T0PLAYGRND1", "context_team_id": "T0PLAYGRND1",
                "context_enterprise_id": null, "api_app_id": "A0PLAYGRND1",
                "event": {
                    "type": "message", "channel_type": "im", "channel": channel, "user": user, "text": text,
                    "ts": ts, "event_ts": ts, "thread_ts": thread, "team": "T0PLAYGRND1",
                    "client_msg_id": format!("6f8b4c1e-0000-4000-8000-{number:012}"),
                    "blocks": [{ "type": "rich_text", "block_id": "b1", "elements": [
                        { "type": "rich_text_section", "elements": [{ "type": "text", "text": text }] }] }],
                },
                "type": "event_callback", "event_id": format!("Ev{number:010}"), "event_time": seconds,
                "authorizations": [{ "enterprise_id": null, "team_id": "T0PLAYGRND1", "user_id": bot,
                    "is_bot": true, "is_enterprise_install": false }],
                "is_ext_shared_channel": false, "event_context": format!("4-{number:020}"),
            })
            .to_string();
            let signature = sign(&secret, seconds, body.as_bytes());
            format!(
                "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n\
                 Accept: */*\r\nContent-Type: application/json\r\nX-Slack-Request-Timestamp: {seconds}\r\n\
                 X-Slack-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        });
        Ok(Arc::new(Self { requests: requests.collect(), used: AtomicUsize::new(0) }))
    }

    /// Puts this load on a server, from one thread: the driver shares the processor with the server.
    pub async fn load(self: &Arc<Self>, port: u16, load: Load) -> Result<Outcome> {
        let this = Arc::clone(self);
        let driver = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(this.drive(port, load))
        });
        driver.await?
    }

    async fn drive(self: &Arc<Self>, port: u16, load: Load) -> Result<Outcome> {
        let start = Instant::now();
        let end = match load.rhythm {
            Rhythm::Closed { at_most } => start + at_most,
            // What a server that is too slow has not answered by then, it has not answered in time.
            Rhythm::Open { per_second } => start + in_time(load.count, per_second) + GRACE,
        };
        let first = self.used.fetch_add(load.count, Ordering::SeqCst);
        let running = Arc::new(Running { first, next: AtomicUsize::new(0), start, end, load });
        let tasks = (0..load.connections).map(|_| {
            let (this, running) = (Arc::clone(self), Arc::clone(&running));
            tokio::spawn(async move { this.one_connection(port, &running).await })
        });
        let mut all = Outcome::default();
        for task in futures::future::join_all(tasks).await {
            let one = task??;
            all.refused += one.refused;
            all.waits.extend(one.waits);
        }
        all.acknowledged = all.waits.len();
        all.spent = start.elapsed();
        if let Rhythm::Open { .. } = load.rhythm {
            all.refused = load.count - all.acknowledged;
        }
        Ok(all)
    }

    async fn one_connection(&self, port: u16, running: &Running) -> Result<Outcome> {
        let mut connection = Connection::open(port).await?;
        let mut outcome = Outcome::default();
        loop {
            let number = running.next.fetch_add(1, Ordering::SeqCst);
            if number >= running.load.count {
                break;
            }
            let request = self.requests.get(running.first + number).context("too few events were written")?;
            let mut intended = Instant::now();
            if let Rhythm::Open { per_second } = running.load.rhythm {
                intended = running.start + in_time(number, per_second);
                tokio::time::sleep_until(intended.into()).await;
            }
            if Instant::now() >= running.end {
                break;
            }
            let patience = (running.end + GRACE).into();
            match tokio::time::timeout_at(patience, connection.ask(request)).await {
                Ok(Ok(200)) => outcome.waits.push(intended.elapsed()),
                Ok(Ok(_)) => outcome.refused += 1,
                Ok(Err(_)) => {
                    outcome.refused += 1;
                    connection = Connection::open(port).await?;
                }
                Err(_) => break,
            }
        }
        Ok(outcome)
    }
}

fn in_time(number: usize, per_second: usize) -> Duration {
    Duration::from_secs_f64(number as f64 / per_second as f64)
}

/// One connection that is kept alive.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads its answer; gives the status.
    async fn ask(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                anyhow::bail!("the server closed the connection");
            }
            if is_whole(&self.read) {
                break;
            }
        }
        let status = self.read.get(9..12).and_then(|code| std::str::from_utf8(code).ok());
        status.and_then(|code| code.parse().ok()).context("no status")
    }
}

/// Whether an answer has arrived to its end.
fn is_whole(read: &[u8]) -> bool {
    let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let (head, body) = read.split_at(head + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body == b"0\r\n\r\n" || body.ends_with(b"\r\n0\r\n\r\n");
    }
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}
