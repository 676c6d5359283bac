//! Logs and metrics as server-sent events, as the Hub sends them: each line with its time, a comment when
//! nothing happens for long, from the first line on unless only the last ones are asked for.
//!
//! Owns the streams and what breaks them. Never keeps a line; it asks the job. Start at [`logs`].

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Timestamp;

use super::super::super::shared::lock;
use super::super::wire::iso;
use super::job::{Job, JobStage};
use super::plan::{Cut, Mishap};
use super::{Jobs, hardware};

/// About how many bytes go out at once.
const PIECE: usize = 64 * 1024;
/// How often a stream looks whether its job has ended without a word.
const GLANCE: Duration = Duration::from_millis(250);
/// Pause between two samples of metrics.
const SAMPLE: Duration = Duration::from_secs(1);
/// What a broken log brings: neither UTF-8 nor JSON.
const GARBAGE: &[u8] = b"data: {\"data\":\"\xff\xfe\x00\x1b[31m\xc3\x28\n\ndata: not json\n\n";

/// One event of a log.
pub(in super::super) fn event(at: Timestamp, line: &str) -> String {
    format!("data: {}\n\n", json!({"data": line, "timestamp": iso(at)}))
}

/// A response that streams these pieces.
pub(in super::super) fn respond<S>(pieces: S) -> Response
where
    S: futures::Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(pieces)).into_response()
}

/// Somebody who reads a log.
struct Reader {
    jobs: Arc<Jobs>,
    id: String,
    /// Line that comes next.
    next: usize,
    /// Events sent so far.
    sent: usize,
    changed: watch::Receiver<()>,
    heard: Instant,
    over: bool,
}

/// What there is for a reader now.
enum Piece {
    Lines(Bytes),
    Nothing,
    End(Cut),
}

/// The log of a job, from its first line or its last `tail`, until the job is over; `None` if there is no
/// such job.
pub(super) fn logs(jobs: &Arc<Jobs>, id: &str, tail: Option<usize>) -> Option<Response> {
    let (next, changed) = {
        let mut desk = jobs.desk();
        let job = desk.job(id)?;
        let next = tail.map_or(0, |many| job.log.len().saturating_sub(many));
        (next, job.changed.subscribe())
    };
    let heard = Instant::now();
    let reader = Reader { jobs: jobs.clone(), id: id.to_owned(), next, sent: 0, changed, heard, over: false };
    Some(respond(stream::unfold(reader, |mut reader| async move {
        let piece = reader.piece().await?;
        Some((piece, reader))
    })))
}

impl Reader {
    async fn piece(&mut self) -> Option<std::io::Result<Bytes>> {
        loop {
            if self.over {
                return None;
            }
            self.changed.mark_unchanged();
            match self.take() {
                Piece::Lines(bytes) => {
                    self.heard = Instant::now();
                    return Some(Ok(bytes));
                }
                Piece::End(Cut::Clean) => return None,
                Piece::End(Cut::Torn) => {
                    self.over = true;
                    // What was sent must have left, or the server breaks off before its first byte.
                    tokio::time::sleep(super::LOOK).await;
                    return Some(Err(std::io::Error::other("the log stream was torn")));
                }
                Piece::Nothing => {}
            }
            let pause = *lock(&self.jobs.keep_alive);
            if self.heard.elapsed() >= pause {
                self.heard = Instant::now();
                return Some(Ok(Bytes::from_static(b": keep-alive\n\n")));
            }
            tokio::select! {
                () = self.jobs.stop.cancelled() => return None,
                _ = self.changed.changed() => {}
                () = tokio::time::sleep(GLANCE.min(pause)) => {}
            }
        }
    }

    fn take(&mut self) -> Piece {
        let mut desk = self.jobs.desk();
        let Some(job) = desk.job(&self.id) else { return Piece::End(Cut::Torn) };
        let mut bytes = Vec::new();
        while bytes.len() < PIECE {
            if let Some(how) = dropped(job, self.sent) {
                if bytes.is_empty() {
                    struck(job, self.sent);
                    return Piece::End(how);
                }
                break;
            }
            let Some((at, line)) = job.log.line(self.next) else { break };
            if job.plan.mishaps.contains(&Mishap::Garbage { before: self.next }) {
                bytes.extend_from_slice(GARBAGE);
            }
            bytes.extend_from_slice(event(at, &line).as_bytes());
            self.next += 1;
            self.sent += 1;
        }
        match bytes.is_empty() {
            false => Piece::Lines(bytes.into()),
            true if job.stage.is_over() => Piece::End(Cut::Clean),
            true => Piece::Nothing,
        }
    }
}

/// Whether a stream that sent so many events ends here.
fn dropped(job: &Job, sent: usize) -> Option<Cut> {
    job.plan.mishaps.iter().find_map(|it| match it {
        Mishap::DropLogs { every, times: 1.., how } if sent >= *every => Some(*how),
        _ => None,
    })
}

fn struck(job: &mut Job, sent: usize) {
    for mishap in &mut job.plan.mishaps {
        if let Mishap::DropLogs { every, times, .. } = mishap
            && *times > 0
            && sent >= *every
        {
            *times -= 1;
            return;
        }
    }
}

/// A sample of a running job every second. As the Hub's, the stream outlives its job and says nothing more.
pub(super) fn metrics(jobs: &Arc<Jobs>, id: &str) -> Response {
    let begin = (jobs.clone(), id.to_owned(), 0_u64);
    respond(stream::unfold(begin, |(jobs, id, count)| async move {
        let pause = if count == 0 { Duration::ZERO } else { SAMPLE };
        tokio::select! {
            () = jobs.stop.cancelled() => return None,
            () = tokio::time::sleep(pause) => {}
        }
        let sample = {
            let mut desk = jobs.desk();
            let job = desk.job(&id)?;
            (job.stage == JobStage::Running).then(|| sample(job, count))
        };
        let Some(sample) = sample else {
            jobs.stop.cancelled().await;
            return None;
        };
        let text = format!("event: metric\ndata: {sample}\n\n");
        Some((Ok(Bytes::from(text)), (jobs, id, count + 1)))
    }))
}

/// Made up, but of the machine's size.
fn sample(job: &Job, count: u64) -> Value {
    let flavour = hardware::job_flavour(&job.spec.flavor);
    let wave = 40 + (count * 7) % 50;
    let total = flavour.map_or(16_000_000_000, |it| it.memory_bytes());
    let mut gpus = serde_json::Map::new();
    for (index, bytes) in flavour.map(|it| it.accelerators()).unwrap_or_default().into_iter().enumerate() {
        let used = bytes / 100 * wave;
        gpus.insert(
            format!("882fa93{index}"),
            json!({"utilization": wave, "memory_used_bytes": used, "memory_total_bytes": bytes}),
        );
    }
    json!({
        "cpu_usage_pct": wave, "cpu_millicores": 2000, "memory_used_bytes": total / 100 * wave,
        "memory_total_bytes": total, "rx_bps": 0, "tx_bps": 0, "gpus": gpus, "replica": "57vr7",
    })
}
