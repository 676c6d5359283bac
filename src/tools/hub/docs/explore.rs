//! `explore_hf_docs`: the pages of a library's documentation, or those that fit a query best.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::endpoints::Endpoint;
use super::library::{Glimpse, Library, Need, Reading, Snapshot};
use super::told;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::clients::docs::DocsError;
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::{count, cut};
use crate::tools::hub::HubAccess;

/// Results when the model names no number, and at most.
const RESULTS: usize = 20;
const MOST: usize = 50;
/// How long one call goes on reading pages.
const PATIENCE: Duration = Duration::from_secs(90);

/// The `explore_hf_docs` tool.
pub struct ExploreDocs {
    access: HubAccess,
    library: Arc<Library>,
    cap: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// Which documentation. `optimum` and `courses` are several at once.
    endpoint: Endpoint,
    /// Words to rank the pages by; any of them may occur. Without it the pages come in the order of the sidebar.
    #[serde(default)]
    query: Option<String>,
    /// How many pages to show: 1 to 50, 20 if left out.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    max_results: Option<i64>,
}

impl Arguments {
    fn checked(value: &Value) -> Result<Self, BadArguments> {
        let mut explore: Self = arguments(value)?;
        if explore.max_results.is_some_and(|most| most < 1) {
            return Err(BadArguments("`max_results` must be a number from 1 to 50".to_owned()));
        }
        explore.query = explore.query.map(|query| query.trim().to_owned()).filter(|query| !query.is_empty());
        Ok(explore)
    }

    fn most(&self) -> usize {
        self.max_results.map_or(RESULTS, |most| usize::try_from(most).unwrap_or(MOST).clamp(1, MOST))
    }
}

impl ExploreDocs {
    pub(super) fn new(access: HubAccess, library: Arc<Library>, cap: usize) -> Self {
        Self { access, library, cap }
    }

    /// Every part of an endpoint; parts that cannot be read are named.
    async fn parts(
        &self,
        explore: &Arguments,
        context: &CallContext,
    ) -> Result<Result<Parts, String>, ToolError> {
        let token = self.access.token(&context.requester).await;
        let progress = Arc::clone(&context.progress);
        let tell = move |line: &str| progress.line(line);
        let until = tokio::time::Instant::now() + PATIENCE;
        let reading = Reading { token: token.as_ref(), until, cancel: &context.cancel, tell: &tell };
        let mut shown = explore.most();
        let (mut read, mut failed) = (Vec::new(), Vec::new());
        for part in explore.endpoint.parts() {
            let need = if explore.query.is_some() { Need::All } else { Need::First(shown) };
            match self.library.shelf(&part, need, &reading).await? {
                Ok(shelf) => {
                    shown = shown.saturating_sub(shelf.pages.len());
                    read.push((part.name, shelf));
                }
                Err(error) => failed.push((part.name, error)),
            }
        }
        Ok(match (&read[..], &failed[..]) {
            ([], [(name, error)]) => Err(format!(
                "The documentation of `{name}` at {}/docs/{name} cannot be listed: {}",
                self.library.docs().hub(),
                told(error)
            )),
            ([], failed) => {
                let why: Vec<String> =
                    failed.iter().map(|(name, error)| format!("- {name}: {}", told(error))).collect();
                Err(format!("None of these documentations can be listed:\n{}", why.join("\n")))
            }
            _ => Ok(Parts { read, failed }),
        })
    }

    async fn gradio(&self, explore: &Arguments, context: &CallContext) -> Result<ToolOutcome, ToolError> {
        let docs = self.library.docs();
        let found = async {
            match &explore.query {
                Some(query) => docs.gradio_search(query).await,
                None => docs.page(&docs.gradio_list(), None).await.map(|page| page.text),
            }
        };
        let found = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            found = found => found,
        };
        let list = docs.gradio_list();
        let text = match found {
            Ok(text) => text,
            Err(error) => {
                return Ok(ToolOutcome::failed(format!("Gradio's documentation: {}", told(&error))));
            }
        };
        let total = text.chars().count();
        let shown: String = text.chars().take(self.cap).collect();
        let mut out = match &explore.query {
            Some(query) => format!("Documentation of Gradio for “{query}”:\n\n"),
            None => format!("Documentation of Gradio, from {list}:\n\n"),
        };
        out.push_str(&shown);
        if total > self.cap {
            let rest = match &explore.query {
                Some(_) => "ask for something narrower to see the rest".to_owned(),
                None => format!("go on with fetch_hf_docs, url={list}, offset={}", self.cap),
            };
            let _ = write!(out, "\n\n[Cut here: {} of {total} characters are shown; {rest}.]", self.cap);
        }
        Ok(ToolOutcome::done(out))
    }
}

#[async_trait]
impl Tool for ExploreDocs {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "explore_hf_docs".to_owned(),
            description: "Find pages in the documentation of a Hugging Face library or product. Without `query` it lists \
                          the pages in their order; with `query` it ranks all pages by their words. Each result has a \
                          title, an address and the beginning of the page: read the ones that matter with \
                          fetch_hf_docs before you write code, since your own memory of these libraries is older than \
                          they are. Searching a large library for the first time takes a while. For `gradio`, `query` \
                          asks Gradio's own search, in whole sentences if you like."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let explore = Arguments::checked(value)?;
        let name = explore.endpoint.name();
        Ok(Assessment::reads(match &explore.query {
            Some(query) => format!("Search the {name} docs for “{}”", cut(query, 60)),
            None => format!("List the {name} docs"),
        }))
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let explore = Arguments::checked(&value)?;
        if explore.endpoint == Endpoint::Gradio {
            return self.gradio(&explore, &context).await;
        }
        let parts = match self.parts(&explore, &context).await? {
            Ok(parts) => parts,
            Err(why) => return Ok(ToolOutcome::failed(why)),
        };
        let cap = self.cap;
        let out = tokio::task::spawn_blocking(move || parts.show(&explore, cap)).await;
        Ok(ToolOutcome::done(out.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?))
    }
}

