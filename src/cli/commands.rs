//! What the commands of the chat do, in a live terminal as in a pipe.
//!
//! Owns [`act`]. The reading is `slash`'s, the drawing the screen's. Start at [`Did`].

use super::render::Screen;
use super::render::clean::line;
use super::seat::{Picking, Seat, id_of};
use super::sharing;
use super::slash::{self, Typed};
use super::token;
use crate::clock::Timestamp;
use crate::protocol::{Event, OperationKind, SessionKey, Setting, TicketId};
use crate::store::Listed;

/// What came of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Did {
    /// It is done.
    Nothing,
    /// The session is to do this.
    Wants(OperationKind),
    /// Another session is in hand.
    Changed,
    /// The person leaves.
    Leaves,
}

/// Reads a line; right behind a list of sessions a number alone picks one.
#[must_use]
pub fn read(seat: &mut Seat, text: &str) -> Typed {
    let picking = std::mem::replace(&mut seat.picking, Picking::No);
    match slash::read(text) {
        Typed::Say(words) if picking == Picking::Yes && words.parse::<usize>().is_ok() => {
            Typed::Resume(words)
        }
        typed => typed,
    }
}

/// Has a line done as far as it needs no session. `yolo` says whether auto-approval is configured.
///
/// # Errors
/// The store failed.
pub async fn act(
    seat: &mut Seat,
    screen: &mut dyn Screen,
    typed: Typed,
    yolo: Configured,
) -> anyhow::Result<Did> {
    let kind = match typed {
        Typed::Nothing => return Ok(Did::Nothing),
        Typed::Quit => return Ok(Did::Leaves),
        Typed::Help => {
            screen.remark(&slash::help());
            return Ok(Did::Nothing);
        }
        Typed::Refused(why) => {
            screen.remark(&why);
            return Ok(Did::Nothing);
        }
        Typed::Say(text) => OperationKind::Say { text, handle: serde_json::Value::Null },
        Typed::Operation(kind) => kind,
        Typed::Clear => {
            screen.clear();
            OperationKind::New
        }
        Typed::Plan => {
            let plan = seat.conversation.head().await?.map(|head| head.plan).unwrap_or_default();
            if plan.is_empty() {
                screen.remark("There is no plan yet.");
            } else {
                screen.plan(&plan);
            }
            return Ok(Did::Nothing);
        }
        Typed::Job { wish, id } => match job(seat, &id).await? {
            Ok(ticket) => OperationKind::Job { ticket, wish },
            Err(why) => {
                screen.remark(&why);
                return Ok(Did::Nothing);
            }
        },
        Typed::Sessions(words) => {
            list(seat, screen, &words).await?;
            return Ok(Did::Nothing);
        }
        Typed::Token(asked) => {
            screen.remark(&token::tell(seat.app(), asked).await);
            return Ok(Did::Nothing);
        }
        Typed::ShareTraces(wish) => {
            screen.remark(&sharing::share(seat.app(), wish).await);
            return Ok(Did::Nothing);
        }
        Typed::Resume(which) => return resume(seat, screen, &which).await,
        Typed::Yolo { on, cap } => {
            // A cap may be set all the same.
            if yolo == Configured::On && cap.is_none() {
                screen.remark(
                    "Auto-approval is on by configuration (yolo_mode); it cannot be switched off here.",
                );
                return Ok(Did::Nothing);
            }
            let is_on = seat.conversation.head().await?.is_some_and(|head| head.settings.yolo);
            OperationKind::Set { setting: Setting::Yolo { on: on.unwrap_or(!is_on), cap } }
        }
    };
    Ok(Did::Wants(kind))
}

/// The running job that is meant, or why none is.
async fn job(seat: &Seat, id: &str) -> anyhow::Result<Result<TicketId, String>> {
    let open = seat.conversation.head().await?.map(|head| head.tickets).unwrap_or_default();
    let meant: Vec<&TicketId> =
        open.iter().map(|open| &open.ticket.id).filter(|ticket| ticket.as_str().contains(id)).collect();
    Ok(match meant[..] {
        [one] => Ok(one.clone()),
        [] if open.is_empty() => Err("Nothing runs outside of this session.".to_owned()),
        _ => {
            let ids: Vec<String> = open
                .iter()
                .map(|open| {
                    format!("  {}  {}", line(open.ticket.id.as_str(), 80), line(open.ticket.work.title(), 80))
                })
                .collect();
            Err(format!("Name one of these by (a part of) its id:\n{}", ids.join("\n")))
        }
    })
}

