//! Redaction of text that arrives in pieces: a secret does not slip through because it was cut in two.
//!
//! Holds back only what may still become part of a secret: the last word, a telling name whose value is not
//! complete, the beginning of a configured secret. Start at [`Flow::push`].

use std::sync::Arc;

use super::names::name_across;
use super::shapes::bearer_before;
use super::{key_character, redact};
use crate::secret::Secret;

/// Bytes that are held back at most: no secret is so long.
const MOST: usize = 16 * 1024;

/// Text on its way.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    secrets: Arc<[Secret]>,
    held: String,
}

impl Flow {
    /// A flow out of which these secrets are taken, and all that looks like one.
    #[must_use]
    pub fn new(secrets: Arc<[Secret]>) -> Self {
        Self { secrets, held: String::new() }
    }

    /// Takes a piece in, and gives what can be shown by now. All that is given together is what
    /// [`redact`] makes of the whole text.
    #[must_use]
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let end = match self.doubtful() {
            at if self.held.len() - at > MOST => self.forced(),
            at => at,
        };
        self.release(end)
    }

    /// The end: everything that was held back comes out.
    #[must_use]
    pub fn finish(&mut self) -> String {
        self.release(self.held.len())
    }

    /// What was held back is void.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    fn release(&mut self, end: usize) -> String {
        let out = redact(&self.held[..end], &self.secrets).into_owned();
        self.held.drain(..end);
        out
    }

    /// From where on what is held may be part of a secret whose rest is still to come: always the beginning
    /// of a word, and never inside of anything that is taken out as one.
    fn doubtful(&self) -> usize {
        let text = self.held.as_str();
        let mut at = word_start(text, text.len());
        loop {
            let spans = [name_across(text, at), bearer_before(text, at), self.value_across(at)];
            match spans.into_iter().flatten().min().map(|start| word_start(text, start)) {
                Some(start) if start < at => at = start,
                _ => return at,
            }
        }
    }

    /// Where a configured secret begins that goes on behind `at`, or may do so.
    fn value_across(&self, at: usize) -> Option<usize> {
        let text = self.held.as_bytes();
        let across = |secret: &Secret| {
            let secret = secret.reveal().as_bytes();
            let first = at.saturating_sub(secret.len().saturating_sub(1));
            (first..at).find(|start| {
                let here = &text[*start..text.len().min(start + secret.len())];
                secret.starts_with(here)
            })
        };
        self.secrets.iter().filter(|secret| !secret.is_empty()).filter_map(across).min()
    }

    /// Too much is held back: all goes but what may be the beginning of a key or of a configured secret.
    fn forced(&self) -> usize {
        let bytes = self.held.as_bytes();
        let tail = bytes.iter().rev().take(MOST / 2).take_while(|b| key_character(**b)).count();
        let end = bytes.len() - if tail < MOST / 2 { tail } else { 0 };
        let end = self.value_across(end).or(self.value_across(bytes.len())).map_or(end, |at| at.min(end));
        (0..=end).rev().find(|at| self.held.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// Where the word begins that holds the place before `at`.
fn word_start(text: &str, at: usize) -> usize {
    let bytes = &text.as_bytes()[..at];
    bytes.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1)
}
