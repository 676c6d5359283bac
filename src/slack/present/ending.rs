//! The end of a turn: the answer, an error, a stop. It arrives, whatever was refused on the way, and once.

use super::answer;
use super::found::Found;
use super::live::{Live, StreamSupport, Surface};
use super::markdown::escape_mrkdwn;
use super::post::{Courier, Marker};
use super::stream::Stream;
use super::worker::{Past, Worker};
use crate::clients::slack::SlackError;
use crate::protocol::{Event, TurnId};
use crate::runtime::present::PresentError;
use crate::slack::{buttons, say};

/// Text that a stopping call takes.
const LAST_PIECE: usize = 8_000;

/// Shows how a turn ended.
pub(super) async fn show(worker: &mut Worker, event: &Event) -> Result<(), PresentError> {
    match event {
        Event::TurnComplete { turn, final_response, elapsed_ms, steps, usage, .. } => {
            let marker = end_marker(turn, "answer");
            if already_there(worker, &marker) {
                return Ok(());
            }
            let text = final_response.as_deref().unwrap_or_default();
            let text = if text.trim().is_empty() { say::NO_ANSWER } else { text };
            let footer = say::footer(*elapsed_ms, *steps, usage);
            show_answer(worker, turn, text, &footer).await
        }
        Event::Interrupted { turn, by } => {
            let marker = end_marker(turn, "stop");
            if already_there(worker, &marker) {
                return Ok(());
            }
            give_up(worker).await;
            let text = say::interrupted(by.as_deref().map(escape_mrkdwn).as_deref());
            worker.courier.post_once(&answer::note_forms(&text), &marker).await.map(|_| ())
        }
        Event::Error { turn, error, hint, retry } => {
            let marker = match turn {
                Some(turn) => end_marker(turn, "error"),
                None => Marker::note(),
            };
            if turn.is_some() && already_there(worker, &marker) {
                return Ok(());
            }
            give_up(worker).await;
            let retry = turn.as_ref().filter(|_| *retry).map(TurnId::as_str);
            let forms = answer::error_forms(error, hint.as_deref(), retry);
            worker.courier.post_once(&forms, &marker).await.map(|_| ())
        }
        _ => Ok(()),
    }
}

/// Marks the message that ends a turn.
fn end_marker(turn: &TurnId, ending: &str) -> Marker {
    Marker::new(buttons::FINAL, [("turn", turn.as_str()), ("ending", ending)])
}

fn already_there(worker: &Worker, marker: &Marker) -> bool {
    matches!(&worker.past, Past::Read(found) if found.ts_of(marker).is_some())
}

async fn give_up(worker: &mut Worker) {
    if let Some(live) = &mut worker.live {
        live.tasks.give_up();
        live.close(&worker.courier).await;
    }
}

async fn show_answer(
    worker: &mut Worker,
    turn: &TurnId,
    text: &str,
    footer: &str,
) -> Result<(), PresentError> {
    let courier = worker.courier.clone();
    if let Some(live) = &mut worker.live {
        // A turn that called tools shows what it did, even if it was quick.
        if matches!(live.surface, Surface::Closed) && live.tasks.is_fresh() && !live.broken {
            let stop_button = false;
            live.flush(&courier, &worker.shared.streams, stop_button).await;
        }
        if let Surface::Streaming(_) = live.surface
            && !live.overflowed
            && end_stream(&courier, &worker.shared.streams, live, turn, text, footer).await?
        {
            return Ok(());
        }
        let overflowed = live.overflowed;
        live.take_rest();
        live.close(&courier).await;
        if overflowed {
            return post_answer(worker, turn, text, footer, Shape::File).await;
        }
    }
    post_answer(worker, turn, text, footer, Shape::Parts).await
}

