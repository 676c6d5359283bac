//! Socket Mode: tickets, connections, hello and disconnect frames, acknowledgements.
//!
//! Owns [`Hub`], the list of open connections. What is sent and sent again is `delivery`'s business.
//! Start at [`connect`].

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ws::{Message as Frame, WebSocket};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::shared::{Shared, lock};

/// Slack's own limit.
const CONNECTIONS_MOST: usize = 10;
/// How long a ticket from `apps.connections.open` may be used.
const TICKET_LIFE: Duration = Duration::from_secs(30);
const PING_EVERY: Duration = Duration::from_secs(5);
const QUEUE: usize = 1024;

#[derive(Debug, Clone)]
struct Connection {
    id: u64,
    frames: mpsc::Sender<Frame>,
    cut: CancellationToken,
}

/// Open connections, unused tickets, and envelopes that wait for an acknowledgement.
#[derive(Debug)]
pub struct Hub {
    tickets: Mutex<HashMap<String, Instant>>,
    connections: Mutex<Vec<Connection>>,
    expected: Mutex<HashMap<String, mpsc::Sender<Value>>>,
    turn: AtomicUsize,
    opened: watch::Sender<u64>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            tickets: Mutex::default(),
            connections: Mutex::default(),
            expected: Mutex::default(),
            turn: AtomicUsize::new(0),
            opened: watch::channel(0).0,
        }
    }
}

impl Hub {
    /// A ticket for one connection.
    pub fn new_ticket(&self) -> String {
        let ticket = uuid::Uuid::new_v4().to_string();
        let mut tickets = lock(&self.tickets);
        tickets.retain(|_, at| at.elapsed() < TICKET_LIFE);
        tickets.insert(ticket.clone(), Instant::now());
        ticket
    }

    /// Spends a ticket.
    pub fn admit(&self, ticket: &str) -> bool {
        lock(&self.tickets).remove(ticket).is_some_and(|at| at.elapsed() < TICKET_LIFE)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        lock(&self.connections).len()
    }

    /// Ends when a connection opens after this call.
    pub fn opened(&self) -> impl Future<Output = ()> + use<> {
        let mut opened = self.opened.subscribe();
        async move {
            // The sender lives as long as the hub.
            let _ = opened.changed().await;
        }
    }

    /// Sends a frame on one of the open connections, each in its turn.
    pub async fn send(&self, text: &str) -> bool {
        let connections = lock(&self.connections).clone();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        for offset in 0..connections.len() {
            let connection = &connections[(turn + offset) % connections.len()];
            let frame = Frame::Text(text.to_owned().into());
            // One that takes nothing for a second is as good as gone.
            if connection.frames.send_timeout(frame, Duration::from_secs(1)).await.is_ok() {
                return true;
            }
        }
        false
    }

    /// The acknowledgements of this envelope.
    pub fn expect(&self, envelope_id: &str) -> mpsc::Receiver<Value> {
        let (sender, receiver) = mpsc::channel(1);
        lock(&self.expected).insert(envelope_id.to_owned(), sender);
        receiver
    }

    pub fn forget(&self, envelope_id: &str) {
        lock(&self.expected).remove(envelope_id);
    }

    fn acked(&self, envelope_id: &str, payload: Value) {
        if let Some(sender) = lock(&self.expected).remove(envelope_id) {
            // A second acknowledgement of the same envelope says nothing new.
            let _ = sender.try_send(payload);
        }
    }

    /// Cuts every connection without a word.
    pub fn drop_all(&self) {
        for connection in lock(&self.connections).drain(..) {
            connection.cut.cancel();
        }
    }

    /// Tells every connection to go, and closes it if Slack would.
    pub async fn disconnect_all(&self, reason: &str) {
        let text = goodbye(reason);
        let connections = lock(&self.connections).clone();
        for connection in connections {
            // One that is gone need not be told.
            let _ = connection.frames.send(Frame::Text(text.clone().into())).await;
            if reason != "warning" {
                self.leave(connection.id);
                let _ = connection.frames.send(Frame::Close(None)).await;
            }
        }
    }

    fn leave(&self, id: u64) {
        lock(&self.connections).retain(|it| it.id != id);
    }
}

fn goodbye(reason: &str) -> String {
    json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "playground"}}).to_string()
}

/// Serves one connection until it ends.
pub async fn connect(shared: Arc<Shared>, mut socket: WebSocket) {
    if shared.hub.open() >= CONNECTIONS_MOST {
        // The connection is refused whether or not the frame arrives.
        let _ = socket.send(Frame::Text(goodbye("too_many_websockets").into())).await;
        return;
    }
    let app_id = shared.look(|it| it.bot.app_id.clone());
    let hello = json!({"type": "hello", "num_connections": shared.hub.open() + 1,
        "connection_info": {"app_id": app_id},
        "debug_info": {"host": "playground", "build_number": 1, "approximate_connection_time": 18060}});
    let muted = lock(&shared.faults).muted();
    if !muted && socket.send(Frame::Text(hello.to_string().into())).await.is_err() {
        return;
    }
    let (frames, queue) = mpsc::channel(QUEUE);
    let cut = CancellationToken::new();
    let id = uuid::Uuid::new_v4().as_u64_pair().0;
    lock(&shared.hub.connections).push(Connection { id, frames, cut: cut.clone() });
    shared.hub.opened.send_modify(|it| *it += 1);
    serve(&shared, socket, queue, cut).await;
    shared.hub.leave(id);
}

async fn serve(
    shared: &Arc<Shared>,
    mut socket: WebSocket,
    mut queue: mpsc::Receiver<Frame>,
    cut: CancellationToken,
) {
    let mut pings = tokio::time::interval(PING_EVERY);
    loop {
        let muted = lock(&shared.faults).muted();
        let sent = tokio::select! {
            () = cut.cancelled() => return,
            () = shared.stop.cancelled() => return,
            frame = queue.recv() => match frame {
                Some(_) if muted => Ok(()),
                Some(frame) => socket.send(frame).await,
                None => return,
            },
            _ = pings.tick() => match muted {
                true => Ok(()),
                false => socket.send(Frame::Ping("Ping from playground".as_bytes().to_vec().into())).await,
            },
            incoming = socket.recv() => match incoming {
                Some(Ok(Frame::Text(text))) => {
                    if !muted {
                        hear(shared, &text);
                    }
                    Ok(())
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => Ok(()),
            },
        };
        if sent.is_err() {
            return;
        }
    }
}

fn hear(shared: &Shared, text: &str) {
    // Slack ignores what is not an acknowledgement.
    let Ok(mut frame) = serde_json::from_str::<Value>(text) else { return };
    let payload = frame["payload"].take();
    if let Some(envelope_id) = frame["envelope_id"].as_str() {
        shared.hub.acked(envelope_id, payload);
    }
}
