//! The region on a terminal that a test can read.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;

#[derive(Clone)]
struct Glass(Arc<Mutex<(vt100::Parser, Vec<usize>)>>);

impl Glass {
    fn new(rows: u16, columns: u16) -> Self {
        Self(Arc::new(Mutex::new((
            vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 100),
            Vec::new(),
        ))))
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().0.screen().contents()
    }

    fn cursor(&self) -> (u16, u16) {
        self.0.lock().unwrap().0.screen().cursor_position()
    }

    fn last_write(&self) -> usize {
        self.0.lock().unwrap().1.last().copied().unwrap_or(0)
    }

    fn writes(&self) -> usize {
        self.0.lock().unwrap().1.len()
    }
}

impl Write for Glass {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut held = self.0.lock().unwrap();
        held.0.process(bytes);
        held.1.push(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn view(lines: &[&str], cursor: (usize, usize)) -> View {
    View { lines: lines.iter().map(|line| (*line).to_owned()).collect(), cursor }
}

fn region(rows: u16, columns: u16) -> (Region, Glass) {
    let glass = Glass::new(rows, columns);
    (Region::new(Box::new(glass.clone()), usize::from(columns)), glass)
}

#[test]
fn text_goes_above_and_the_region_stays_below() {
    let (mut region, glass) = region(5, 20);
    region.frame("", view(&["plan", "> "], (1, 2)));
    region.frame("one\ntwo\n", view(&["plan", "> "], (1, 2)));
    assert_eq!((glass.text().as_str(), glass.cursor()), ("one\ntwo\nplan\n> ", (3, 2)));
    region.frame("three\nfour\nfive\n", view(&["> x"], (0, 3)));
    assert_eq!(glass.text(), "two\nthree\nfour\nfive\n> x", "what does not fit scrolls away");
    region.frame("six\n", View::default());
    assert!(glass.text().trim_end().ends_with("five\nsix"), "{}", glass.text());
}

#[test]
fn it_grows_shrinks_and_collapses_in_place() {
    let (mut region, glass) = region(5, 20);
    region.frame("top\n", view(&["> "], (0, 2)));
    region.frame("", view(&["a", "b", "c", "> "], (3, 2)));
    assert_eq!(glass.text(), "top\na\nb\nc\n> ");
    region.frame("", view(&["a", "b", "c", "d", "> "], (4, 2)));
    assert_eq!(glass.text(), "a\nb\nc\nd\n> ", "the screen scrolls when the region needs room");
    region.frame("", view(&["> "], (0, 2)));
    assert_eq!((glass.text().trim_end(), glass.cursor()), (">", (0, 2)));
    region.clear();
    assert_eq!((glass.text().trim_end(), glass.cursor()), ("", (0, 0)));
}

#[test]
fn a_shorter_region_below_new_text_leaves_nothing_behind() {
    let (mut region, glass) = region(8, 20);
    region.frame("", view(&["a", "b", "c", "d", "> "], (4, 2)));
    region.frame("text\n", view(&["> "], (0, 2)));
    assert_eq!((glass.text().trim_end(), glass.cursor()), ("text\n>", (1, 2)));
    region.frame("", view(&["a", "b", "c", "> "], (3, 2)));
    region.frame("more\n", View::default());
    assert_eq!((glass.text().trim_end(), glass.cursor()), ("text\nmore", (2, 0)));
}

#[test]
fn a_frame_costs_what_changed_and_nothing_costs_nothing() {
    let (mut region, glass) = region(10, 80);
    let wide = "x".repeat(70);
    region.frame("", view(&[&wide, &wide, "⠋ 1 s", "> "], (3, 2)));
    let writes = glass.writes();
    region.frame("", view(&[&wide, &wide, "⠋ 1 s", "> "], (3, 2)));
    assert_eq!(glass.writes(), writes);
    region.frame("", view(&[&wide, &wide, "⠙ 2 s", "> "], (3, 2)));
    assert_eq!(glass.writes(), writes + 1, "one write per frame");
    assert!(glass.last_write() < 64, "{} bytes", glass.last_write());
    assert_eq!(glass.text().lines().nth(2), Some("⠙ 2 s"));
}

#[test]
fn the_cursor_is_where_the_view_says() {
    let (mut region, glass) = region(10, 80);
    region.frame("", view(&["plan", "> one", "  two"], (1, 4)));
    assert_eq!(glass.cursor(), (1, 4));
    region.frame("", view(&["plan", "> one", "  two"], (2, 5)));
    assert_eq!(glass.cursor(), (2, 5));
    region.redraw();
    assert_eq!((glass.text().as_str(), glass.cursor()), ("plan\n> one\n  two", (2, 5)));
}

#[test]
fn another_width_leaves_no_trace_of_the_old_lines() {
    let (mut region, glass) = region(10, 80);
    region.frame("kept\n", view(&["plan of the day", "> hello"], (1, 7)));
    glass.0.lock().unwrap().0.screen_mut().set_size(10.try_into().unwrap(), 40.try_into().unwrap());
    region.resize(40);
    region.frame("", view(&["plan", "> hello"], (1, 7)));
    assert_eq!(glass.text(), "kept\nplan\n> hello");
}

const ROWS: usize = 10;

/// One frame: so many lines above, so many in the region, the cursor at this row.
fn frames() -> impl Strategy<Value = Vec<(usize, Vec<u8>, usize)>> {
    proptest::collection::vec((0..4_usize, proptest::collection::vec(0..3_u8, 0..ROWS), 0..ROWS), 1..25)
}

proptest! {
    /// Whatever frames come, the screen is what was finished with the region right below it.
    #[test]
    fn the_screen_is_always_what_it_should_be(frames in frames()) {
        let (mut region, glass) = region(10, 30);
        let (mut finished, mut scrolled) = (Vec::new(), 0);
        for (number, (above, lines, row)) in frames.into_iter().enumerate() {
            let fresh: Vec<String> = (0..above).map(|at| format!("done {number}.{at}")).collect();
            let lines: Vec<String> = lines.iter().enumerate().map(|(at, kind)| format!("{at} {kind}")).collect();
            let row = row.min(lines.len().saturating_sub(1));
            let text: String = fresh.iter().map(|line| format!("{line}\n")).collect();
            region.frame(&text, View { lines: lines.clone(), cursor: (row, lines.len().min(1)) });
            finished.extend(fresh);
            // With nothing in the region the cursor needs a row of its own.
            let (first, rows) = (finished.len(), finished.len() + lines.len().max(1));
            scrolled = scrolled.max(rows.saturating_sub(ROWS));
            let all: Vec<String> = finished.iter().cloned().chain(lines.iter().cloned()).collect();
            let expected = all[scrolled..].join("\n");
            let seen = glass.text();
            prop_assert_eq!(seen.trim_end(), expected.trim_end(), "frame {}", number);
            prop_assert_eq!(usize::from(glass.cursor().0), first + row - scrolled, "frame {}", number);
        }
    }
}
