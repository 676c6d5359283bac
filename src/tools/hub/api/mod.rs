//! `find_hf_api`: endpoints of the Hub's HTTP API, by words or by tag.
//!
//! The API's description is fetched at the first call ([`catalogue`]), read by [`document`] and shown by [`show`].

mod catalogue;
mod document;
mod show;

use std::fmt::Write as _;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::catalogue::{Catalogue, Known};
use super::HubKit;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::{count, cut, nearest};

/// Results of a query.
const RESULTS: usize = 20;
/// Endpoints that are named in one line each after the output is full.
const NAMED: usize = 40;
/// Tags that are listed.
const TAGS: usize = 150;

/// The `find_hf_api` tool.
pub struct FindApi {
    catalogue: std::sync::Arc<Catalogue>,
    cap: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// Words for what you want to do, e.g. `create branch` or `space secrets`. Any of them may occur.
    #[serde(default)]
    query: Option<String>,
    /// Only endpoints of this tag, e.g. `models`, `jobs`. A tag that does not exist gets you the list of those that do.
    #[serde(default)]
    tag: Option<String>,
}

impl Arguments {
    fn checked(value: &Value) -> Result<Self, BadArguments> {
        let find: Self = arguments(value)?;
        let filled =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let find = Self { query: filled(find.query), tag: filled(find.tag) };
        if find.query.is_none() && find.tag.is_none() {
            return Err(BadArguments("give `query`, `tag` or both".to_owned()));
        }
        Ok(find)
    }
}

impl FindApi {
    /// Finds endpoints of the kit's Hub.
    #[must_use]
    pub fn new(kit: &HubKit) -> Self {
        let catalogue = Catalogue::new(kit.docs.clone(), kit.clock.clone(), &kit.cache);
        Self { catalogue: std::sync::Arc::new(catalogue), cap: kit.output_cap }
    }
}

#[async_trait]
impl Tool for FindApi {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "find_hf_api".to_owned(),
            description: "Find endpoints of the Hugging Face Hub's HTTP API by what they do (`query`) or by area (`tag`). \
                          Each comes with its parameters, what it returns and a curl command. Use it where no other tool \
                          does what is needed. Commands on this machine have no token (`$HF_TOKEN` is empty): with bash \
                          only public reads work there. In a sandbox and in a job it is set."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let find = Arguments::checked(value)?;
        Ok(Assessment::reads(match (&find.query, &find.tag) {
            (Some(query), _) => format!("Find Hub API endpoints for “{}”", cut(query, 60)),
            (None, tag) => {
                format!("List Hub API endpoints of {}", cut(tag.as_deref().unwrap_or_default(), 60))
            }
        }))
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let find = Arguments::checked(&value)?;
        // The fetching goes on if this call is stopped: the next one finds it done.
        let catalogue = std::sync::Arc::clone(&self.catalogue);
        let known = tokio::spawn(async move { catalogue.known().await });
        let known = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            known = known => known.map_err(anyhow::Error::from)??,
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                return Ok(ToolOutcome::failed(format!(
                    "The description of the Hub's API at {}/.well-known/openapi.json cannot be read: {error}. \
                     The pages of `explore_hf_docs` (endpoint `hub`) describe the API, too.",
                    self.catalogue.hub()
                )));
            }
        };
        let (hub, cap) = (self.catalogue.hub().to_owned(), self.cap);
        let shown = tokio::task::spawn_blocking(move || answer(&known, &find, &hub, cap)).await;
        Ok(shown.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?)
    }
}