/// Ends the stream as the answer; false if the answer must be posted instead.
async fn end_stream(
    courier: &Courier,
    streams: &StreamSupport,
    live: &mut Live,
    turn: &TurnId,
    text: &str,
    footer: &str,
) -> Result<bool, PresentError> {
    live.ends_with(text);
    live.tasks.rest();
    // What is too much for one last call goes out before, in as many messages as it takes.
    for _ in 0..8 {
        let Surface::Streaming(stream) = &live.surface else { return Ok(false) };
        if live.waiting() <= stream.room().min(LAST_PIECE) && !stream.is_spent() {
            break;
        }
        live.flush(courier, streams, false).await;
    }
    let rest = match &live.surface {
        Surface::Streaming(stream)
            if !live.overflowed && live.waiting() <= stream.room().min(LAST_PIECE) && !stream.is_spent() =>
        {
            live.take_rest()
        }
        // It does not fit: the stream ends, and the whole answer follows.
        _ => return Ok(false),
    };
    let Surface::Streaming(stream) = std::mem::replace(&mut live.surface, Surface::Closed) else {
        return Ok(false);
    };
    let marker = end_marker(turn, "answer");
    let ended = stop_plainer(courier, live, &stream, &rest, footer, &marker).await;
    match ended {
        Ok(()) => {
            live.tasks.shown();
            Ok(true)
        }
        Err(SlackError::Transport(why)) => {
            tracing::debug!(why, "the end of a stream was lost; looking whether it arrived");
            if Found::look(courier, None).await?.ts_of(&marker).is_some() {
                return Ok(true);
            }
            match stop_plainer(courier, live, &stream, &rest, footer, &marker).await {
                Ok(()) => Ok(true),
                Err(_) => Ok(Found::look(courier, None).await?.ts_of(&marker).is_some()),
            }
        }
        Err(error) => {
            tracing::debug!(%error, "a stream could not be ended as the answer; posting it");
            live.broken = true;
            Ok(false)
        }
    }
}

/// Stops with footer and feedback, else with the footer, else with nothing below.
async fn stop_plainer(
    courier: &Courier,
    live: &Live,
    stream: &Stream,
    rest: &str,
    footer: &str,
    marker: &Marker,
) -> Result<(), SlackError> {
    let tail = answer::tail(footer);
    let mut result = Ok(());
    for blocks in [&tail[..], &tail[..1], &[]] {
        result = stream.stop(courier, rest, live.tasks.chunks(), blocks, marker).await;
        match &result {
            Err(error) if error.form_is_refused() => {}
            _ => break,
        }
    }
    result
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// As messages, as a file if they are too many.
    Parts,
    /// As a file: its beginning was shown already.
    File,
}

async fn post_answer(
    worker: &Worker,
    turn: &TurnId,
    text: &str,
    footer: &str,
    shape: Shape,
) -> Result<(), PresentError> {
    let courier = &worker.courier;
    let marker = end_marker(turn, "answer");
    let mut parts = answer::parts(text);
    if shape == Shape::File || parts.len() > answer::PARTS {
        match courier.attach("answer.md", text).await {
            Ok(()) if shape == Shape::File => parts = vec![say::REST_IN_FILE.to_owned()],
            Ok(()) => {
                parts.truncate(1);
                for part in &mut parts {
                    part.push_str("\n\n");
                    part.push_str(say::REST_IN_FILE);
                }
            }
            // Then all of it as messages: long, but complete.
            Err(error) => tracing::warn!(%error, "a long answer could not be attached"),
        }
    }
    let last = parts.len().saturating_sub(1);
    for (number, part) in parts.iter().enumerate() {
        if number == last {
            courier.post_once(&answer::forms(part, Some(footer)), &marker).await?;
        } else {
            let number = (number + 1).to_string();
            let marker = Marker::new(buttons::PART, [("turn", turn.as_str()), ("part", &number)]);
            if !already_there(worker, &marker) {
                courier.post_once(&answer::forms(part, None), &marker).await?;
            }
        }
    }
    Ok(())
}
