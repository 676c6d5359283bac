//! `session show`: a transcript that people can read, or JSON lines. Owns how an item reads here.

use serde_json::json;

use super::super::args::Flags;
use super::super::exit::Exit;
use super::super::print_out;
use super::super::render::clean;
use super::super::render::text::dollars;
use super::{id, shown_time};
use crate::protocol::{Item, SessionHead, SessionKey};
use crate::store::Store;
use crate::text::{count, head_and_tail};

/// Characters of a call's arguments and of a result that are shown; `--json` has all.
const SHOWN: usize = 2_000;
const ARGUMENTS: usize = 300;

/// Prints the session.
///
/// # Errors
/// The store failed, or standard output is gone.
pub async fn run(store: &dyn Store, key: &SessionKey, flags: &Flags) -> anyhow::Result<Exit> {
    let loaded = store.load(key).await?;
    let Some(head) = loaded.head else {
        eprintln!("ml-intern: nothing was said in {} yet; its first message still waits", id(key));
        return Ok(Exit::Failed);
    };
    let mut text = if flags.json { format!("{}\n", json!({ "session": head })) } else { heading(&head) };
    for item in &loaded.items {
        if flags.json {
            text.push_str(&format!("{}\n", serde_json::to_string(item.as_ref())?));
        } else {
            text.push_str(&readable(item));
        }
    }
    print_out(&text)?;
    Ok(Exit::Finished)
}

fn heading(head: &SessionHead) -> String {
    let model = head.settings.model.as_deref().unwrap_or("the configured model");
    let turns = count(usize::try_from(head.turns).unwrap_or(usize::MAX), "turn");
    let unpriced = if head.usage.unpriced > 0 { " or more" } else { "" };
    format!(
        "{}\n{}\nbegun {}, {turns}, {model}, {} tokens, {}{unpriced}\n",
        clean::line(head.title.as_deref().unwrap_or("(no title)"), 200),
        head.key,
        shown_time(head.created_at),
        head.usage.total_tokens(),
        dollars(head.usage.cost),
    )
}

fn readable(item: &Item) -> String {
    match item {
        Item::User { name, text, at, .. } => {
            let when = at.map(|at| format!(", {}", shown_time(at))).unwrap_or_default();
            said(&format!("{}{when}", clean::line(name, 80)), text)
        }
        Item::Overheard { lines } => {
            let lines: Vec<String> =
                lines.iter().map(|line| format!("{}: {}", clean::line(&line.name, 80), line.text)).collect();
            said("said before in this place", &lines.join("\n"))
        }
        Item::Synthetic { text } => said("a hint to the model", text),
        Item::Summary { text, replaced, .. } => said(&format!("a summary of {replaced} earlier items"), text),
        Item::Assistant { text, calls, model, .. } => {
            let words = if text.trim().is_empty() { String::new() } else { said(model, text) };
            let called = calls.iter().map(|call| {
                let arguments = clean::line(&call.arguments.to_string(), ARGUMENTS);
                format!("\n→ {} {arguments}\n", clean::line(&call.tool, 80))
            });
            words + &called.collect::<String>()
        }
        Item::ToolResult { tool, output, success, .. } => {
            let mark = if *success { "✓" } else { "✗" };
            let output = clean::clean(&head_and_tail(output, SHOWN));
            let indented: String = output.trim_end().lines().map(|line| format!("  {line}\n")).collect();
            format!("{mark} {}\n{indented}", clean::line(tool, 80))
        }
    }
}

fn said(who: &str, text: &str) -> String {
    format!("\n── {who}\n{}\n", clean::clean(text).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ProposedCall;

    #[test]
    fn items_read_as_a_conversation_and_hide_no_escape_sequences() {
        let items = [
            Item::User {
                author: "U1".into(),
                name: "Ada".into(),
                text: "train\u{1b}[2J it".into(),
                opens: true,
                at: None,
            },
            Item::Assistant {
                text: String::new(),
                thoughts: Vec::new(),
                calls: vec![ProposedCall {
                    id: "c1".into(),
                    tool: "bash".into(),
                    arguments: json!({"command": "ls"}),
                }],
                model: "some/model".into(),
            },
            Item::ToolResult {
                call: "c1".into(),
                tool: "bash".into(),
                output: "a\nb\n".into(),
                success: false,
            },
            Item::Assistant {
                text: "Done.".into(),
                thoughts: Vec::new(),
                calls: Vec::new(),
                model: "some/model".into(),
            },
        ];
        let text: String = items.iter().map(readable).collect();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let rest = text.split_once("it\n").unwrap().1;
        assert_eq!(rest, "\n→ bash {\"command\":\"ls\"}\n✗ bash\n  a\n  b\n\n── some/model\nDone.\n");
    }
}
