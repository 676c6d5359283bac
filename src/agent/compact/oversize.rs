//! Single items that are too long to stay: their beginning and end are kept, and a note says how long
//! they were and where all of it is.
//!
//! Pure. Who said it, ids, calls and thoughts stay as they are, so that every call keeps its result.

use std::borrow::Cow;

use crate::protocol::{Heard, Item};
use crate::text::head_and_tail;

/// Characters that are kept.
const KEPT: usize = 4_000;
/// Where the files of long outputs lie, in every workspace.
const SPILLED: &str = ".ml-intern/output/";

/// The same item, shortened; `tokens` is what it weighs. `None` if what makes it long must stay.
#[must_use]
pub fn shortened(item: &Item, tokens: u64) -> Option<Item> {
    let cut = |text: &str| match head_and_tail(text, KEPT) {
        Cow::Borrowed(_) => None,
        Cow::Owned(short) => Some(format!("{}\n{short}", note(text, tokens))),
    };
    match item {
        Item::User { author, name, text, opens, at } => Some(Item::User {
            author: author.clone(),
            name: name.clone(),
            text: cut(text)?,
            opens: *opens,
            at: *at,
        }),
        Item::Synthetic { text } => Some(Item::Synthetic { text: cut(text)? }),
        Item::Summary { text, replaced, turns } => {
            Some(Item::Summary { text: cut(text)?, replaced: *replaced, turns: *turns })
        }
        Item::Overheard { lines } => {
            let all: Vec<String> = lines.iter().map(|line| format!("{}: {}", line.name, line.text)).collect();
            let text = cut(&all.join("\n"))?;
            Some(Item::Overheard { lines: vec![Heard { name: "several people".to_owned(), text }] })
        }
        Item::Assistant { text, thoughts, calls, model } => Some(Item::Assistant {
            text: cut(text)?,
            thoughts: thoughts.clone(),
            calls: calls.clone(),
            model: model.clone(),
        }),
        Item::ToolResult { call, tool, output, success } => Some(Item::ToolResult {
            call: call.clone(),
            tool: tool.clone(),
            output: cut(output)?,
            success: *success,
        }),
    }
}

/// The file that holds the whole of an output, if the output names one.
#[must_use]
pub fn spill_file(text: &str) -> Option<&str> {
    let from = text.find(SPILLED)?;
    let rest = &text[from..];
    let end =
        rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '`' | '"')).unwrap_or(rest.len());
    (end > SPILLED.len()).then(|| &rest[..end])
}

fn note(text: &str, tokens: u64) -> String {
    let whole = match spill_file(text) {
        Some(file) => format!("all of it is in {file}, which `read` can page through"),
        None => "the rest was not kept in a file".to_owned(),
    };
    format!(
        "[This was about {tokens} tokens long and was shortened to keep the conversation within its limits; {whole}.]"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ProposedCall, Thought};
    use serde_json::json;

    #[test]
    fn a_result_names_its_size_and_its_file_and_keeps_its_call() {
        let kept = "[… 9 of 99 characters left out; all of it is in .ml-intern/output/c1.txt, which `read` can page through …]";
        for (output, said) in [
            (
                format!("start {} {kept} {} end", "x".repeat(9_000), "y".repeat(9_000)),
                "in .ml-intern/output/c1.txt, which",
            ),
            (format!("start {} end", "x".repeat(18_000)), "not kept in a file"),
        ] {
            let item = Item::ToolResult { call: "c1".into(), tool: "bash".into(), output, success: false };
            let Some(Item::ToolResult { call, tool, output, success: false }) = shortened(&item, 70_000)
            else {
                panic!()
            };
            assert_eq!((call.as_str(), tool.as_str()), ("c1", "bash"));
            assert!(output.contains("about 70000 tokens") && output.contains(said), "{output}");
            assert!(output.contains("start") && output.ends_with("end") && output.len() < 5_000);
        }
    }

    #[test]
    fn calls_and_thoughts_stay() {
        let calls = vec![ProposedCall { id: "c".into(), tool: "write".into(), arguments: json!({"a": 1}) }];
        let thoughts = vec![Thought { text: "hm".into(), signature: Some("sig".into()) }];
        let item = Item::Assistant {
            text: "w".repeat(300_000),
            thoughts: thoughts.clone(),
            calls: calls.clone(),
            model: "m".into(),
        };
        let Some(Item::Assistant { text, thoughts: kept, calls: same, .. }) = shortened(&item, 75_000) else {
            panic!()
        };
        assert!(text.len() < 5_000 && kept == thoughts && same == calls, "row 9");
        let long_calls = Item::Assistant {
            text: "short".into(),
            thoughts: Vec::new(),
            calls: vec![ProposedCall {
                id: "c".into(),
                tool: "write".into(),
                arguments: json!("w".repeat(300_000)),
            }],
            model: "m".into(),
        };
        assert_eq!(shortened(&long_calls, 75_000), None, "a call is what it is");
    }

    #[test]
    fn only_a_whole_name_is_a_file() {
        assert_eq!(spill_file("see .ml-intern/output/a.txt."), Some(".ml-intern/output/a.txt."));
        assert_eq!(spill_file("in .ml-intern/output/ somewhere"), None);
        assert_eq!(spill_file("nowhere"), None);
    }
}
