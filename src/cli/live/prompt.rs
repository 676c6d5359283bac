//! The input line: text, history, search and completion together.
//!
//! Owns [`Prompt`] and what a command does to it. Never draws and never looks at the world; what Tab
//! offers comes in with [`Prompt::offer`].

use super::bindings::Command;
use super::buffer::{Buffer, Edit};
use super::complete::{self, Offer};
use super::history::{History, Unwritten};

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// At most the line looks different now.
    Edited,
    /// The text is to be taken as it is.
    Submitted(String),
    /// Somebody must say what can come next: [`Prompt::offer`].
    Completing,
    /// Ctrl+C.
    Interrupt,
    /// Ctrl+D on an empty line.
    Leave,
    /// The region is to be drawn anew.
    Redraw,
    /// Ctrl+Z.
    Suspend,
}

/// A search in history on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What is looked for.
    pub words: String,
    /// Where it was found.
    pub at: Option<usize>,
    before: String,
}

/// What Tab offers, with the choice in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choosing {
    /// What is offered.
    pub offer: Offer,
    /// The choice that stands in the text.
    pub chosen: Option<usize>,
}

/// The input line.
#[derive(Debug, Default)]
pub struct Prompt {
    buffer: Buffer,
    history: History,
    /// The place in history, and what was being typed before.
    browsing: Option<(usize, String)>,
    search: Option<Search>,
    choosing: Option<Choosing>,
}

impl Prompt {
    /// An empty line with this history.
    #[must_use]
    pub fn new(history: History) -> Self {
        Self { history, ..Self::default() }
    }

    /// The text being typed.
    #[must_use]
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The search on its way.
    #[must_use]
    pub fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// What Tab offers.
    #[must_use]
    pub fn choosing(&self) -> Option<&Choosing> {
        self.choosing.as_ref()
    }

    /// Takes the text out, whatever was going on.
    pub fn take(&mut self) -> String {
        (self.browsing, self.search, self.choosing) = (None, None, None);
        self.buffer.take()
    }

    /// Puts a text in.
    pub fn set(&mut self, text: &str) {
        self.take();
        self.buffer.set(text);
    }

    /// Keeps a line in history.
    pub fn remember(&mut self, text: &str) -> Option<Unwritten> {
        self.history.add(text)
    }

    /// Text that was pasted: its line breaks submit nothing.
    pub fn paste(&mut self, text: &str) {
        self.end_search();
        self.choosing = None;
        self.buffer.apply(&Edit::Insert(text.to_owned()));
    }

    /// Does what a command says.
    pub fn press(&mut self, command: Command) -> Pressed {
        if let Some(pressed) = self.search_takes(&command) {
            return pressed;
        }
        match command {
            Command::Complete if self.choosing.is_some() => self.choose(Towards::Next),
            Command::CompleteBack if self.choosing.is_some() => self.choose(Towards::Last),
            Command::Complete => return Pressed::Completing,
            Command::CompleteBack => {}
            command => {
                self.choosing = None;
                return self.do_it(command);
            }
        }
        Pressed::Edited
    }

    fn do_it(&mut self, command: Command) -> Pressed {
        match command {
            Command::Edit(Edit::Up) if !self.buffer.has_above() => self.browse(Towards::Last),
            Command::Edit(Edit::Down) if !self.buffer.has_below() => self.browse(Towards::Next),
            Command::Earlier => self.browse(Towards::Last),
            Command::Later => self.browse(Towards::Next),
            Command::Edit(edit) => self.buffer.apply(&edit),
            // A backslash at the end of the text goes on in the next line.
            Command::Submit
                if self.buffer.text().ends_with('\\') && self.buffer.at() == self.buffer.text().len() =>
            {
                self.buffer.apply(&Edit::Backspace);
                self.buffer.apply(&Edit::Insert("\n".to_owned()));
            }
            Command::Submit => return Pressed::Submitted(self.take()),
            Command::Search => {
                self.search =
                    Some(Search { words: String::new(), at: None, before: self.buffer.text().to_owned() });
            }
            Command::Interrupt => return Pressed::Interrupt,
            Command::End if self.buffer.text().is_empty() => return Pressed::Leave,
            Command::End => self.buffer.apply(&Edit::Delete),
            Command::Redraw => return Pressed::Redraw,
            Command::Suspend => return Pressed::Suspend,
            Command::Escape | Command::Complete | Command::CompleteBack => {}
        }
        Pressed::Edited
    }

    /// Offers what can come next; a single choice is put in at once.
    pub fn offer(&mut self, offer: Offer) {
        match offer.choices.as_slice() {
            [] => {}
            [only] => {
                let end = if only.text.ends_with('/') { "" } else { " " };
                self.buffer.replace_before(offer.from, &format!("{}{end}", only.text));
            }
            several => {
                let common = complete::common(several);
                if common.len() > self.buffer.at().saturating_sub(offer.from) {
                    self.buffer.replace_before(offer.from, common);
                }
                self.choosing = Some(Choosing { offer, chosen: None });
            }
        }
    }

    fn choose(&mut self, towards: Towards) {
        let Some(choosing) = &mut self.choosing else { return };
        let count = choosing.offer.choices.len();
        let next = match (choosing.chosen, towards) {
            (None, Towards::Next) => 0,
            (None | Some(0), Towards::Last) => count - 1,
            (Some(at), Towards::Next) => (at + 1) % count,
            (Some(at), Towards::Last) => at - 1,
        };
        choosing.chosen = Some(next);
        if let Some(choice) = choosing.offer.choices.get(next) {
            self.buffer.replace_before(choosing.offer.from, &choice.text);
        }
    }

    fn browse(&mut self, towards: Towards) {
        let newest = self.history.count();
        let (at, draft) = self.browsing.take().unwrap_or_else(|| (newest, self.buffer.text().to_owned()));
        let next = match towards {
            Towards::Last => at.saturating_sub(1),
            Towards::Next => at + 1,
        };
        match self.history.get(next) {
            Some(entry) => {
                let entry = entry.to_owned();
                self.buffer.set(&entry);
                self.browsing = Some((next, draft));
            }
            None => self.buffer.set(&draft),
        }
    }

    /// What a search does with a command; `None` if it is none of its business (any more).
    fn search_takes(&mut self, command: &Command) -> Option<Pressed> {
        let search = self.search.as_mut()?;
        match command {
            Command::Edit(Edit::Insert(text)) if text != "\n" => search.words.push_str(text),
            Command::Edit(Edit::Backspace) => {
                search.words.pop();
            }
            Command::Search => {
                let before = search.at.unwrap_or(usize::MAX);
                if let Some(found) = self.history.find(&search.words, before) {
                    search.at = Some(found);
                    self.show_found();
                }
                return Some(Pressed::Edited);
            }
            Command::Escape | Command::Interrupt => {
                let before = std::mem::take(&mut search.before);
                self.search = None;
                self.buffer.set(&before);
                return Some(Pressed::Edited);
            }
            // Anything else takes what was found and goes on with it.
            _ => {
                self.end_search();
                return None;
            }
        }
        search.at = if search.words.is_empty() { None } else { self.history.find(&search.words, usize::MAX) };
        self.show_found();
        Some(Pressed::Edited)
    }

    fn show_found(&mut self) {
        let found = self.search.as_ref().and_then(|search| search.at).and_then(|at| self.history.get(at));
        if let Some(found) = found.map(str::to_owned) {
            self.buffer.set(&found);
        }
    }

    fn end_search(&mut self) {
        self.search = None;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Last,
    Next,
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
