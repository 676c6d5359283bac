//! `hf_papers`: finding papers, reading them section by section, following citations, and what is linked to them.
//!
//! Every operation only reads and is free. Arguments are checked in [`arguments`]; what is said about each answer
//! is in the other files. Nothing here talks HTTP. Start at [`HfPapers`].

mod arguments;
mod details;
mod lists;
mod reading;
mod resources;
mod words;

use async_trait::async_trait;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::arguments::{Arguments, Request, Wanted, checked};
use self::words::{Failure, Told};
use super::words::capped;
use crate::agent::tool::{Assessment, BadArguments, CallContext, Place, Tool, ToolError, parameters};
use crate::clients::papers::Papers;
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::secret::Secret;
use crate::text::redact_known;

/// The `hf_papers` tool.
pub struct HfPapers {
    papers: Papers,
    cap: usize,
    secrets: Vec<Secret>,
}

impl HfPapers {
    /// Reads papers from these services; says at most `cap` characters, and none of these secrets.
    #[must_use]
    pub fn new(papers: Papers, cap: usize, secrets: Vec<Secret>) -> Self {
        Self { papers, cap, secrets }
    }

    async fn answer(&self, request: &Request, cancel: &CancellationToken) -> Told {
        let (papers, limit) = (&self.papers, request.limit);
        match &request.wanted {
            Wanted::Trending { date, words } => {
                lists::trending(papers, date.as_deref(), words.as_deref(), limit, cancel).await
            }
            Wanted::Search { words, filters: None } => lists::search(papers, words, limit, cancel).await,
            Wanted::Search { words, filters: Some(filters) } => {
                lists::filtered(papers, words, filters, limit, cancel).await
            }
            Wanted::Passages { words, filters } => {
                lists::passages(papers, words, filters, limit, cancel).await
            }
            Wanted::LikeOne(id) => lists::like_one(papers, id, limit, cancel).await,
            Wanted::LikeThese { like, unlike } => {
                lists::like_these(papers, like, unlike, limit, cancel).await
            }
            Wanted::Details(id) => details::details(papers, id, cancel).await,
            Wanted::Graph { id, direction } => details::graph(papers, id, *direction, limit, cancel).await,
            Wanted::Read { id, section, offset } => {
                reading::read(papers, id, section.as_deref(), *offset, cancel).await
            }
            Wanted::Linked { kind, id, sort } => {
                resources::linked(papers, *kind, id, (sort, limit), cancel).await
            }
            Wanted::Collections(id) => resources::collections(papers, id, limit, cancel).await,
            Wanted::Resources(id) => resources::all(papers, id, cancel).await,
        }
    }
}

#[async_trait]
impl Tool for HfPapers {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hf_papers".to_owned(),
            description: "Find and read research papers, and what Hugging Face has that belongs to them.\n\
                - search: papers by words; with dates, categories, min_citations or sort_by it asks Semantic Scholar. \
                trending: papers of a day.\n\
                - paper_details: abstract, authors, code, citation counts. read_paper: the sections of a paper, then \
                one section at a time with its formulas; long sections go on with offset.\n\
                - snippet_search: passages inside papers. citation_graph: what it cites and what cites it, with the \
                sentences. recommend: papers like one, or like some and unlike others.\n\
                - find_datasets, find_models, find_collections, find_all_resources: what on the Hub names the paper.\n\
                A recipe is in the sections on method and experiments, not in the abstract: read those."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let request = checked(value)?;
        let operation = Some(request.operation.name().to_owned());
        let title = crate::text::first_line(&request.title(), 120).into_owned();
        Ok(Assessment { operation, ..Assessment::reads(title) })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let request = checked(&value)?;
        let told = self.answer(&request, &context.cancel).await;
        if context.cancel.is_cancelled() {
            return Err(ToolError::Cancelled);
        }
        let (text, success) = match told {
            Ok(text) => (text, true),
            Err(Failure::Stopped) => return Err(ToolError::Cancelled),
            Err(Failure::Told(text)) => (text, false),
        };
        let note = request.note.as_ref().map(|note| format!("\n\n[{note}]")).unwrap_or_default();
        let text = redact_known(&text, &self.secrets).into_owned();
        let output = format!(
            "{}{note}",
            capped(text.trim_end(), self.cap, "ask for fewer with `limit`, or for one part")
        );
        Ok(ToolOutcome { success, ..ToolOutcome::done(output) })
    }
}
