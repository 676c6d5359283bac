//! Other people's HTML as a small tree: enough to read documents, safe with hostile pages.
//!
//! Owns the tree and its limits: [`DEPTH`] open elements, [`NODES`] nodes, a pass that is linear in the page
//! whatever its markup. Never repairs misnested tags as a browser would, never runs or fetches anything. What is
//! no text for readers (scripts, styles, pictures, formulas that carry their own source) is left out.
//! Start at [`Tree::parse`]. It blocks: big pages go through `spawn_blocking`.

use std::collections::HashMap;

use html5gum::emitters::default::{DefaultEmitter, StartTag};
use html5gum::{Token, Tokenizer};
use tokio_util::sync::CancellationToken;

/// Elements that may be open at once; deeper ones are flattened.
pub const DEPTH: usize = 128;
/// Nodes of one tree; what comes after them is left out.
pub const NODES: usize = 1_000_000;
/// Tokens between two looks at whether somebody has stopped the work.
const LOOKS: usize = 1_024;
/// Attributes that readers need.
const KEPT: &[&str] = &["class", "id", "href", "alttext", "alt", "display", "encoding", "title"];
/// Elements without content.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
/// What is never text for readers.
const UNREAD: &[&str] = &["script", "style", "svg", "template", "noscript", "iframe", "object", "canvas"];
/// Elements that end an element of the same name that was left open.
const SIBLINGS: &[&str] = &["p", "li", "td", "th", "tr", "dt", "dd", "option"];
/// None of these stands inside another.
const HEADINGS: &[&str] = &["h1", "h2", "h3", "h4", "h5", "h6"];
/// Where these begin or end, whatever was being left out has ended.
const LANDMARKS: &[&str] =
    &["section", "article", "main", "body", "h1", "h2", "h3", "h4", "h5", "h6", "footer"];

/// A node's place in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(usize);

/// A page.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    whole: bool,
}

#[derive(Debug)]
struct Node {
    content: Content,
    first: Option<usize>,
    last: Option<usize>,
    next: Option<usize>,
}

/// What stands at a place.
#[derive(Debug)]
pub enum Content {
    /// An element; its children hang below it.
    Element(Element),
    /// Text, with entities resolved.
    Text(String),
}

/// An element's name and the attributes that readers need.
#[derive(Debug)]
pub struct Element {
    name: String,
    attributes: Vec<(&'static str, String)>,
}

impl Element {
    /// Its name in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An attribute's value, where it is one that is kept.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| *it == name).map(|(_, value)| value.as_str())
    }

    /// Its classes.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.attribute("class").unwrap_or_default().split_ascii_whitespace()
    }

    /// Whether it has this class.
    #[must_use]
    pub fn is(&self, class: &str) -> bool {
        self.classes().any(|it| it == class)
    }
}

/// The work was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped")]
pub struct Stopped;

impl Tree {
    /// Reads a page. Any bytes give a tree; what they do not mean is left out.
    ///
    /// # Errors
    /// Only if it was stopped.
    pub fn parse(page: &[u8], cancel: &CancellationToken) -> Result<Self, Stopped> {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        let mut builder = Builder::new();
        for (count, Ok(token)) in Tokenizer::new_with_emitter(page, emitter).enumerate() {
            if count % LOOKS == 0 && cancel.is_cancelled() {
                return Err(Stopped);
            }
            if builder.nodes.len() >= NODES {
                return Ok(Self { nodes: builder.nodes, whole: false });
            }
            match token {
                Token::StartTag(tag) => builder.open(&tag),
                Token::EndTag(tag) => builder.close(&String::from_utf8_lossy(&tag.name)),
                Token::String(text) => builder.text(&text.value),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        Ok(Self { nodes: builder.nodes, whole: true })
    }

    /// Whether all of the page is in it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The node above all others; it is no element of the page.
    #[must_use]
    pub fn root(&self) -> Id {
        Id(0)
    }

    /// What stands there.
    #[must_use]
    pub fn content(&self, id: Id) -> &Content {
        &self.nodes[id.0].content
    }

    /// The element there, if it is one.
    #[must_use]
    pub fn element(&self, id: Id) -> Option<&Element> {
        match self.content(id) {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        }
    }

    /// What hangs directly below, in order.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.nodes[id.0].first, |at| self.nodes[*at].next).map(Id)
    }

    /// The first element below that is wanted, in the page's order.
    pub fn find(&self, below: Id, wanted: impl Fn(&Element) -> bool) -> Option<Id> {
        self.all(below, wanted).next()
    }

    /// All elements below that are wanted, in the page's order.
    pub fn all(&self, below: Id, wanted: impl Fn(&Element) -> bool) -> impl Iterator<Item = Id> {
        self.below(below).filter(move |id| self.element(*id).is_some_and(&wanted))
    }

    /// Elements below that are wanted, but none inside another that is.
    #[must_use]
    pub fn outermost(&self, below: Id, wanted: impl Fn(&Element) -> bool) -> Vec<Id> {
        let mut found = Vec::new();
        let mut todo: Vec<usize> = self.nodes[below.0].first.into_iter().collect();
        while let Some(at) = todo.pop() {
            let node = &self.nodes[at];
            todo.extend(node.next);
            match &node.content {
                Content::Element(element) if wanted(element) => found.push(Id(at)),
                _ => todo.extend(node.first),
            }
        }
        found
    }

    /// The text below, as it stands in the page.
    #[must_use]
    pub fn text(&self, below: Id) -> String {
        let mut out = String::new();
        if let Content::Text(text) = self.content(below) {
            out.push_str(text);
        }
        for id in self.below(below) {
            if let Content::Text(text) = self.content(id) {
                out.push_str(text);
            }
        }
        out
    }

    fn below(&self, id: Id) -> impl Iterator<Item = Id> {
        let mut todo: Vec<usize> = self.nodes[id.0].first.into_iter().collect();
        std::iter::from_fn(move || {
            let at = todo.pop()?;
            let node = &self.nodes[at];
            todo.extend(node.next);
            todo.extend(node.first);
            Some(Id(at))
        })
    }
}

/// What is being left out: the element's name, and how many of this name are open.
struct Skip {
    name: String,
    open: usize,
}

struct Builder {
    nodes: Vec<Node>,
    /// Open elements; the root is the first.
    open: Vec<usize>,
    /// How many of each name are open, so that an end tag without a beginning costs nothing.
    counts: HashMap<String, usize>,
    /// Elements that are open below the depth limit.
    flattened: usize,
    skip: Option<Skip>,
}

impl Builder {
    fn new() -> Self {
        let root = Content::Element(Element { name: String::new(), attributes: Vec::new() });
        let root = Node { content: root, first: None, last: None, next: None };
        Self { nodes: vec![root], open: vec![0], counts: HashMap::new(), flattened: 0, skip: None }
    }

