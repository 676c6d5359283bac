//! One Socket Mode connection: frames in, envelopes to the handler, acknowledgements out.
//!
//! ```text
//! Opening --hello--> Ready --warning, refresh_requested--> Leaving --retire--> Draining --> Closed
//!    |  \-- no hello in time --> Closed      |                                     ^
//!    |                                       +-- silence, close, other reasons ----+
//! ```
//! An envelope is acknowledged only after its handler returned, and its handler runs beside others.

use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::socket::{Ack, Envelope, EnvelopeHandler, SocketTimes};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long the last frames and the other side's close may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Where a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Open, but Slack has not said hello.
    Opening,
    /// Envelopes may arrive.
    Ready,
    /// Slack will close it soon; envelopes may still arrive.
    Leaving,
    /// Gone; why.
    Closed(String),
}

/// A handle on a running connection. Dropping it retires the connection.
pub(super) struct Connection {
    standing: watch::Receiver<Standing>,
    retire: CancellationToken,
    done: tokio::task::JoinHandle<()>,
}

impl Connection {
    pub(super) fn start(
        stream: Stream,
        handler: Arc<dyn EnvelopeHandler>,
        times: SocketTimes,
        slots: Arc<Semaphore>,
    ) -> Self {
        let (tell, standing) = watch::channel(Standing::Opening);
        let retire = CancellationToken::new();
        let run = Run { handler, times, slots, tell, retire: retire.clone() };
        Self { standing, retire, done: tokio::spawn(run.until_closed(stream)) }
    }

    /// Waits until Slack said hello; the reason if it did not.
    pub(super) async fn ready(&mut self, within: Duration) -> Result<(), String> {
        let ready = self.standing.wait_for(|standing| *standing != Standing::Opening);
        match tokio::time::timeout(within, ready).await {
            Ok(Ok(standing)) => match &*standing {
                Standing::Closed(why) => Err(why.clone()),
                _ => Ok(()),
            },
            Ok(Err(_)) => Err("the connection ended".to_owned()),
            Err(_) => Err("Slack did not say hello in time".to_owned()),
        }
    }

    /// Waits until a successor is wanted: Slack announced the end (`None`), or it came (why).
    pub(super) async fn successor_wanted(&mut self) -> Option<String> {
        let end =
            self.standing.wait_for(|standing| matches!(standing, Standing::Leaving | Standing::Closed(_)));
        match end.await {
            Ok(standing) => match &*standing {
                Standing::Closed(why) => Some(why.clone()),
                _ => None,
            },
            Err(_) => Some("the connection ended".to_owned()),
        }
    }

    /// Takes no new envelopes, waits for handlers in flight, sends their acknowledgements, closes.
    pub(super) async fn drain(mut self) {
        self.retire.cancel();
        let done = &mut self.done;
        done.await.ok();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.retire.cancel();
    }
}

struct Run {
    handler: Arc<dyn EnvelopeHandler>,
    times: SocketTimes,
    slots: Arc<Semaphore>,
    tell: watch::Sender<Standing>,
    retire: CancellationToken,
}

impl Run {
    async fn until_closed(self, stream: Stream) {
        let (sink, mut frames) = stream.split();
        let (acks, outgoing) = mpsc::channel::<Message>(256);
        let writer = tokio::spawn(write(sink, outgoing));
        let handlers = TaskTracker::new();
        let why = self.read(&mut frames, &acks, &handlers).await;
        self.tell.send_replace(Standing::Closed(why));
        handlers.close();
        let (finished, was_finished) = oneshot::channel();
        let finish = async {
            tokio::time::timeout(self.times.drain, handlers.wait()).await.ok();
            acks.send(Message::Close(None)).await.ok();
            drop(acks);
            tokio::time::timeout(GOODBYE, writer).await.ok();
            finished.send(()).ok();
        };
        // What still comes is left to the next connection, but it must be read: closing a socket with
        // unread bytes resets it, and our last acknowledgements would be lost on the other side.
        let ignore = async {
            let overdue = async {
                was_finished.await.ok();
                tokio::time::sleep(GOODBYE).await;
            };
            tokio::select! {
                () = async { while let Some(Ok(_)) = frames.next().await {} } => {}
                () = overdue => {}
            }
        };
        tokio::join!(finish, ignore);
    }

