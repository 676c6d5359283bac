//! Reads a Python script without running it: whether it is Python at all, and what can be known from its text.
//!
//! The parser is recursive, so a script made to be deep could end the process: what nests deeper than Python
//! itself allows is refused first (`nesting`), and the rest is read on a thread with a deep stack of its own.
//! Never runs anything, never looks at a file. Start at [`read`].

mod look;
mod metadata;
mod nesting;
pub mod packages;
mod standard;

use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

pub use look::{Facts, Import};

/// Bytes of a script that are read.
pub const LARGEST: usize = 512 * 1024;
/// Bytes of stack for the reading: [`nesting`] bounds what is needed to a part of it.
const STACK: usize = 128 * 1024 * 1024;

/// What is wrong with a script: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no Python.
    #[error("syntax error in line {line}, column {column}: {message}\n\n{excerpt}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What the parser says.
        message: String,
        /// The line with a caret under the place.
        excerpt: String,
    },
    /// It nests deeper than Python allows.
    #[error("it nests too deeply to be read, near line {line}")]
    TooDeep {
        /// From 1; lines within long texts are not counted.
        line: usize,
    },
    /// It is too long to be a script.
    #[error(
        "it has {bytes} bytes; a script may have {LARGEST} at most. Put data into a dataset or a file on the Hub"
    )]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// It holds bytes that no text has.
    #[error("it holds a zero byte: that is no text")]
    Binary,
}

/// What can be known from the text of a script.
///
/// # Errors
/// It cannot be read: [`Unreadable`] says where.
pub fn read(source: &str) -> Result<Facts, Unreadable> {
    if source.len() > LARGEST {
        return Err(Unreadable::TooLong { bytes: source.len() });
    }
    if source.contains('\0') {
        return Err(Unreadable::Binary);
    }
    if let Some(line) = nesting::too_deep(source) {
        return Err(Unreadable::TooDeep { line });
    }
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("python".to_owned()).stack_size(STACK);
        let reading = reader.spawn_scoped(scope, || parsed(source));
        // Where no thread can be had nothing is known of the script, which is no fault of its own.
        reading.ok().and_then(|reading| reading.join().ok()).unwrap_or_else(|| Ok(Facts::unknown(source)))
    })
}

fn parsed(source: &str) -> Result<Facts, Unreadable> {
    let parsed = parse_unchecked(source, ParseOptions::from(Mode::Module));
    if let Some(first) = parsed.errors().iter().min_by_key(|error| error.location.start()) {
        return Err(wrong(source, first.location.start().to_usize(), &first.error.to_string()));
    }
    let Some(module) = parsed.try_into_module() else { return Ok(Facts::unknown(source)) };
    Ok(look::at(source, module.syntax()))
}

fn wrong(source: &str, offset: usize, message: &str) -> Unreadable {
    let (line, column) = place(source, offset);
    let text: String = source.lines().nth(line - 1).unwrap_or_default().replace('\t', " ");
    // Of a very long line the part around the place.
    let from = column.saturating_sub(60).min(text.chars().count());
    let part: String = text.chars().skip(from).take(100).collect();
    let number = line.to_string();
    let indent = " ".repeat(column - 1 - from.min(column - 1));
    let blank = " ".repeat(number.len());
    let excerpt = format!("{number} | {part}\n{blank} | {indent}^");
    Unreadable::Syntax { line, column, message: message.to_owned(), excerpt }
}

/// Line and column of a byte, from 1, the column in characters.
fn place(source: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &source[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
