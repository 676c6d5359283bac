//! The chat in a terminal that can do more than print: typing while the agent works, and a small region
//! at the bottom that is drawn in place.
//!
//! Owns the one loop of keys, events and frames. Finished text goes to the terminal's own history; the
//! region holds what is not finished: text on its way, the plan, what runs, words that wait, the input.
//! Start at [`run`]; `acts` is what a line does, `compose` what the region looks like, `region` how it
//! gets there.
//!
//! ```text
//!           a line, an event              nobody has it in hand
//! Idle ----------------------> Busy ------------------------------> Idle
//!                              ^  |  ... and a question is open
//!                   an answer  |  v
//!                             Asking
//! ```

mod acts;
mod bindings;
mod board;
mod buffer;
mod complete;
mod compose;
mod history;
mod keys;
mod prompt;
mod raw;
mod region;
mod screen;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use self::acts::Step;
use self::complete::Known;
use self::history::History;
use self::keys::{Input, Keys};
use self::prompt::Prompt;
use self::raw::Raw;
use self::region::Region;
use self::screen::LiveScreen;
use super::commands::Configured;
use super::confirm::Question;
use super::exit::{Exit, Watched};
use super::interrupts::{Interrupts, Press};
use super::render::Screen;
use super::render::look::Look;
use super::render::text::Detail;
use super::seat::{Seat, id_of};
use crate::protocol::{ApprovalRequest, Event};
use crate::secret::Secret;
use crate::telemetry::Diverted;

/// At most twelve frames a second for what happens by itself ...
const FRAME: Duration = Duration::from_millis(84);
/// ... and a little more for what a person types.
const ECHO: Duration = Duration::from_millis(40);
/// How often to look whether the session has come to rest.
const LOOK: Duration = Duration::from_millis(50);
/// How long a loop without anything to do sleeps.
const IDLE: Duration = Duration::from_secs(3_600);
/// How many sessions Tab knows.
const SESSIONS_KNOWN: u32 = 200;

/// What a live chat needs.
pub struct Parts {
    /// How the terminal draws.
    pub look: Look,
    /// How much is drawn of what tools give.
    pub detail: Detail,
    /// Ctrl+C from outside, and the wish that we end.
    pub interrupts: Interrupts,
    /// The person's editor.
    pub editor: Option<String>,
    /// Where history and calls in editing are kept.
    pub data: PathBuf,
    /// The folder that files are completed in.
    pub cwd: PathBuf,
    /// What never goes into history.
    pub secrets: Vec<Secret>,
    /// Whether auto-approval is configured.
    pub yolo: Configured,
    /// Ids of models that Tab offers.
    pub models: Vec<String>,
    /// What stands above the first line.
    pub greeting: String,
}

/// What the person's lines are for.
enum Mode {
    /// The session rests.
    Idle,
    /// The agent works; lines steer it.
    Busy,
    /// A question is put; a line answers it.
    Asking(Box<Asking>),
}

/// A question that is put.
struct Asking {
    question: Question,
    prompt: String,
    since: Instant,
    /// What was being typed when it came.
    draft: String,
}

struct Live<'a> {
    seat: &'a mut Seat,
    screen: LiveScreen,
    region: Region,
    prompt: Prompt,
    keys: Keys,
    raw: Raw,
    interrupts: Interrupts,
    /// The log would tear the region.
    log: Diverted,
    editor: Option<String>,
    scratch: PathBuf,
    cwd: PathBuf,
    yolo: Configured,
    mode: Mode,
    /// A question that is open, put or not.
    open: Option<ApprovalRequest>,
    watched: Watched,
    known: Known,
    /// Columns and rows.
    size: (usize, usize),
    /// When the next frame is due, if anything changed.
    due: Option<Instant>,
    drawn: Instant,
    spun: Instant,
}

enum Happened {
    Pressed(Press),
    Input(Option<Input>),
    Event(Box<Event>),
    Logged(String),
    Time,
}

/// Talks until the person leaves. The terminal is given back as it was.
///
/// # Errors
/// The store failed, or the terminal cannot be used.
pub async fn run(seat: &mut Seat, parts: Parts) -> anyhow::Result<Exit> {
    let file = parts.data.join("history");
    let secrets = parts.secrets;
    let history = tokio::task::spawn_blocking(move || History::open(file, secrets)).await?;
    let size = size();
    let raw = Raw::enter()?;
    let now = Instant::now();
    let mut live = Live {
        seat,
        screen: LiveScreen::new(parts.look, parts.detail),
        region: Region::new(Box::new(std::io::stdout()), size.0),
        prompt: Prompt::new(history),
        keys: Keys::start()?,
        raw,
        interrupts: parts.interrupts,
        log: Diverted::start(),
        editor: parts.editor,
        scratch: parts.data.join("edits"),
        cwd: parts.cwd,
        yolo: parts.yolo,
        mode: Mode::Idle,
        open: None,
        watched: Watched::default(),
        known: Known { models: parts.models, ..Known::default() },
        size,
        due: Some(now),
        drawn: now,
        spun: now,
    };
    live.screen.remark(&parts.greeting);
    live.open_session().await?;
    let outcome = live.talk().await;
    live.part();
    outcome
}

/// Columns and rows of the terminal; the usual ones if it does not say.
#[must_use]
pub fn size() -> (usize, usize) {
    match crossterm::terminal::size() {
        Ok((columns, rows)) if columns > 0 && rows > 0 => (usize::from(columns), usize::from(rows)),
        _ => (80, 24),
    }
}

