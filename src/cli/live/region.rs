//! The few lines at the bottom of the terminal that are drawn again and again.
//!
//! Owns [`Region`]: what stands there, and the fewest bytes that turn it into something else. One write
//! per frame, only the lines that changed, never a cleared screen; finished text goes above the region
//! and scrolls into the terminal's own history. Knows nothing of what the lines mean.

use std::fmt::Write as _;
use std::io::Write;

use super::super::render::wide;

/// Begins a frame: the terminal shows nothing of it until its end (where it knows this), and no cursor
/// jumps about meanwhile.
const BEGIN: &str = "\u{1b}[?2026h\u{1b}[?25l";
const END: &str = "\u{1b}[?25h\u{1b}[?2026l";

/// What stands in the region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The lines, drawn; none wider than the terminal less one column.
    pub lines: Vec<String>,
    /// Row and column of the cursor.
    pub cursor: (usize, usize),
}

/// The region on its terminal.
pub struct Region {
    out: Box<dyn Write + Send>,
    columns: usize,
    drawn: View,
}

impl Region {
    /// An empty region on a terminal with so many columns; the cursor stands at the start of a line.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, columns: usize) -> Self {
        Self { out, columns, drawn: View::default() }
    }

    /// Puts `above` (whole lines, or nothing) above the region and turns the region into `view`.
    /// Writes nothing if nothing changes.
    pub fn frame(&mut self, above: &str, view: View) {
        if above.is_empty() && view == self.drawn {
            return;
        }
        let mut body = String::new();
        if above.is_empty() {
            self.change(&mut body, &view);
        } else {
            self.insert(&mut body, above, &view);
        }
        let _ = write!(body, "\r");
        if view.cursor.1 > 0 {
            let _ = write!(body, "\u{1b}[{}C", view.cursor.1);
        }
        self.drawn = view;
        self.write(&body);
    }

    /// Takes the region away; the cursor stands where it began.
    pub fn clear(&mut self) {
        self.frame("", View::default());
    }

    /// Somebody else has drawn here: nothing of the region stands any more, and the cursor is at the
    /// start of a line.
    pub fn forget(&mut self) {
        self.drawn = View::default();
    }

    /// The terminal has another width now: it may have wrapped what stood here. Takes it away, to be
    /// drawn anew.
    pub fn resize(&mut self, columns: usize) {
        let rows = |line: &String| wide::drawn(line).saturating_sub(1) / columns.max(1) + 1;
        let row = self.drawn.cursor.0.min(self.drawn.lines.len());
        let mut above: usize = self.drawn.lines[..row].iter().map(rows).sum();
        if columns < self.columns {
            above += self.drawn.cursor.1 / columns.max(1);
        }
        self.columns = columns;
        let mut body = String::new();
        up(&mut body, above);
        body.push_str("\r\u{1b}[J");
        self.drawn = View::default();
        self.write(&body);
    }

    /// Draws everything again.
    pub fn redraw(&mut self) {
        let view = std::mem::take(&mut self.drawn);
        let mut body = String::new();
        up(&mut body, view.cursor.0);
        body.push_str("\r\u{1b}[J");
        self.write(&body);
        self.frame("", view);
    }

    /// Empties the whole screen, because the person asked for it.
    pub fn wipe(&mut self) {
        self.drawn = View::default();
        self.write("\u{1b}[2J\u{1b}[H");
    }

    /// Only the lines that differ.
    fn change(&self, body: &mut String, view: &View) {
        let old = &self.drawn.lines;
        let mut row = self.drawn.cursor.0;
        for (at, line) in view.lines.iter().enumerate() {
            if old.get(at) == Some(line) {
                continue;
            }
            // A row that does not exist yet is made by a line break in the one above it.
            if at >= old.len().max(1) {
                go(body, row, at - 1);
                body.push_str("\r\n");
            } else {
                go(body, row, at);
                body.push('\r');
            }
            row = at;
            body.push_str(line);
            body.push_str("\u{1b}[K");
        }
        if view.lines.len() < old.len() {
            let first = view.lines.len();
            go(body, row, first);
            body.push_str("\r\u{1b}[J");
            row = first;
        }
        go(body, row, view.cursor.0);
    }

    /// Lines above, then the whole region below them.
    fn insert(&self, body: &mut String, above: &str, view: &View) {
        up(body, self.drawn.cursor.0);
        body.push('\r');
        let mut rows = 0;
        for line in above.strip_suffix('\n').unwrap_or(above).split('\n') {
            let _ = write!(body, "{line}\u{1b}[K\r\n");
            rows += wide::drawn(line).saturating_sub(1) / self.columns.max(1) + 1;
        }
        for (at, line) in view.lines.iter().enumerate() {
            let _ = write!(body, "{}{line}\u{1b}[K", if at > 0 { "\r\n" } else { "" });
        }
        let last = view.lines.len().saturating_sub(1);
        if rows + view.lines.len() < self.drawn.lines.len() {
            if view.lines.is_empty() {
                body.push_str("\u{1b}[J");
            } else {
                body.push_str("\r\n\u{1b}[J");
                up(body, 1);
            }
        } else if view.lines.is_empty() {
            body.push_str("\u{1b}[K");
        }
        go(body, last, view.cursor.0);
    }

    fn write(&mut self, body: &str) {
        let frame = format!("{BEGIN}{body}{END}");
        // A terminal that went away is noticed by its signal.
        let _ = self.out.write_all(frame.as_bytes()).and_then(|()| self.out.flush());
    }
}

fn go(body: &mut String, from: usize, to: usize) {
    if to < from {
        up(body, from - to);
    } else if to > from {
        let _ = write!(body, "\u{1b}[{}B", to - from);
    }
}

fn up(body: &mut String, rows: usize) {
    if rows > 0 {
        let _ = write!(body, "\u{1b}[{rows}A");
    }
}

#[cfg(test)]
#[path = "region_tests.rs"]
mod tests;