    fn hang(&mut self, content: Content) -> usize {
        let at = self.nodes.len();
        let above = self.open.last().copied().unwrap_or(0);
        self.nodes.push(Node { content, first: None, last: None, next: None });
        match self.nodes[above].last.replace(at) {
            Some(before) => self.nodes[before].next = Some(at),
            None => self.nodes[above].first = Some(at),
        }
        at
    }

    fn open(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        if let Some(skip) = &mut self.skip {
            if LANDMARKS.contains(&name.as_str()) {
                self.skip = None;
            } else {
                skip.open += usize::from(name == skip.name && !tag.self_closing);
                return;
            }
        }
        let headings = HEADINGS.contains(&name.as_str()) && HEADINGS.contains(&self.top());
        let siblings = SIBLINGS.contains(&name.as_str()) && self.top() == name;
        if (headings || siblings) && self.flattened == 0 {
            self.pop();
        }
        let attributes: Vec<_> = KEPT
            .iter()
            .filter_map(|kept| {
                let value = tag.attributes.get(kept.as_bytes())?;
                Some((*kept, String::from_utf8_lossy(&value.value).into_owned()))
            })
            .collect();
        let formula =
            name == "math" && attributes.iter().any(|(it, value)| *it == "alttext" && !value.is_empty());
        let unread = formula || UNREAD.contains(&name.as_str());
        let void = VOID.contains(&name.as_str());
        let foreign = name == "math" || name == "svg";
        let at = self.hang(Content::Element(Element { name: name.clone(), attributes }));
        if void || (foreign && tag.self_closing) {
            return;
        }
        if unread {
            self.skip = Some(Skip { name, open: 1 });
        } else if self.open.len() > DEPTH {
            self.flattened += 1;
        } else {
            *self.counts.entry(name).or_default() += 1;
            self.open.push(at);
        }
    }

    fn close(&mut self, name: &str) {
        if let Some(skip) = &mut self.skip {
            if name == skip.name {
                skip.open -= 1;
                if skip.open == 0 {
                    self.skip = None;
                }
                return;
            }
            if !LANDMARKS.contains(&name) {
                return;
            }
            self.skip = None;
        }
        if self.flattened > 0 {
            self.flattened -= 1;
            return;
        }
        if self.counts.get(name).is_none_or(|open| *open == 0) {
            return;
        }
        while self.open.len() > 1 && self.top() != name {
            self.pop();
        }
        self.pop();
    }

    fn top(&self) -> &str {
        match self.open.last().map(|at| &self.nodes[*at].content) {
            Some(Content::Element(element)) => element.name(),
            _ => "",
        }
    }

    fn pop(&mut self) {
        if self.open.len() == 1 {
            return;
        }
        if let Some(at) = self.open.pop()
            && let Content::Element(element) = &self.nodes[at].content
            && let Some(open) = self.counts.get_mut(&element.name)
        {
            *open = open.saturating_sub(1);
        }
    }

    fn text(&mut self, text: &[u8]) {
        if self.skip.is_none() && !text.is_empty() {
            self.hang(Content::Text(String::from_utf8_lossy(text).into_owned()));
        }
    }
}

#[cfg(test)]
mod tests;
