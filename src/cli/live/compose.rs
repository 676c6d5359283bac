//! What the region looks like: from facts to lines, top to bottom.
//!
//! Owns [`view`]. Every line fits the terminal less one column, all lines together fit its rows less one.
//! Order: the unfinished text, the plan, what runs, words that wait, the question, the input, what Tab
//! offers. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::super::render::clean::{clean, line};
use super::super::render::look::Look;
use super::super::render::paint::Paint;
use super::super::render::text::item_line;
use super::super::render::{markdown, wide};
use super::board::Board;
use super::prompt::Prompt;
use super::region::View;
use crate::protocol::{PlanItem, PlanStatus};

/// Of text that is no block yet, the last so many bytes are drawn.
const TAIL: usize = 4_096;
/// Lines of the plan, its head included, and of what Tab offers.
const PLAN_MOST: usize = 7;
const CHOICES_MOST: usize = 8;
const RUNNING_MOST: usize = 3;
/// How long one picture of the spinner stands.
pub const SPIN: Duration = Duration::from_millis(250);
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// All that is to be shown.
pub struct Scene<'a> {
    /// The session.
    pub board: &'a Board,
    /// Text on its way that is no complete block yet.
    pub unfinished: &'a str,
    /// The input line.
    pub prompt: &'a Prompt,
    /// What is asked, if the input is an answer.
    pub question: Option<&'a str>,
    /// Looks.
    pub look: &'a Look,
    /// Columns and rows of the terminal.
    pub size: (usize, usize),
    /// The present.
    pub now: Instant,
}

/// The region, as it should look.
#[must_use]
pub fn view(scene: &Scene<'_>) -> View {
    let (columns, rows) = scene.size;
    let width = columns.saturating_sub(1).max(8);
    let room = rows.saturating_sub(1).max(1);
    let paint = scene.look.paint;

    let (input, cursor) = input(scene, width, (room / 2).clamp(1, 12));
    let mut left = room - input.len().min(room);
    let mut below = choices(scene, width, left.min(CHOICES_MOST));
    left -= below.len();
    let question = question(scene, width, left.min(5));
    left -= question.len();
    let mut runs = running(scene, left);
    left -= runs.len();
    let waiting = waiting(scene.board, paint, left.min(3));
    left -= waiting.len();
    let plan = if scene.board.since.is_some() || scene.question.is_some() {
        plan(&scene.board.plan, paint, left.min(PLAN_MOST))
    } else {
        Vec::new()
    };
    left -= plan.len();
    let unfinished = unfinished(scene, width, left.min(room / 2));
    left -= unfinished.len();

    let mut lines = unfinished;
    if left > 0 && room > 4 {
        lines.push(String::new());
    }
    lines.extend(plan);
    lines.append(&mut runs);
    lines.extend(waiting);
    lines.extend(question);
    let first = lines.len();
    lines.extend(input);
    lines.append(&mut below);
    let lines = lines.iter().map(|line| wide::cut(line, width)).collect();
    View { lines, cursor: (first + cursor.0, cursor.1) }
}

fn unfinished(scene: &Scene<'_>, width: usize, most: usize) -> Vec<String> {
    let text = scene.unfinished;
    if text.trim().is_empty() || most == 0 {
        return Vec::new();
    }
    let mut from = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    // A long fence is drawn from a line of it, still as code.
    let open = text.lines().next().filter(|first| from > 0 && first.trim_start().starts_with("```"));
    let from = if from > 0 { text[from..].find('\n').map_or(from, |at| from + at + 1) } else { 0 };
    let tail =
        format!("{}{}", open.map(|first| format!("{first}\n")).unwrap_or_default(), clean(&text[from..]));
    let drawn = markdown::draw(&tail, scene.look);
    let mut lines: Vec<String> = match scene.look.paint {
        Paint::Plain => wide::fold(&wide::untab(drawn.trim_end()), width),
        Paint::Colour => drawn.trim_end().lines().map(str::to_owned).collect(),
    };
    let over = lines.len().saturating_sub(most);
    lines.drain(..over);
    lines
}

fn plan(plan: &[PlanItem], paint: Paint, most: usize) -> Vec<String> {
    if plan.is_empty() || most < 2 {
        return Vec::new();
    }
    let done = plan.iter().filter(|item| item.status == PlanStatus::Completed).count();
    let mut lines = vec![paint.bold(&format!("Plan {done}/{}", plan.len()))];
    // Of a long plan, what is done last, what is in hand and what comes next.
    let shown = most - 1;
    let hand = plan.iter().position(|item| item.status != PlanStatus::Completed).unwrap_or(plan.len());
    let from = if plan.len() <= shown { 0 } else { hand.saturating_sub(1).min(plan.len() - shown) };
    for item in plan.iter().skip(from).take(shown) {
        lines.push(item_line(item, paint));
    }
    let after = plan.len().saturating_sub(from + shown);
    if after > 0 && lines.len() > 2 {
        lines.pop();
        lines.push(paint.dim(&format!("  … {} more", after + 1)));
    }
    lines
}

