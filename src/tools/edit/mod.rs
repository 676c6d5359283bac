//! `edit`: changes one passage of a file that was read before, and nothing beside it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use similar::TextDiff;

use super::computer::{At, Content, Found, Trouble, Wanted};
use super::files::{Files, LARGEST_EDIT, blocking};
use super::listing;
use super::workspace::Wish;
use super::write::noted;
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Place, Tool, ToolError, arguments, parameters,
};
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::{count, head_and_tail, redact_known};
use matching::{How, find};

mod matching;

/// Characters of the difference that is shown.
const LONGEST_DIFF: usize = 4_000;
/// How long making the difference may take; beyond it, it is coarser.
const DIFF_TIME: Duration = Duration::from_millis(200);

/// The `edit` tool.
pub struct Edit {
    files: Arc<Files>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// The file, relative to the workspace or absolute.
    path: String,
    /// The passage to find, exactly as the file has it (without the line numbers that `read` shows).
    old_str: String,
    /// What to put there.
    new_str: String,
    /// Change every place where the passage stands, not just one.
    #[serde(default)]
    replace_all: bool,
    /// Put the new text in place of the passage, right after it, or right before it.
    #[serde(default)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Replace,
    AppendAfter,
    PrependBefore,
}

impl Mode {
    /// As the model writes it, and as rules name it.
    fn word(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::AppendAfter => "append_after",
            Self::PrependBefore => "prepend_before",
        }
    }
}

impl Arguments {
    fn checked(value: &Value) -> Result<Self, BadArguments> {
        let edit: Self = arguments(value)?;
        if edit.old_str.is_empty() {
            return Err(BadArguments("`old_str` is empty; use `write` to make a file".to_owned()));
        }
        if edit.mode == Mode::Replace && edit.old_str == edit.new_str {
            return Err(BadArguments(
                "`old_str` and `new_str` are the same; nothing would change".to_owned(),
            ));
        }
        Ok(edit)
    }

    /// What people read before they answer.
    fn preview(&self) -> String {
        let marked =
            |mark: &str, text: &str| text.lines().map(|line| format!("{mark}{line}\n")).collect::<String>();
        let old = |mark| marked(mark, &self.old_str);
        let new = marked("+", &self.new_str);
        match self.mode {
            Mode::Replace => format!("{}{new}", old("-")),
            Mode::AppendAfter => format!("{}{new}", old(" ")),
            Mode::PrependBefore => format!("{new}{}", old(" ")),
        }
    }
}

impl Edit {
    /// Shares marks with the tool that reads.
    #[must_use]
    pub fn new(files: Arc<Files>) -> Self {
        Self { files }
    }
}

#[async_trait]
impl Tool for Edit {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "edit".to_owned(),
            description: format!(
                "Change one passage of a file {} that you have read in this session. `old_str` must stand in the \
                 file exactly once, unless `replace_all` is set; take enough lines around it. Only that passage \
                 changes. The answer shows the difference.",
                self.files.computer.words().place
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let edit = Arguments::checked(value)?;
        let aim = self.files.computer.aim(place, &edit.path, Wish::Change)?;
        Ok(Assessment {
            risk: aim.risk,
            operation: Some(edit.mode.word().to_owned()),
            preview: edit.preview(),
            language: "diff".to_owned(),
            alike: aim.alike,
            editable: Some("new_str".to_owned()),
            ..Assessment::changes(format!("Edit {}", aim.name))
        })
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let edit = Arguments::checked(&value)?;
        let at = match self.files.computer.reach(&context, &edit.path, Wish::Change).await {
            Ok(at) => at,
            Err(trouble) => return Ok(ToolOutcome::failed(trouble.text(&edit.path, "was not changed")?)),
        };
        Ok(match self.change(&context, &at, edit).await {
            Ok(done) => {
                let secrets = [self.files.secrets.as_slice(), &at.secrets].concat();
                ToolOutcome::done(redact_known(&done, &secrets))
            }
            Err(trouble) => ToolOutcome::failed(trouble.text(&at.name, "was not changed")?),
        })
    }
}