impl Live<'_> {
    async fn talk(&mut self) -> anyhow::Result<Exit> {
        loop {
            let now = Instant::now();
            if self.due.is_some_and(|due| due <= now) {
                self.draw(now);
            }
            let wake = self.wake(now);
            let happened = tokio::select! {
                biased;
                press = self.interrupts.pressed() => Happened::Pressed(press),
                input = self.keys.next() => Happened::Input(input),
                event = self.seat.conversation.next_event() => Happened::Event(Box::new(event)),
                line = self.log.next() => Happened::Logged(line),
                () = tokio::time::sleep_until(wake) => Happened::Time,
            };
            let step = match happened {
                Happened::Pressed(press) => self.pressed(press).await?,
                Happened::Input(Some(input)) => self.input(input).await?,
                // The terminal is gone.
                Happened::Input(None) => Step::Leave(Exit::Interrupted),
                Happened::Event(event) => {
                    self.event(&event);
                    while let Some(event) = self.seat.conversation.take_event() {
                        self.event(&event);
                    }
                    Step::Stay
                }
                Happened::Logged(line) => {
                    self.screen.remark(line.trim_end());
                    self.change(FRAME);
                    Step::Stay
                }
                Happened::Time => self.look().await?,
            };
            if let Step::Leave(exit) = step {
                return Ok(exit);
            }
        }
    }

    /// When to look up again at the latest.
    fn wake(&self, now: Instant) -> Instant {
        let look = if matches!(self.mode, Mode::Busy) { LOOK } else { IDLE };
        let due = self.due.unwrap_or(now + IDLE);
        due.min(now + look)
    }

    /// Something changed: draw it, so long after the last frame at the earliest.
    fn change(&mut self, gap: Duration) {
        let at = self.drawn + gap;
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    fn draw(&mut self, now: Instant) {
        if std::mem::take(&mut self.screen.wiped) {
            self.region.wipe();
        }
        let above = self.screen.finished();
        let question = match &self.mode {
            Mode::Asking(asking) => Some(asking.prompt.as_str()),
            _ => None,
        };
        let view = compose::view(&compose::Scene {
            board: &self.screen.board,
            unfinished: self.screen.unfinished(),
            prompt: &self.prompt,
            question,
            look: &self.screen.look,
            size: self.size,
            now,
        });
        self.region.frame(&above, view);
        (self.due, self.drawn) = (None, now);
    }

    fn event(&mut self, event: &Event) {
        if matches!(self.mode, Mode::Idle) {
            self.mode = Mode::Busy;
        }
        match event {
            Event::ApprovalRequired(request) => self.open = Some(request.clone()),
            Event::ApprovalUpdated(request) => {
                self.open = Some(request.clone());
                // It is put anew as soon as the session rests.
                self.unask();
            }
            Event::ApprovalDecided { request, .. }
                if self.open.as_ref().is_some_and(|open| open.id == request.id) =>
            {
                self.open = None;
                self.unask();
            }
            _ => {}
        }
        self.watched.take(event);
        self.screen.event(event);
        self.change(FRAME);
    }

    /// The question is not put any more.
    fn unask(&mut self) {
        if let Mode::Asking(asking) = std::mem::replace(&mut self.mode, Mode::Busy) {
            self.prompt.set(&asking.draft);
        }
    }

    /// Time has passed: the spinner turns, and the session may have come to rest.
    async fn look(&mut self) -> anyhow::Result<Step> {
        if !matches!(self.mode, Mode::Busy) {
            return Ok(Step::Stay);
        }
        if self.seat.conversation.rests().await? {
            self.settle().await?;
        } else if self.screen.board.since.is_some() && self.spun.elapsed() >= compose::SPIN {
            self.spun = Instant::now();
            self.change(FRAME);
        }
        Ok(Step::Stay)
    }

    /// The session rests: its question is put, or the next request may come.
    async fn settle(&mut self) -> anyhow::Result<()> {
        self.change(FRAME);
        if let Some(request) = self.open.take_if(|open| self.seat.conversation.has_agreed(open)) {
            let missing =
                request.needed.saturating_sub(u32::try_from(request.votes.len()).unwrap_or(u32::MAX));
            let words = format!("You have agreed; {missing} more must. The question stays open.");
            self.screen.remark(&words);
        }
        if let Some(request) = self.open.clone() {
            self.screen.question(&request);
            let question = Question::new(request);
            let (prompt, draft) = (question.prompt(), self.prompt.take());
            self.mode = Mode::Asking(Box::new(Asking { question, prompt, since: Instant::now(), draft }));
            return Ok(());
        }
        self.screen.rest();
        self.mode = Mode::Idle;
        self.learn().await
    }

    /// Takes the session in hand that the seat is at now.
    async fn open_session(&mut self) -> anyhow::Result<()> {
        self.watched = Watched::default();
        let head = self.seat.conversation.head().await?;
        self.mode = if head.is_some() { Mode::Busy } else { Mode::Idle };
        if let Some(head) = head {
            self.screen.board.plan.clone_from(&head.plan);
            self.open = head.turn.and_then(|turn| turn.approval().cloned());
        }
        self.learn().await
    }

    /// Looks up what Tab offers.
    async fn learn(&mut self) -> anyhow::Result<()> {
        let listed = self.seat.app().store().list(SESSIONS_KNOWN).await?;
        self.known.sessions = listed
            .into_iter()
            .filter_map(|one| Some((id_of(&one.key)?.to_owned(), one.title.unwrap_or_default())))
            .collect();
        let head = self.seat.conversation.head().await?;
        self.known.turns = head.as_ref().map_or(0, |head| head.turns);
        let Some(head) = head else { return Ok(()) };
        for id in head.settings.model.into_iter().chain(head.settings.models.into_values()) {
            if !self.known.models.contains(&id) {
                self.known.models.push(id);
            }
        }
        Ok(())
    }

    /// The region goes; what was finished stays.
    fn part(&mut self) {
        let above = self.screen.finished();
        self.region.frame(&above, region::View::default());
    }
}