/// What was read of an endpoint.
struct Parts {
    read: Vec<(String, Snapshot)>,
    failed: Vec<(String, DocsError)>,
}

/// A page to show: which part it is in, its number there, and how well it fits.
#[derive(Clone, Copy)]
struct Found {
    part: usize,
    page: usize,
    score: Option<f64>,
}

impl Parts {
    fn show(&self, explore: &Arguments, cap: usize) -> rusqlite::Result<String> {
        let most = explore.most();
        let total: usize = self.read.iter().map(|(_, shelf)| shelf.pages.len()).sum();
        let mut notes = Vec::new();
        if explore.max_results.is_some_and(|asked| usize::try_from(asked).is_ok_and(|asked| asked > MOST)) {
            notes.push(format!("`max_results` is {MOST} at most."));
        }
        let mut found = match &explore.query {
            Some(query) => self.search(query)?,
            None => Vec::new(),
        };
        let matching = found.len();
        if found.is_empty() {
            if explore.query.is_some() {
                notes.push(
                    "No page has any of these words; these are the pages in their usual order.".to_owned(),
                );
            }
            found = self.in_order();
        }
        found.truncate(most);
        notes.extend(self.gaps(explore.query.is_some()));
        let homes: Vec<&str> = self.read.iter().map(|(_, shelf)| shelf.home.as_str()).collect();
        let mut out = format!("Documentation of `{}`: {}\n", explore.endpoint.name(), homes.join(", "));
        let headline = match &explore.query {
            Some(query) if matching > 0 => format!(
                "Query “{}”: {} of {}, best first; {} in all.",
                cut(query, 200),
                found.len(),
                count(matching, "matching page"),
                count(total, "page")
            ),
            _ => format!("{} of {}.", found.len(), count(total, "page")),
        };
        let _ = writeln!(out, "{headline}");
        for note in &notes {
            let _ = writeln!(out, "Note: {note}");
        }
        self.list(&mut out, &found, cap);
        Ok(out)
    }

    fn search(&self, query: &str) -> rusqlite::Result<Vec<Found>> {
        let mut found = Vec::new();
        for (part, (_, shelf)) in self.read.iter().enumerate() {
            if let Some(index) = &shelf.index {
                let hits = index.find(query, shelf.pages.len())?;
                let hits = hits.into_iter().filter(|hit| hit.row < shelf.pages.len());
                found.extend(hits.map(|hit| Found { part, page: hit.row, score: Some(hit.score) }));
            }
        }
        found.sort_by(|one, other| other.score.unwrap_or(0.0).total_cmp(&one.score.unwrap_or(0.0)));
        Ok(found)
    }

    fn in_order(&self) -> Vec<Found> {
        let parts = self.read.iter().enumerate();
        parts
            .flat_map(|(part, (_, shelf))| {
                (0..shelf.pages.len()).map(move |page| Found { part, page, score: None })
            })
            .collect()
    }

    /// What could not be read, so that nobody takes silence for absence.
    fn gaps(&self, searched: bool) -> Vec<String> {
        let mut notes: Vec<String> = self
            .failed
            .iter()
            .map(|(name, error)| format!("`{name}` is left out: {}", told(error)))
            .collect();
        if !searched {
            return notes;
        }
        let pages = || self.read.iter().flat_map(|(_, shelf)| &shelf.pages);
        let without = pages().filter(|page| !matches!(page.glimpse, Glimpse::Read(_))).count();
        let why = pages().find_map(|page| match &page.glimpse {
            Glimpse::Failed(error) if *error != DocsError::NotFound => Some(told(error)),
            _ => None,
        });
        if without > 0 {
            notes.push(format!(
                "{} ranked by title alone, because the text was not read{} The same call goes on reading them.",
                match without {
                    1 => "1 page is".to_owned(),
                    several => format!("{several} pages are"),
                },
                why.map_or_else(|| ".".to_owned(), |why| format!(": {why}"))
            ));
        }
        notes
    }

    /// The results, as many as fit; the rest is counted.
    fn list(&self, out: &mut String, found: &[Found], cap: usize) {
        for (number, one) in found.iter().enumerate() {
            let (name, shelf) = &self.read[one.part];
            let page = &shelf.pages[one.page];
            let mut entry =
                format!("\n{}. **{}**\n   URL: {}\n   Section: {name}\n", number + 1, page.title, page.url);
            if let Some(score) = one.score {
                let _ = writeln!(entry, "   Score: {score:.2}");
            }
            match &page.glimpse {
                Glimpse::Read(text) => {
                    let _ = writeln!(entry, "   Glimpse: {text}");
                }
                Glimpse::Unread => entry.push_str("   Glimpse: (not read yet)\n"),
                Glimpse::Failed(error) => {
                    let _ = writeln!(entry, "   Glimpse: (could not be read: {error})");
                }
            }
            if out.chars().count() + entry.chars().count() > cap {
                let left = found.len() - number;
                let _ = write!(out, "\n[{} left out for length; narrow the query.]\n", count(left, "result"));
                break;
            }
            out.push_str(&entry);
        }
        out.push_str("\nRead a page with fetch_hf_docs.");
    }
}
