//! A paper's page as LaTeXML makes it (arXiv and ar5iv), read into sections.
//!
//! One walk through the page in its order, so that a page whose sections are not closed, or not even opened, reads
//! the same: a heading begins a section, what follows belongs to it. Formulas keep their TeX, tables their rows,
//! notes stand where their mark is. Pure; how words are set is in [`ink`](super::ink). Start at [`read`].

use super::ink::{Display, Ink, Spacing};
use super::paper::{Paper, Section, split_number};
use crate::clients::html::{Content, Element, Id, Tree};

/// Parts of a page that are no part of the paper's text.
const UNREAD: &[&str] = &[
    "ltx_page_navbar",
    "ltx_page_header",
    "ltx_page_footer",
    "ltx_TOC",
    "ltx_authors",
    "ltx_dates",
    "ltx_listing_data",
    "ltx_note_mark",
    "ltx_tag_note",
    "ltx_note_type",
    "ltx_rdf",
    "ltx_indexphrase",
    "package-alerts",
];
/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "section",
    "article",
    "figure",
    "figcaption",
    "blockquote",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "table",
    "main",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
];
/// Classes of headings that begin a section, and how deep it is.
const HEADINGS: &[(&str, u8)] = &[
    ("ltx_title_part", 0),
    ("ltx_title_chapter", 0),
    ("ltx_title_section", 1),
    ("ltx_title_appendix", 1),
    ("ltx_title_bibliography", 1),
    ("ltx_title_acknowledgements", 1),
    ("ltx_title_glossary", 1),
    ("ltx_title_subsection", 2),
    ("ltx_title_subsubsection", 3),
];
/// Characters before the first heading that make a section of their own.
const PREAMBLE: usize = 200;

/// Reads the page. A page without a paper gives one without sections.
#[must_use]
pub fn read(tree: &Tree) -> Paper {
    let mut reader = Reader { tree, paper: Paper::default(), current: None, ink: Ink::default() };
    // Papers stand in one article; what is around it belongs to the site.
    let article = tree
        .find(tree.root(), |it| it.name() == "article" && it.is("ltx_document"))
        .or_else(|| tree.find(tree.root(), |it| it.is("ltx_document") && !it.is("package-alerts")));
    if article.is_some() || tree.find(tree.root(), |it| it.is("ltx_title")).is_some() {
        reader.below(article.unwrap_or(tree.root()));
    }
    reader.finish()
}

/// What an element is to a reader.
enum Part {
    Unread,
    Title,
    Heading(u8),
    RunIn,
    Abstract,
    Formula,
    Equations,
    Rows,
    Item,
    Note,
    Code,
    CodeLine,
    Break,
    Raised(char),
    Block,
    Inline,
}

fn part(element: &Element) -> Part {
    let name = element.name();
    let heading = matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
    match name {
        "nav" | "header" | "footer" | "button" | "form" | "title" | "head" => return Part::Unread,
        "math" => return Part::Formula,
        "br" => return Part::Break,
        "sup" if !element.is("ltx_note_mark") => return Part::Raised('^'),
        "sub" => return Part::Raised('_'),
        "pre" => return Part::Code,
        _ => {}
    }
    if element.classes().any(|class| UNREAD.contains(&class)) {
        return Part::Unread;
    }
    if heading && element.is("ltx_title") {
        if element.is("ltx_title_document") {
            return Part::Title;
        }
        if element.is("ltx_title_abstract") {
            return Part::Unread;
        }
        if let Some((_, level)) = HEADINGS.iter().find(|(class, _)| element.is(class)) {
            return Part::Heading(*level);
        }
        let named = element.classes().any(|class| class.starts_with("ltx_title_"));
        return match name {
            "h2" | "h3" | "h4" if !named => Part::Heading(name.as_bytes()[1] - b'1'),
            _ => Part::RunIn,
        };
    }
    if element.is("ltx_abstract") {
        Part::Abstract
    } else if element.is("ltx_eqn_table") || (name == "table" && element.is("ltx_equation")) {
        Part::Equations
    } else if name == "table" || element.is("ltx_tabular") {
        Part::Rows
    } else if element.is("ltx_bibitem") || name == "li" || name == "dd" {
        Part::Item
    } else if element.is("ltx_note") {
        Part::Note
    } else if element.is("ltx_verbatim") || element.is("ltx_listing") {
        Part::Code
    } else if element.is("ltx_listingline") {
        Part::CodeLine
    } else if BLOCKS.contains(&name) {
        Part::Block
    } else {
        Part::Inline
    }
}