/// Whether auto-approval is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configured {
    /// For every session.
    On,
    /// Each session has its own say.
    Off,
}

async fn list(seat: &mut Seat, screen: &mut dyn Screen, words: &str) -> anyhow::Result<()> {
    let (now, current) = (seat.app().clock().now(), seat.conversation.key());
    let listed = seat.list(words).await?;
    if listed.is_empty() {
        screen.remark(if words.is_empty() {
            "There are no sessions yet."
        } else {
            "There is no session with these words."
        });
        return Ok(());
    }
    let rows: Vec<String> = listed
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let here = if one.key == current { " (here)" } else { "" };
            format!("{:>3}  {}{here}", at + 1, row(one, now))
        })
        .collect();
    screen.remark(&format!("{}\nType a number, or /resume with a number or an id.", rows.join("\n")));
    seat.picking = Picking::Yes;
    Ok(())
}

fn row(one: &Listed, now: Timestamp) -> String {
    let title = one.title.as_deref().map_or_else(|| "(nothing said yet)".to_owned(), |title| line(title, 60));
    let turns = if one.turns == 1 { "1 turn".to_owned() } else { format!("{} turns", one.turns) };
    format!("{title} · {turns} · {} · {}", ago(one.updated_at, now), id_of(&one.key).unwrap_or("in Slack"))
}

/// How long ago, as people say it.
fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.since(at).as_secs() {
        0..60 => "just now".to_owned(),
        seconds @ 60..3_600 => format!("{} min ago", seconds / 60),
        seconds @ 3_600..86_400 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

async fn resume(seat: &mut Seat, screen: &mut dyn Screen, which: &str) -> anyhow::Result<Did> {
    let key = match seat.find(which).await {
        Ok(key) => key,
        Err(error) => {
            screen.remark(&format!("{error:#}"));
            return Ok(Did::Nothing);
        }
    };
    if key == seat.conversation.key() {
        screen.remark("This is the session in hand.");
        return Ok(Did::Nothing);
    }
    if !seat.conversation.rests().await? {
        screen.remark("Work is in hand here; stop it first (Ctrl+C), then resume the other session.");
        return Ok(Did::Nothing);
    }
    match id_of(&key).map(str::to_owned) {
        Some(id) => go_back(seat, screen, id).await?,
        None => take_over(seat, screen, key).await?,
    }
    Ok(Did::Changed)
}

/// Takes another session of this terminal in hand.
async fn go_back(seat: &mut Seat, screen: &mut dyn Screen, id: String) -> anyhow::Result<()> {
    seat.change(id).await;
    let head = seat.conversation.head().await?;
    let title = head.as_ref().and_then(|head| head.title.as_deref()).unwrap_or("(nothing said yet)");
    screen.remark(&format!("Now in session {}: {}", seat.conversation.id, line(title, 60)));
    if let Some(head) = head {
        screen.event(&Event::ResumeComplete { restored_count: head.history_size });
        if !head.plan.is_empty() {
            screen.event(&Event::PlanUpdate { plan: head.plan });
        }
    }
    Ok(())
}

/// Goes on here with what was said behind another door (a Slack thread), which stays as it is.
async fn take_over(seat: &mut Seat, screen: &mut dyn Screen, source: SessionKey) -> anyhow::Result<()> {
    let id = seat.app().random().id("");
    seat.change(id).await;
    let id = &seat.conversation.id;
    screen.remark(&format!("Now in session {id}, with what was said there; the thread stays as it is."));
    seat.conversation.submit(OperationKind::Adopt { source, turns: None }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_at_a_glance() {
        let now = Timestamp(10 * 86_400_000);
        for (seconds, words) in [(5, "just now"), (90, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago")]
        {
            assert_eq!(ago(Timestamp(now.0 - seconds * 1_000), now), words);
        }
    }
}