/// What is found, for the model.
fn answer(known: &Known, find: &Arguments, hub: &str, cap: usize) -> rusqlite::Result<ToolOutcome> {
    let tagged = find.tag.as_deref().map(|tag| of_tag(known, tag));
    if tagged.as_ref().is_some_and(Vec::is_empty) {
        return Ok(ToolOutcome::failed(no_tag(known, find.tag.as_deref().unwrap_or_default())));
    }
    let within = |row: usize| tagged.as_ref().is_none_or(|rows| rows.binary_search(&row).is_ok());
    let hits: Vec<(usize, Option<f64>)> = match &find.query {
        Some(query) => {
            let hits = known.index.find(query, known.endpoints.len())?;
            hits.into_iter().filter(|hit| within(hit.row)).map(|hit| (hit.row, Some(hit.score))).collect()
        }
        None => Vec::new(),
    };
    let asked = match (&find.query, &find.tag) {
        (Some(query), Some(tag)) => format!("“{}” with the tag `{}`", cut(query, 200), cut(tag, 80)),
        (Some(query), None) => format!("“{}”", cut(query, 200)),
        (None, tag) => format!("the tag `{}`", cut(tag.as_deref().unwrap_or_default(), 80)),
    };
    let mut out = format!("Endpoints of the Hub's API for {asked}\n");
    let found = if hits.is_empty() {
        let Some(rows) = tagged else {
            let _ = write!(out, "None: no endpoint has any of these words. Tags: {}.", tags(known));
            return Ok(ToolOutcome::done(out));
        };
        if find.query.is_some() {
            out.push_str("Note: no endpoint of this tag has any of these words; these are all of the tag.\n");
        }
        let _ = writeln!(out, "{}.", count(rows.len(), "endpoint"));
        rows.into_iter().map(|row| (row, None)).collect()
    } else {
        let shown = match hits.len() {
            few @ ..=RESULTS => format!("{}, best first.", count(few, "endpoint")),
            many => format!("The {RESULTS} best of {many} endpoints."),
        };
        let _ = writeln!(out, "{shown}");
        hits.into_iter().take(RESULTS).collect::<Vec<_>>()
    };
    list(&mut out, known, &found, hub, cap);
    Ok(ToolOutcome::done(out))
}

/// Endpoints as far as there is room, then their names, then their number.
fn list(out: &mut String, known: &Known, found: &[(usize, Option<f64>)], hub: &str, cap: usize) {
    // Some room stays for the names of what does not fit.
    let room = cap.saturating_sub(cap / 6);
    let mut left = found.iter().enumerate().peekable();
    while let Some((number, (row, score))) = left.peek() {
        let entry = show::entry(hub, &known.endpoints[*row], number + 1, *score);
        if *number > 0 && out.chars().count() + entry.chars().count() > room {
            break;
        }
        out.push_str(&cut(&entry, room));
        left.next();
    }
    let names: Vec<String> = left.map(|(_, (row, _))| show::line(&known.endpoints[*row])).collect();
    if names.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\nLeft out for length ({}; ask for them by their words):",
        count(names.len(), "endpoint")
    );
    let mut shown = 0;
    for name in names.iter().take(NAMED) {
        if out.chars().count() + name.chars().count() + 40 > cap {
            break;
        }
        let _ = writeln!(out, "- {name}");
        shown += 1;
    }
    if shown < names.len() {
        let _ = writeln!(out, "- and {} more", names.len() - shown);
    }
}

/// The endpoints of a tag, in order: those that have it exactly, else those of whose tags it is a part.
fn of_tag(known: &Known, tag: &str) -> Vec<usize> {
    let tag = tag.to_lowercase();
    let rows = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let all = known.endpoints.iter().enumerate();
        all.filter(|(_, one)| one.tags.iter().any(|it| fits(&it.to_lowercase())))
            .map(|(row, _)| row)
            .collect()
    };
    let exact = rows(&|it| it == tag);
    if exact.is_empty() { rows(&|it| it.contains(&tag)) } else { exact }
}

fn no_tag(known: &Known, tag: &str) -> String {
    let near = nearest(tag, known.tags.iter().map(String::as_str));
    let near = match near.first() {
        Some(name) => format!(" Did you mean `{name}`?"),
        None => String::new(),
    };
    format!("There is no tag `{}`.{near} The tags are: {}.", cut(tag, 80), tags(known))
}

fn tags(known: &Known) -> String {
    let mut tags: Vec<&str> = known.tags.iter().map(String::as_str).take(TAGS).collect();
    let more = format!("and {} more", known.tags.len().saturating_sub(TAGS));
    if known.tags.len() > TAGS {
        tags.push(&more);
    }
    tags.join(", ")
}
