//! `fetch_hf_docs`: one page of documentation as Markdown, in pieces if it is long.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::told;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::clients::docs::{Address, Docs, DocsError, Page};
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::{cut, first_line};
use crate::tools::hub::HubAccess;

/// The `fetch_hf_docs` tool.
pub struct FetchDocs {
    access: HubAccess,
    docs: Docs,
    cap: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The page's address, e.g. https://huggingface.co/docs/trl/dpo_trainer. A `#heading` begins there.
    url: String,
    /// The first character to show, counted from 0, to read on in a long page.
    #[serde(default)]
    #[schemars(range(min = 0))]
    offset: Option<u64>,
}

impl FetchDocs {
    pub(super) fn new(access: HubAccess, docs: Docs, cap: usize) -> Self {
        Self { access, docs, cap }
    }

    fn checked(&self, value: &Value) -> Result<(Arguments, Address), BadArguments> {
        let fetch: Arguments = arguments(value)?;
        let address = self.docs.locate(&fetch.url).map_err(|why| BadArguments(format!("`url`: {why}")))?;
        Ok((fetch, address))
    }

    /// What the model reads of a page.
    fn show(&self, page: &Page, fetch: &Arguments, address: &Address) -> ToolOutcome {
        let total = page.text.chars().count();
        let named = address.anchor.as_deref().filter(|_| fetch.offset.is_none());
        let heading = named.map(|anchor| (anchor, heading_at(&page.text, anchor)));
        let start = match (fetch.offset, heading) {
            (Some(offset), _) => usize::try_from(offset).unwrap_or(usize::MAX),
            (None, Some((_, Some(at)))) => at,
            (None, _) => 0,
        };
        if start > 0 && start >= total {
            return ToolOutcome::failed(format!(
                "The page {} has {total} characters; offset={start} is past its end.",
                page.from
            ));
        }
        let rest: String = page.text.chars().skip(start).take(self.cap.max(1)).collect();
        let shown = if start + rest.chars().count() < total { whole_lines(&rest) } else { rest.as_str() };
        let end = start + shown.chars().count();
        let mut out = format!("Documentation from: {}\n", page.from);
        match heading {
            Some((anchor, Some(_))) => {
                out.push_str(&format!(
                    "[Begins at `#{anchor}`; offset=0 shows the page from its beginning.]\n"
                ));
            }
            Some((anchor, None)) => out.push_str(&format!("[The page has no heading `#{anchor}`.]\n")),
            None => {}
        }
        if start > 0 || end < total {
            out.push_str(&format!("[Characters {start} to {end} of {total}.]\n"));
        }
        out.push('\n');
        out.push_str(shown);
        if end < total {
            out.push_str(&format!(
                "\n\n[Cut here, {} characters remain: go on with offset={end}.]",
                total - end
            ));
        } else if !page.complete {
            out.push_str("\n\n[The page is longer than 4 MB; its end was not read.]");
        }
        if shown.trim().is_empty() {
            out.push_str("(the page is empty)");
        }
        ToolOutcome::done(out)
    }
}

#[async_trait]
impl Tool for FetchDocs {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "fetch_hf_docs".to_owned(),
            description: "Read a page of Hugging Face's (or Gradio's) documentation as Markdown: an address that \
                          explore_hf_docs gave, or one that you know. Long pages come in pieces: go on with `offset`. \
                          Only addresses of documentation hosts can be read."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _place: &Place) -> Result<Assessment, BadArguments> {
        let (fetch, _) = self.checked(value)?;
        let shown = fetch.url.trim().trim_start_matches("https://").to_owned();
        Ok(Assessment::reads(format!("Read {}", cut(&first_line(&shown, 100), 100))))
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let (fetch, address) = self.checked(&value)?;
        let token = self.access.token(&context.requester).await;
        let page = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            page = self.docs.page(&address.url, token.as_ref()) => page,
        };
        Ok(match page {
            Ok(page) => self.show(&page, &fetch, &address),
            Err(DocsError::NotFound) => ToolOutcome::failed(format!(
                "There is no page {} (404). `explore_hf_docs` lists the pages of a library.",
                address.url
            )),
            Err(error) => ToolOutcome::failed(format!("{} cannot be read: {}", address.url, told(&error))),
        })
    }
}

/// Where the heading of an anchor begins, in characters: by the mark that the documentation puts behind
/// headings (`[[trl.SFTTrainer]]`), or by its words.
fn heading_at(text: &str, anchor: &str) -> Option<usize> {
    let mark = format!("[[{anchor}]]");
    let wanted = slug(anchor);
    let mut at = 0;
    for line in text.split('\n') {
        let heading = line.trim_start().strip_prefix('#').map(|rest| rest.trim_start_matches('#'));
        let words = heading.map(|heading| heading.split("[[").next().unwrap_or_default());
        if line.contains(&mark) || words.is_some_and(|words| !wanted.is_empty() && slug(words) == wanted) {
            return Some(at);
        }
        at += line.chars().count() + 1;
    }
    None
}

fn slug(words: &str) -> String {
    let words = words.to_lowercase();
    words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// What ends with a line, unless that would leave out most of it.
fn whole_lines(text: &str) -> &str {
    match text.rfind('\n') {
        Some(end) if end > text.len() / 2 => &text[..=end],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_by_their_mark_or_their_words() {
        let text = "# Trainers[[trainers]]\n\né text\n\n## SFTTrainer[[trl.SFTTrainer]]\n\nmore\n### Next, the *beta*!\n";
        let at = |anchor: &str| {
            heading_at(text, anchor).map(|at| text.chars().skip(at).take(4).collect::<String>())
        };
        assert_eq!(at("trl.SFTTrainer").as_deref(), Some("## S"));
        assert_eq!(at("next-the-beta").as_deref(), Some("### "));
        assert_eq!(at("trainers").as_deref(), Some("# Tr"));
        assert_eq!((at("more"), at("nothing"), at("-")), (None, None, None));
    }

    #[test]
    fn a_piece_ends_with_a_line() {
        assert_eq!(whole_lines("one two\nthree\nfo"), "one two\nthree\n");
        assert_eq!(whole_lines("a\nlong line without an end"), "a\nlong line without an end");
    }
}
