//! Markdown in a terminal: what marks mean, wrapped at the terminal's width with hanging indents.
//!
//! Owns [`draw`]. Without colours the text stays exactly as it was written, so that it can be piped
//! into a file. Code has one colour: a highlighter's grammars would weigh more than the rest of this
//! program. `spans` wraps, `table` lays tables out, `links` says where words lead.

mod links;
mod spans;
mod table;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use self::spans::{Span, Style};
use self::table::Table;
use super::clean::clean;
use super::look::Look;
use super::paint::Paint;
use super::wide;

/// Draws cleaned Markdown: whole lines, and an empty one behind it if the text ends with one.
#[must_use]
pub fn draw(text: &str, look: &Look) -> String {
    if look.paint == Paint::Plain {
        return text.to_owned();
    }
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut drawing = Drawing::new(look);
    for event in Parser::new_ext(text, options) {
        drawing.take(event);
    }
    drawing.flush();
    let mut out = drawing.out;
    if !out.is_empty() && text.trim_end_matches([' ', '\t']).ends_with("\n\n") {
        out.push('\n');
    }
    out
}

/// Plain text in lines of at most so many columns, broken at words.
#[must_use]
pub fn folded(text: &str, width: usize) -> Vec<String> {
    let lines = spans::wrap(&[Span::new(text, Style::default())], width);
    lines.into_iter().map(|line| line.into_iter().map(|span| span.text).collect()).collect()
}

/// What stands before the lines of a list item or a quote.
struct Margin {
    /// Before its first line, until that is drawn.
    first: Option<String>,
    /// Before every other.
    rest: String,
}

struct Drawing<'a> {
    look: &'a Look,
    out: String,
    /// The paragraph on its way.
    line: Vec<Span>,
    styles: Vec<Style>,
    /// Where the words on their way lead, with the place in `line` where they began.
    link: Option<(String, usize)>,
    margins: Vec<Margin>,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    table: Option<Table>,
    code: Option<String>,
    /// Whether a blank line is due before the next block.
    gap: bool,
}

impl<'a> Drawing<'a> {
    fn new(look: &'a Look) -> Self {
        Self {
            look,
            out: String::new(),
            line: Vec::new(),
            styles: vec![Style::default()],
            link: None,
            margins: Vec::new(),
            lists: Vec::new(),
            table: None,
            code: None,
            gap: false,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            // Character references (`&#27;`) become characters only here.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&clean(&text)),
            Event::Code(text) => self.push(&clean(&text), Style::CODE),
            Event::SoftBreak => self.text(" "),
            Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.space();
                let rule = "─".repeat(self.room().min(40));
                self.put(vec![Span::new(rule, Style::DIM)]);
                self.gap = true;
            }
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => self.space(),
            Tag::Heading { level, .. } => {
                self.space();
                let title = Style::BOLD;
                self.dress(if level == HeadingLevel::H1 { title.and(Style::UNDERLINE) } else { title });
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.margins.push(Margin { first: None, rest: "│ ".to_owned() });
            }
            Tag::CodeBlock(kind) => {
                self.block();
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => clean(info),
                    CodeBlockKind::Indented => String::new(),
                };
                self.put(vec![Span::new(format!("```{}", language.trim()), Style::DIM)]);
                self.code = Some(String::new());
            }
            Tag::HtmlBlock => self.block(),
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.space();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                self.space();
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".to_owned(),
                };
                self.margins.push(Margin { rest: " ".repeat(wide::columns(&mark)), first: Some(mark) });
            }
            Tag::Table(alignments) => {
                self.block();
                self.table = Some(Table { alignments, rows: Vec::new() });
            }
            Tag::TableHead | Tag::TableRow => {
                if tag == Tag::TableHead {
                    self.dress(Style::BOLD);
                }
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::Emphasis => self.dress(Style::ITALIC),
            Tag::Strong => self.dress(Style::BOLD),
            Tag::Strikethrough => self.dress(Style::STRIKE),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link = Some((clean(&dest_url), self.line.len()));
                self.dress(Style::UNDERLINE);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.flush();
                self.gap = true;
            }
            TagEnd::Heading(_) => {
                self.flush();
                self.undress();
                self.gap = true;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.margins.pop();
                self.gap = true;
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.flush();
                // An item without words still shows its mark.
                if self.margins.last().is_some_and(|margin| margin.first.is_some()) {
                    self.put(Vec::new());
                }
                self.margins.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.line);
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(cell);
                }
            }
            TagEnd::TableHead => self.undress(),
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    table.lines(self.room()).into_iter().for_each(|line| self.put(line));
                }
                self.gap = true;
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.undress(),
            TagEnd::Link | TagEnd::Image => {
                self.undress();
                if let Some((address, from)) = self.link.take() {
                    let from = from.min(self.line.len());
                    links::lead(&mut self.line, from, &address, self.look.links);
                }
            }
            _ => {}
        }
    }

    fn end_code(&mut self) {
        let code = self.code.take().unwrap_or_default();
        // Not wrapped: a terminal that wraps it itself lets people copy whole lines.
        for line in code.lines() {
            self.put(vec![Span::new(wide::untab(line), Style::CODE)]);
        }
        self.put(vec![Span::new("```", Style::DIM)]);
        self.gap = true;
    }

    fn text(&mut self, text: &str) {
        match &mut self.code {
            Some(code) => code.push_str(text),
            None => self.push(text, Style::default()),
        }
    }

    fn push(&mut self, text: &str, more: Style) {
        let style = self.styles.last().copied().unwrap_or_default().and(more);
        self.line.push(Span::new(wide::untab(text), style));
    }

    fn dress(&mut self, more: Style) {
        let style = self.styles.last().copied().unwrap_or_default();
        self.styles.push(style.and(more));
    }

    fn undress(&mut self) {
        if self.styles.len() > 1 {
            self.styles.pop();
        }
    }

    /// Columns that text may take inside the margins.
    fn room(&self) -> usize {
        let margins: usize = self.margins.iter().map(|margin| wide::columns(&margin.rest)).sum();
        self.look.width.saturating_sub(margins).max(8)
    }

    /// A block that is no paragraph begins.
    fn block(&mut self) {
        self.flush();
        self.space();
    }

    /// Draws the blank line that is due.
    fn space(&mut self) {
        if std::mem::take(&mut self.gap) && !self.out.is_empty() {
            let margins: String = self.margins.iter().map(|margin| margin.rest.as_str()).collect();
            self.out.push_str(&spans::paint(&[Span::new(margins.trim_end(), Style::DIM)], self.look));
            self.out.push('\n');
        }
    }

    /// Draws the paragraph on its way.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            spans::wrap(&line, self.room()).into_iter().for_each(|line| self.put(line));
        }
    }

    /// Draws one line inside the margins.
    fn put(&mut self, line: Vec<Span>) {
        let margins: String = self
            .margins
            .iter_mut()
            .map(|margin| margin.first.take().unwrap_or_else(|| margin.rest.clone()))
            .collect();
        let margins = if line.is_empty() { margins.trim_end().to_owned() } else { margins };
        let mut whole = if margins.is_empty() { Vec::new() } else { vec![Span::new(margins, Style::DIM)] };
        whole.extend(line);
        self.out.push_str(&spans::paint(&whole, self.look));
        self.out.push('\n');
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