fn running(scene: &Scene<'_>, most: usize) -> Vec<String> {
    let paint = scene.look.paint;
    let Some(since) = scene.board.since.filter(|_| scene.question.is_none() && most > 0) else {
        return Vec::new();
    };
    let spun = scene.now.duration_since(since).as_millis() / SPIN.as_millis();
    let spinner = SPINNER[usize::try_from(spun % SPINNER.len() as u128).unwrap_or(0)];
    let running = &scene.board.running;
    if running.is_empty() {
        let what = if !scene.board.remark.is_empty() {
            line(&scene.board.remark, 200)
        } else if scene.unfinished.trim().is_empty() {
            "thinking".to_owned()
        } else {
            "writing".to_owned()
        };
        let tail = format!("· {} · Ctrl+C stops", elapsed(scene.now.duration_since(since)));
        return vec![format!("{} {what} {}", paint.cyan(spinner), paint.dim(&tail))];
    }
    let mut lines: Vec<String> = running
        .iter()
        .take(RUNNING_MOST.min(most))
        .map(|one| {
            let time = elapsed(scene.now.duration_since(one.since));
            let log = if one.log.is_empty() { String::new() } else { format!(" · {}", line(&one.log, 120)) };
            let (tool, title) = (paint.cyan(&line(&one.tool, 40)), line(&one.title, 60));
            format!("{} {tool} {title} {}", paint.cyan(spinner), paint.dim(&format!("· {time}{log}")))
        })
        .collect();
    let more = running.len() - lines.len();
    if more > 0
        && let Some(last) = lines.last_mut()
    {
        last.push_str(&paint.dim(&format!(" · and {more} more")));
    }
    lines
}

/// A time that people read at a glance.
#[must_use]
pub fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{}:{:02}", seconds / 60, seconds % 60),
    }
}

fn waiting(board: &Board, paint: Paint, most: usize) -> Vec<String> {
    let words = || board.waiting.iter().filter(|said| !said.shown).map(|said| line(&said.text, 200));
    let count = words().count();
    let mut lines: Vec<String> =
        words().take(most).map(|text| paint.dim(&format!("queued: {text}"))).collect();
    if count > lines.len()
        && let Some(last) = lines.last_mut()
    {
        last.push_str(&paint.dim(&format!(" · and {} more", count - most)));
    }
    lines
}

fn question(scene: &Scene<'_>, width: usize, most: usize) -> Vec<String> {
    let Some(question) = scene.question else { return Vec::new() };
    let paint = scene.look.paint;
    let lines = markdown::folded(question.trim_end(), width);
    let over = lines.len().saturating_sub(most);
    lines[over..].iter().map(|line| paint.yellow(line)).collect()
}

fn choices(scene: &Scene<'_>, width: usize, most: usize) -> Vec<String> {
    let Some(choosing) = scene.prompt.choosing().filter(|_| most > 0) else { return Vec::new() };
    let paint = scene.look.paint;
    let all = &choosing.offer.choices;
    let rows = if all.len() > most { most.saturating_sub(1) } else { most };
    let from = choosing.chosen.map_or(0, |at| (at + 1).saturating_sub(rows));
    let shown = all.iter().enumerate().skip(from).take(rows);
    let widest =
        shown.clone().map(|(_, choice)| wide::columns(&choice.text)).max().unwrap_or(0).min(width / 2);
    let mut lines: Vec<String> = shown
        .map(|(at, choice)| {
            let pad = " ".repeat(widest.saturating_sub(wide::columns(&choice.text)));
            let chosen = choosing.chosen == Some(at);
            let text = line(&choice.text, 200);
            let (mark, text) = if chosen { ("▸", paint.bold(&text)) } else { (" ", text) };
            format!("{mark} {text}{pad}  {}", paint.dim(&line(&choice.note, 80)))
        })
        .collect();
    if lines.len() < all.len() {
        lines.push(paint.dim(&format!("  {} in all; Tab walks through them", all.len())));
    }
    lines
}

/// The input lines, with row and column of the cursor.
fn input(scene: &Scene<'_>, width: usize, most: usize) -> (Vec<String>, (usize, usize)) {
    let paint = scene.look.paint;
    let mark = match scene.prompt.search() {
        Some(search) => {
            let found = if search.at.is_some() || search.words.is_empty() { "" } else { " (nothing)" };
            format!("search {}{found}: ", line(&search.words, 40))
        }
        None => "> ".to_owned(),
    };
    let indent = wide::columns(&mark).min(width / 2);
    let room = width - indent;
    let buffer = scene.prompt.buffer();
    let lines = wide::fold(&wide::untab(buffer.text()), room);
    let before = wide::fold(&wide::untab(buffer.before()), room);
    let (row, column) = (before.len() - 1, before.last().map_or(0, |line| wide::columns(line)));
    let from = (row + 1).saturating_sub(most);
    let shown: Vec<String> = lines
        .iter()
        .enumerate()
        .skip(from)
        .take(most)
        .map(|(at, line)| {
            let before = if at == 0 { wide::cut(&mark, indent) } else { " ".repeat(indent) };
            format!("{}{line}", paint.bold(&before))
        })
        .collect();
    (shown, (row - from, indent + column))
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
