//! Following a command on this machine: output, progress, time, stop.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::{End, Ran};
use crate::agent::tool::{CallContext, ToolError};
use crate::tools::process::Running;
use crate::tools::spill::Capture;

/// What a command that was stopped may do before it is killed: a stop takes under a second in all.
const STOP_GRACE: Duration = Duration::from_millis(300);
/// The same after a time-out, when nobody is waiting at the door.
const TIMEOUT_GRACE: Duration = Duration::from_secs(2);
/// How long output is awaited after the command itself has ended.
const LINGER: Duration = Duration::from_millis(200);
/// How often a line of progress is shown.
const PROGRESS: Duration = Duration::from_secs(1);

/// How following ended.
enum Over {
    Exited(ExitStatus),
    TimedOut,
    Stopped,
    Lost(std::io::Error),
}

/// Collects output until the command ends, its time is up, or it is stopped; ends what is left.
pub(super) async fn follow(
    (mut running, mut output): (Running, pipe::Receiver),
    mut capture: Capture,
    limit: Duration,
    context: &CallContext,
) -> Result<Ran, ToolError> {
    let start = Instant::now();
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut ticks = interval_at(start + PROGRESS, PROGRESS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut open, mut shown) = (true, None);
    let mut exited: Option<(ExitStatus, Instant)> = None;
    let over = loop {
        let until = exited.map_or(start + limit, |(_, linger)| linger);
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => break Over::Stopped,
            () = sleep_until(until) => {
                break exited.map_or(Over::TimedOut, |(status, _)| Over::Exited(status));
            }
            status = running.wait(), if exited.is_none() => match status {
                Ok(status) => exited = Some((status, Instant::now() + LINGER)),
                Err(error) => break Over::Lost(error),
            },
            _ = ticks.tick() => {
                let line = capture.last_line();
                if line != shown && let Some(line) = &line {
                    context.progress.line(line);
                }
                shown = line;
            }
            read = output.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => open = false,
                Ok(length) => capture.push(&buffer[..length]).await,
            },
        }
        if let (Some((status, _)), false) = (exited, open) {
            break Over::Exited(status);
        }
    };
    let grace = if matches!(over, Over::TimedOut) { TIMEOUT_GRACE } else { STOP_GRACE };
    let left = running.end(grace).await;
    let end = match over {
        Over::Stopped => return Err(ToolError::Cancelled),
        Over::Exited(status) => ended(status),
        Over::TimedOut => End::TimedOut,
        Over::Lost(error) => End::Lost(error.to_string()),
    };
    // What stood in the pipe when everything ended; bounded, because nobody writes any more.
    while open && let Ok(Ok(length @ 1..)) = timeout(LINGER, output.read(&mut buffer)).await {
        capture.push(&buffer[..length]).await;
    }
    let left = if matches!(end, End::Code(_) | End::Signal(_)) { left } else { 0 };
    Ok(Ran { output: capture.finish().await.text, end, left })
}

fn ended(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Lost("it ended, nobody knows how".to_owned()),
    }
}
