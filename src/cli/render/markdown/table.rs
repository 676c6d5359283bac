//! Tables of Markdown: aligned, with wrapped cells where they are too wide, or row by row.
//!
//! Owns the layout only. Start at [`Table::lines`].

use pulldown_cmark::Alignment;

use super::super::wide;
use super::spans::{Span, Style, columns, wrap};

/// A column is never squeezed below this ...
const NARROWEST: usize = 8;
/// ... nor below its longest word, unless that is longer than this. A table that needs more is drawn row by
/// row.
const LONG_WORD: usize = 24;
/// What stands between two columns.
const BETWEEN: &str = " │ ";

/// A table on its way.
#[derive(Debug, Default)]
pub struct Table {
    /// How each column is aligned.
    pub alignments: Vec<Alignment>,
    /// Rows of cells; the first is the head.
    pub rows: Vec<Vec<Vec<Span>>>,
}

type Line = Vec<Span>;

impl Table {
    /// The table in at most `width` columns.
    #[must_use]
    pub fn lines(&self, width: usize) -> Vec<Line> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        if count == 0 {
            return Vec::new();
        }
        let between = BETWEEN.chars().count() * (count - 1);
        let natural: Vec<usize> = (0..count)
            .map(|at| {
                self.rows
                    .iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| columns(cell))
                    .max()
                    .unwrap_or(0)
                    .max(1)
            })
            .collect();
        let least: Vec<usize> =
            (0..count).map(|at| self.longest_word(at).clamp(NARROWEST, LONG_WORD)).collect();
        match squeezed(natural, &least, width.saturating_sub(between)) {
            Some(widths) => self.aligned(&widths),
            None => self.row_by_row(width),
        }
    }

    fn longest_word(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let words = cells.flatten().flat_map(|span| span.text.split_whitespace());
        words.map(wide::columns).max().unwrap_or(0)
    }

    fn aligned(&self, widths: &[usize]) -> Vec<Line> {
        let mut lines = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let cells: Vec<Vec<Line>> = widths
                .iter()
                .enumerate()
                .map(|(at, width)| wrap(row.get(at).map_or(&[], Vec::as_slice), *width))
                .collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(1);
            for part in 0..height {
                let mut line = Vec::new();
                for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
                    if at > 0 {
                        line.push(Span::new(BETWEEN, Style::DIM));
                    }
                    let text = cell.get(part).cloned().unwrap_or_default();
                    let after = if at + 1 == widths.len() { After::Nothing } else { After::Cell };
                    line.extend(padded(text, *width, self.alignments.get(at).copied(), after));
                }
                lines.push(line);
            }
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
                lines.push(vec![Span::new(rule.join("─┼─"), Style::DIM)]);
            }
        }
        lines
    }

    /// Each row as lines of `head: value`.
    fn row_by_row(&self, width: usize) -> Vec<Line> {
        let Some((head, rows)) = self.rows.split_first() else { return Vec::new() };
        let mut lines = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            if number > 0 {
                lines.push(Vec::new());
            }
            for (at, cell) in row.iter().enumerate() {
                let mut spans = head.get(at).cloned().unwrap_or_default();
                spans.push(Span::new(": ", Style::default()));
                spans.extend(cell.iter().cloned());
                lines.extend(wrap(&spans, width));
            }
        }
        lines
    }
}

/// Takes from the widest columns until all fit; `None` if that would squeeze one too much.
fn squeezed(mut widths: Vec<usize>, least: &[usize], room: usize) -> Option<Vec<usize>> {
    let over = widths.iter().sum::<usize>().saturating_sub(room);
    for _ in 0..over {
        let (widest, _) = widths
            .iter_mut()
            .zip(least)
            .filter(|(width, least)| **width > **least)
            .max_by_key(|(width, _)| **width)?;
        *widest -= 1;
    }
    Some(widths)
}

fn padded(text: Line, width: usize, alignment: Option<Alignment>, after: After) -> Line {
    let free = width.saturating_sub(columns(&text));
    let before = match alignment {
        Some(Alignment::Right) => free,
        Some(Alignment::Center) => free / 2,
        _ => 0,
    };
    let space = |count: usize| (count > 0).then(|| Span::new(" ".repeat(count), Style::default()));
    let after = if after == After::Nothing { 0 } else { free - before };
    space(before).into_iter().chain(text).chain(space(after)).collect()
}

/// What follows a cell; behind the last one no spaces are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Cell,
    Nothing,
}
