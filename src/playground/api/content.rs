//! What a message may say: text, markdown or blocks, and the limits and conflicts of the three.
//!
//! Shared by every method that writes a message. Start at [`Content::read`].

use serde_json::Value;

use super::{Ctx, Refusal, refuse};
use crate::playground::blocks::{Surface, check_blocks, fill_ids};
use crate::playground::message::Message;

/// Most characters of `text`.
pub const TEXT_MOST: usize = 40_000;
/// Most characters of `markdown_text`.
pub const MARKDOWN_MOST: usize = 12_000;

/// Checked content of a message; `None` is an argument that was not given.
#[derive(Debug, Default)]
pub struct Content {
    pub text: Option<String>,
    pub markdown_text: Option<String>,
    pub blocks: Option<Vec<Value>>,
    pub metadata: Option<Value>,
    pub attachments: bool,
}

impl Content {
    /// Reads and checks the arguments of the call in hand.
    pub fn read(ctx: &mut Ctx<'_>) -> Result<Self, Refusal> {
        let args = ctx.args;
        let text = args.text("text");
        let markdown_text = args.text("markdown_text");
        if text.as_ref().is_some_and(|it| it.chars().count() > TEXT_MOST) {
            return refuse("msg_too_long");
        }
        check_markdown(markdown_text.as_deref())?;
        let blocks = args.list("blocks", "invalid_blocks_format")?;
        let attachments = args.list("attachments", "invalid_attachments")?;
        let filled = text.as_ref().is_some_and(|it| !it.is_empty())
            || blocks.as_ref().is_some_and(|it| !it.is_empty());
        if markdown_text.is_some() && filled {
            return refuse("markdown_text_conflict");
        }
        let blocks = blocks.map(|it| checked_blocks(ctx, it)).transpose()?;
        Ok(Self {
            text,
            markdown_text,
            blocks,
            metadata: metadata(ctx)?,
            attachments: attachments.is_some_and(|it| !it.is_empty()),
        })
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        let no_text = |it: &Option<String>| it.as_ref().is_none_or(|it| it.trim().is_empty());
        no_text(&self.text)
            && no_text(&self.markdown_text)
            && self.blocks.as_ref().is_none_or(Vec::is_empty)
            && !self.attachments
    }

    /// Puts it into a message; what was not given stays as it was.
    pub fn put(self, message: &mut Message) {
        if let Some(markdown) = self.markdown_text {
            message.markdown_text = Some(markdown);
            message.text.clear();
            message.blocks.clear();
            message.chunks = Default::default();
        }
        if let Some(text) = self.text {
            message.text = text;
            message.markdown_text = None;
            message.chunks = Default::default();
        }
        if let Some(blocks) = self.blocks {
            message.blocks = blocks;
        }
        if self.metadata.is_some() {
            message.metadata = self.metadata;
        }
    }
}

/// Refuses `markdown_text` over its limit.
pub fn check_markdown(markdown: Option<&str>) -> Result<(), Refusal> {
    if markdown.is_some_and(|it| it.chars().count() > MARKDOWN_MOST) {
        refuse("msg_too_long")
    } else {
        Ok(())
    }
}

/// Refuses blocks that Slack would refuse; fills in missing ids.
pub fn checked_blocks(ctx: &mut Ctx<'_>, mut blocks: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    let errors = check_blocks(&blocks, Surface::Message);
    if !errors.is_empty() {
        return Err(Refusal::because("invalid_blocks", errors.iter().map(ToString::to_string).collect()));
    }
    let unknown = blocks.iter().filter_map(|it| it["slack_file"]["id"].as_str()).find(|id| {
        let file = ctx.state.files.get(*id);
        file.is_none_or(|it| !it.completed || !it.card.mimetype.starts_with("image/"))
    });
    if let Some(id) = unknown {
        return Err(Refusal::because(
            "invalid_blocks",
            vec![format!("slack_file {id} is no picture that is there")],
        ));
    }
    fill_ids(&mut blocks, || ctx.state.mint("b"));
    Ok(blocks)
}

/// `metadata`, if it is well formed.
pub fn metadata(ctx: &Ctx<'_>) -> Result<Option<Value>, Refusal> {
    let Some(metadata) = ctx.args.nested("metadata", "invalid_metadata_format")? else { return Ok(None) };
    let good = metadata["event_type"].as_str().is_some_and(|it| !it.is_empty())
        && metadata["event_payload"].is_object();
    if good { Ok(Some(metadata)) } else { refuse("invalid_metadata_format") }
}
