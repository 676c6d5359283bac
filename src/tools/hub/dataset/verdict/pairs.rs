//! Fine-tuning on conversations, pairs or text, and training on prompts alone.

use super::shape::Shape;
use super::{ANSWERED, ASKED, Method, Table, Verdict, quoted, renamed, talks};

/// Names that hold text to go on writing.
const WRITTEN: &[&str] =
    &["text", "content", "document", "body", "code", "article", "story", "sentence", "passage"];

/// Supervised fine-tuning: `messages`, or `prompt` and `completion`, or `text`.
pub(super) fn sft(table: &Table) -> Verdict {
    let method = Method::Sft;
    if table.has("messages", &Shape::Messages) {
        return Verdict::ready(method, ["messages"], "conversations");
    }
    for shape in [Shape::Text, Shape::Messages] {
        if table.has("prompt", &shape) && table.has("completion", &shape) {
            return Verdict::ready(
                method,
                ["prompt", "completion"],
                "loss on the completion only, as TRL does by default",
            );
        }
    }
    if table.has("text", &Shape::Text) && answer(table).is_none() {
        return Verdict::ready(method, ["text"], "plain text, loss on all of it");
    }
    if let Some(column) = table.0.iter().find(|it| it.shape == Shape::ShareGpt) {
        return Verdict::mapped(
            method,
            share_gpt(&column.name),
            [&column.name],
            "ShareGPT turns become messages",
        );
    }
    // The candidates of a preference are conversations too, but not ones to learn from without saying so.
    let plain = |name: &str| !matches!(name, "chosen" | "rejected" | "prompt" | "completion");
    if let Some(column) = table.all(&Shape::Messages).into_iter().find(|it| plain(&it.name)) {
        let code = renamed(&[(&column.name, "messages")]).unwrap_or_default();
        return Verdict::mapped(method, code, [&column.name], "conversations under another name");
    }
    if let Some((asked, answered)) = question(table).zip(answer(table)) {
        if let Some(extra) = context(table, asked) {
            return Verdict::mapped(
                method,
                joined(asked, extra, answered),
                [asked, extra, answered],
                "instruction and input together are the prompt",
            );
        }
        if let Some(code) = renamed(&[(asked, "prompt"), (answered, "completion")]) {
            return Verdict::mapped(method, code, [asked, answered], "pairs under other names");
        }
    }
    if let Some(chosen) = table.first(&["chosen"], talks) {
        let (to, note) = if chosen.shape == Shape::Messages {
            ("messages", "learns from the better answers only; DPO uses both")
        } else {
            ("text", "learns from the better answers only, as plain text; DPO uses both")
        };
        let code =
            format!("ds = ds.rename_column(\"chosen\", {}).select_columns([{}])", quoted(to), quoted(to));
        return Verdict::mapped(method, code, ["chosen"], note);
    }
    if let Some(column) = table.first(WRITTEN, |shape| *shape == Shape::Text) {
        return match renamed(&[(&column.name, "text")]) {
            Some(code) => Verdict::mapped(method, code, [&column.name], "plain text under another name"),
            None => Verdict::ready(method, ["text"], "plain text, loss on all of it"),
        };
    }
    let missing = vec!["messages, or prompt and completion, or text"];
    Verdict::no(method, missing, question(table), "")
}

/// Reinforcement on prompts: `prompt`, and what the reward functions need.
pub(super) fn grpo(table: &Table) -> Verdict {
    let method = Method::Grpo;
    let note = "only prompts are needed; other columns reach the reward functions by name";
    if table.shape("prompt").is_some_and(talks) {
        return Verdict::ready(method, ["prompt"], note);
    }
    if let Some(asked) = table.first(ASKED, talks) {
        let code = renamed(&[(&asked.name, "prompt")]).unwrap_or_default();
        return Verdict::mapped(method, code, [&asked.name], note);
    }
    if let Some(column) = table.all(&Shape::Messages).first() {
        let name = quoted(&column.name);
        let code = format!(
            "def to_prompt(row):\n    turns = row[{name}]\n    asked = max(i for i, turn in enumerate(turns) if turn[\"role\"] == \
             \"user\")\n    return {{\"prompt\": turns[: asked + 1]}}\n\nds = ds.filter(lambda row: any(t[\"role\"] == \
             \"user\" for t in row[{name}]))\nds = ds.map(to_prompt, remove_columns=[{name}])"
        );
        return Verdict::mapped(
            method,
            code,
            [&column.name],
            "each conversation up to its last question is a prompt",
        );
    }
    Verdict::no(method, vec!["prompt"], None::<String>, "")
}

fn question(table: &Table) -> Option<&str> {
    table.first(ASKED, |shape| *shape == Shape::Text).map(|it| it.name.as_str())
}

fn answer(table: &Table) -> Option<&str> {
    question(table)?;
    table.first(ANSWERED, |shape| *shape == Shape::Text).map(|it| it.name.as_str())
}

/// What an instruction works on, in its own column.
fn context<'a>(table: &'a Table, asked: &str) -> Option<&'a str> {
    let extra = table.first(&["input", "context"], |shape| *shape == Shape::Text)?;
    (extra.name != asked && asked.eq_ignore_ascii_case("instruction")).then_some(extra.name.as_str())
}

fn joined(asked: &str, extra: &str, answered: &str) -> String {
    let (asked, extra, answered) = (quoted(asked), quoted(extra), quoted(answered));
    format!(
        "def to_pair(row):\n    prompt = row[{asked}] if not row[{extra}] else row[{asked}] + \"\\n\\n\" + row[{extra}]\n    \
         return {{\"prompt\": prompt, \"completion\": row[{answered}]}}\n\nds = ds.map(to_pair, \
         remove_columns=ds.column_names)"
    )
}

fn share_gpt(column: &str) -> String {
    let name = quoted(column);
    format!(
        "ROLES = {{\"human\": \"user\", \"user\": \"user\", \"gpt\": \"assistant\", \"assistant\": \"assistant\", \"system\": \
         \"system\", \"tool\": \"tool\"}}\n\ndef to_messages(row):\n    return {{\"messages\": [{{\"role\": ROLES[turn[\"from\"]], \
         \"content\": turn[\"value\"]}} for turn in row[{name}]]}}\n\nds = ds.map(to_messages, remove_columns=[{name}])"
    )
}