    async fn read(
        &self,
        frames: &mut futures::stream::SplitStream<Stream>,
        acks: &mpsc::Sender<Message>,
        handlers: &TaskTracker,
    ) -> String {
        let mut heard = Instant::now();
        let mut probe = tokio::time::interval(self.times.ping);
        loop {
            let frame = tokio::select! {
                () = self.retire.cancelled() => return "retired".to_owned(),
                frame = frames.next() => frame,
                _ = probe.tick() => {
                    if heard.elapsed() > self.times.silence {
                        return "the connection went silent".to_owned();
                    }
                    // A full queue means that writing is stuck; silence will tell.
                    acks.try_send(Message::Ping(bytes::Bytes::new())).ok();
                    continue;
                }
            };
            heard = Instant::now();
            match frame {
                Some(Ok(Message::Text(text))) => {
                    if let Some(why) = self.take(text.as_str(), acks, handlers).await {
                        return why;
                    }
                }
                Some(Ok(Message::Close(_))) | None => return "Slack closed the connection".to_owned(),
                Some(Ok(_)) => {}
                Some(Err(_)) => return "the connection was lost".to_owned(),
            }
        }
    }

    /// Takes one text frame; the reason if the connection must end.
    async fn take(&self, text: &str, acks: &mpsc::Sender<Message>, handlers: &TaskTracker) -> Option<String> {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            tracing::warn!("a Socket Mode frame was not JSON");
            return None;
        };
        match frame["type"].as_str().unwrap_or_default() {
            "hello" => {
                self.tell.send_if_modified(|standing| {
                    let opening = *standing == Standing::Opening;
                    if opening {
                        *standing = Standing::Ready;
                    }
                    opening
                });
            }
            "disconnect" => {
                let reason = frame["reason"].as_str().unwrap_or("unknown");
                tracing::info!(reason, "Slack ends a Socket Mode connection");
                if !matches!(reason, "warning" | "refresh_requested") {
                    return Some(format!("Slack asked to disconnect: {reason}"));
                }
                self.tell.send_replace(Standing::Leaving);
            }
            _ => self.dispatch(frame, acks, handlers).await,
        }
        None
    }

    async fn dispatch(&self, frame: Value, acks: &mpsc::Sender<Message>, handlers: &TaskTracker) {
        let Some(envelope) = Envelope::read(frame) else {
            metrics::counter!("slack_frames_unknown_total").increment(1);
            tracing::warn!("a Socket Mode frame carried no envelope");
            return;
        };
        // Waiting here stops the reading: Slack holds back what we cannot take.
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { return };
        let (handler, acks) = (Arc::clone(&self.handler), acks.clone());
        handlers.spawn(async move {
            let _slot = slot;
            let (id, takes_payload) = (envelope.id.clone(), envelope.accepts_payload);
            // A task of its own, so that a panic costs one envelope and not the connection.
            let ack = match tokio::spawn(async move { handler.handle(envelope).await }).await {
                Ok(ack) => ack,
                Err(_) => {
                    tracing::error!("the handler of a Slack envelope panicked; Slack will send it again");
                    Ack::Withhold
                }
            };
            let reply = match ack {
                Ack::Plain => json!({ "envelope_id": id }),
                Ack::Payload(payload) if takes_payload => json!({ "envelope_id": id, "payload": payload }),
                Ack::Payload(_) => json!({ "envelope_id": id }),
                Ack::Withhold => return,
            };
            acks.send(Message::text(reply.to_string())).await.ok();
        });
    }
}

async fn write(mut sink: futures::stream::SplitSink<Stream, Message>, mut outgoing: mpsc::Receiver<Message>) {
    while let Some(message) = outgoing.recv().await {
        let last = matches!(message, Message::Close(_));
        if sink.send(message).await.is_err() || last {
            return;
        }
    }
}