struct Reader<'t> {
    tree: &'t Tree,
    paper: Paper,
    /// The section that text goes to; none before the first heading.
    current: Option<Section>,
    ink: Ink,
}

impl Reader<'_> {
    fn below(&mut self, id: Id) {
        let tree = self.tree;
        for child in tree.children(id) {
            match tree.content(child) {
                Content::Text(text) => self.ink.text(text),
                Content::Element(element) => self.element(child, element),
            }
        }
    }

    fn element(&mut self, id: Id, element: &Element) {
        match part(element) {
            Part::Unread => {}
            Part::Title => {
                let title = self.flat(id).0;
                let title = title.strip_prefix("Title:").unwrap_or(&title).trim();
                if self.paper.title.is_empty() {
                    self.paper.title = title.to_owned();
                }
            }
            Part::Heading(level) => self.heading(id, level),
            Part::RunIn => {
                let (title, tag) = self.flat(id);
                let gap = if title.starts_with(['.', ':', ',']) { "" } else { " " };
                let whole = [tag.trim(), title.trim()].join(gap);
                self.ink.block();
                self.ink.text(&format!("**{}** ", whole.trim()));
            }
            Part::Abstract => {
                let outer = std::mem::take(&mut self.ink);
                self.below(id);
                let summary = std::mem::replace(&mut self.ink, outer).finish();
                if self.paper.summary.is_empty() {
                    self.paper.summary = summary;
                }
            }
            Part::Formula => self.formula(id, element),
            Part::Equations => self.equations(id),
            Part::Rows => self.rows(id),
            Part::Item => self.item(id),
            Part::Note => {
                self.ink.text(" [note: ");
                self.below(id);
                self.ink.close("]");
            }
            Part::Code => {
                self.ink.block();
                let before = self.ink.spacing(Spacing::Stands);
                self.below(id);
                self.ink.spacing(before);
                self.ink.block();
            }
            Part::CodeLine => {
                self.below(id);
                self.ink.line();
            }
            Part::Break => self.ink.line(),
            Part::Raised(mark) => {
                let (text, _) = self.flat(id);
                if !text.is_empty() {
                    self.ink.close(&format!("{mark}{text}"));
                }
            }
            Part::Block => {
                self.ink.block();
                self.below(id);
                self.ink.block();
            }
            Part::Inline => self.below(id),
        }
    }

    /// The text below without its tag (its number), and the tag.
    fn aside(&mut self, id: Id) -> (String, String) {
        let tree = self.tree;
        let outer = std::mem::take(&mut self.ink);
        let mut tag = String::new();
        for child in tree.children(id) {
            match tree.content(child) {
                Content::Text(text) => self.ink.text(text),
                Content::Element(it) if it.is("ltx_tag") && tag.is_empty() => tag = tree.text(child),
                Content::Element(it) if it.is("ltx_note") => {}
                Content::Element(it) => self.element(child, it),
            }
        }
        let text = std::mem::replace(&mut self.ink, outer).finish();
        (text, tag)
    }

    /// The same on one line.
    fn flat(&mut self, id: Id) -> (String, String) {
        let (text, tag) = self.aside(id);
        (text.split_whitespace().collect::<Vec<_>>().join(" "), tag)
    }

    fn heading(&mut self, id: Id, level: u8) {
        let (title, tag) = self.flat(id);
        let tag = tag.trim().trim_end_matches(['.', ':']).trim();
        let bare = ["Appendix", "Section", "Chapter", "Part", "§"]
            .iter()
            .find_map(|word| tag.strip_prefix(word))
            .unwrap_or(tag)
            .trim();
        let (number, title) = match bare {
            "" => split_number(&title),
            _ => (Some(bare.to_owned()), title.as_str()),
        };
        self.turn_to(Some(Section { number, title: title.to_owned(), level, text: String::new() }));
    }

    /// Ends the section in hand and begins the next.
    fn turn_to(&mut self, next: Option<Section>) {
        let text = std::mem::take(&mut self.ink).finish();
        match std::mem::replace(&mut self.current, next) {
            Some(section) => self.paper.sections.push(Section { text, ..section }),
            None if text.chars().count() >= PREAMBLE => self.paper.sections.push(Section {
                title: "Before the first section".to_owned(),
                level: 1,
                text,
                number: None,
            }),
            None => {}
        }
    }

    fn formula(&mut self, id: Id, element: &Element) {
        let tex = match element.attribute("alttext") {
            Some(tex) => tex.to_owned(),
            None => {
                let source = self.tree.find(id, |it| {
                    it.name() == "annotation" && it.attribute("encoding") == Some("application/x-tex")
                });
                self.tree.text(source.unwrap_or(id))
            }
        };
        let tex = tex.replace("%\n", "");
        let tex = tex.split_whitespace().collect::<Vec<_>>().join(" ");
        let tex = tex.strip_prefix("\\displaystyle").unwrap_or(&tex).trim();
        if !tex.is_empty() {
            let block = element.attribute("display") == Some("block");
            self.ink.formula(tex, if block { Display::Block } else { Display::Inline });
        }
    }

    /// Each row of a table of equations becomes one line: the formula, and its number.
    fn equations(&mut self, id: Id) {
        let tree = self.tree;
        let rows = tree.outermost(id, |it| it.name() == "tr");
        let rows = if rows.is_empty() { vec![id] } else { rows };
        for row in rows {
            let tag = tree.find(row, |it| it.is("ltx_tag")).map(|tag| tree.text(tag)).unwrap_or_default();
            let outer = std::mem::replace(&mut self.ink, Ink::bare());
            for cell in tree.children(row) {
                if let Some(it) = tree.element(cell)
                    && !it.is("ltx_eqn_eqno")
                {
                    self.ink.text(" ");
                    self.below(cell);
                }
            }
            let tex = std::mem::replace(&mut self.ink, outer).finish();
            let tex = tex.split_whitespace().collect::<Vec<_>>().join(" ");
            if !tex.is_empty() {
                self.ink.block();
                self.ink.text(format!("$$ {tex} $$ {}", tag.trim()).trim());
                self.ink.block();
            }
        }
    }

    /// Each row of a table becomes one line with its cells between bars.
    fn rows(&mut self, id: Id) {
        let tree = self.tree;
        let is_row = |it: &Element| it.name() == "tr" || it.is("ltx_tr");
        let is_cell = |it: &Element| matches!(it.name(), "td" | "th") || it.is("ltx_td");
        self.ink.block();
        let rows = tree.outermost(id, is_row);
        for row in &rows {
            let mut cells = Vec::new();
            for cell in tree.children(*row).filter(|cell| tree.element(*cell).is_some_and(is_cell)) {
                cells.push(self.flat(cell).0);
            }
            if cells.iter().any(|cell| !cell.is_empty()) {
                self.ink.text(&format!("| {} |", cells.join(" | ")));
                self.ink.line();
            }
        }
        if rows.is_empty() {
            self.below(id);
        }
        self.ink.block();
    }

    fn item(&mut self, id: Id) {
        let (text, tag) = self.aside(id);
        let tag = tag.trim();
        let tag = if tag.chars().any(char::is_alphanumeric) { format!("{tag} ") } else { String::new() };
        if !text.is_empty() {
            self.ink.line();
            self.ink.close(&format!("- {tag}{}", text.replace("\n\n", "\n")));
            self.ink.line();
        }
    }

    fn finish(mut self) -> Paper {
        self.turn_to(None);
        self.paper.whole = self.tree.is_whole();
        self.paper
    }
}

#[cfg(test)]
mod tests;