impl Edit {
    async fn change(&self, context: &CallContext, at: &At, edit: Arguments) -> Result<String, Trouble> {
        let (files, name) = (&self.files, &at.name);
        let cannot = |why: &str| Trouble::Cannot(why.to_owned());
        let whole = Wanted::Whole { most: LARGEST_EDIT };
        let (key, stamp, content) = match files.computer.look(context, at, whole).await? {
            Found::Missing { beside } => {
                return Err(Trouble::Told(listing::missing(&at.path, name, beside.as_deref())));
            }
            Found::Folder(_) => return Err(cannot("it is a folder.")),
            Found::Other => return Err(cannot("it is not a regular file.")),
            Found::File { key, stamp, content, .. } => (key, stamp, content),
        };
        if let Some(why) = files.unseen(&context.place.session, &key, &stamp) {
            return Err(Trouble::Cannot(format!("{why}.")));
        }
        let Content::Whole(bytes) = content else {
            return Err(cannot("it is too large to be edited in one piece; use bash."));
        };
        let before = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8 text."))?;
        let (after, told, difference) = blocking(move || {
            let (after, told) = apply(&before, &edit)?;
            let difference = difference(&before, &after);
            Ok::<_, String>((after, told, difference))
        })
        .await?
        .map_err(Trouble::Cannot)?;
        let written = files.computer.put(context, at, after.into_bytes(), Some(&stamp)).await?;
        files.marks.note(&context.place.session, &written.key, &written.stamp);
        Ok(format!("Edited `{name}`: {told}{}\n\n{difference}", noted(&written.notes)))
    }
}

/// The content after the edit, and a line on what was done.
fn apply(content: &str, edit: &Arguments) -> Result<(String, String), String> {
    let (mut old, mut new) = (edit.old_str.clone(), edit.new_str.clone());
    let breaks = content.matches('\n').count();
    if breaks > 0 && content.matches("\r\n").count() == breaks {
        // The whole file uses this line break, so the passage and the new text do too.
        for text in [&mut old, &mut new] {
            *text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        }
    }
    let (how, mut places) = find(content, &old, &new).map_err(|why| format!("{why}."))?;
    if places.is_empty() {
        return Err(
            "`old_str` does not stand in it. Read the file again and give the passage exactly; a part of a \
                    line must match to the letter."
                .to_owned(),
        );
    }
    let lines: Vec<usize> =
        places.iter().map(|place| content[..place.span.start].matches('\n').count() + 1).collect();
    if places.len() > 1 && !edit.replace_all {
        if edit.mode == Mode::Replace {
            return Err(format!(
                "`old_str` stands in it {} times (lines {}). Take in more of what is around the one you mean, or set \
                 `replace_all`.",
                places.len(),
                listed(&lines)
            ));
        }
        places.truncate(1);
    }
    let mut after = String::with_capacity(content.len() + places.len() * new.len());
    let mut done = 0;
    for place in &places {
        after.push_str(&content[done..place.span.start]);
        let kept = &content[place.span.clone()];
        match edit.mode {
            Mode::Replace => after.push_str(&place.new),
            Mode::AppendAfter => after.extend([kept, &place.new]),
            Mode::PrependBefore => after.extend([place.new.as_str(), kept]),
        }
        done = place.span.end;
    }
    after.push_str(&content[done..]);
    Ok((after, told(how, &lines[..places.len()], lines.len())))
}

fn told(how: How, lines: &[usize], found: usize) -> String {
    let mut told = format!("{} (line {}).", count(lines.len(), "place"), listed(lines));
    if found > lines.len() {
        told.push_str(&format!(" The passage stands there {found} times; only the first was used."));
    }
    if let Some(note) = how.note() {
        told.push_str(&format!(" Note: {note}."));
    }
    told
}

fn listed(lines: &[usize]) -> String {
    let shown: Vec<String> = lines.iter().take(20).map(usize::to_string).collect();
    let more = if lines.len() > 20 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn difference(before: &str, after: &str) -> String {
    let mut settings = TextDiff::configure();
    settings.timeout(DIFF_TIME);
    let diff = settings.diff_lines(before, after);
    let text = diff.unified_diff().context_radius(2).to_string();
    head_and_tail(text.trim_end(), LONGEST_DIFF).into_owned()
}

#[cfg(test)]
mod tests;
