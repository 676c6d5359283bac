//! A thread as plain text, as people see it: good to read in a failed test, good for a snapshot.
//!
//! Ids and times never appear; names do. Start at [`transcript`].

use serde_json::Value;

use super::message::Message;
use super::state::State;

/// The thread that `root` opened, statuses and open modals included.
pub fn transcript(state: &State, channel: &str, root: &str) -> String {
    let mut out = String::new();
    for message in state.in_thread(channel, root) {
        write_message(state, message, &mut out);
    }
    for status in state.statuses.iter().filter(|it| it.channel == channel && it.thread_ts == root) {
        let mut line = format!("-- {}", status.session_status);
        if !status.status.is_empty() {
            line.push_str(&format!(": {}", status.status));
        }
        if status.can_stop {
            line.push_str(" [Stop]");
        }
        out.push_str(&line);
        out.push('\n');
    }
    for view in &state.views {
        let title = view.view["title"]["text"].as_str().unwrap_or_default();
        out.push_str(&format!("-- modal of {}: {title}\n", state.name_of(&view.user)));
        write_blocks(state, view.view["blocks"].as_array().map_or(&[], Vec::as_slice), &mut out);
    }
    out
}

fn write_message(state: &State, message: &Message, out: &mut String) {
    let author = message.username.as_deref().unwrap_or_else(|| state.name_of(&message.user));
    let mut marks = Vec::new();
    if let Some(only) = &message.ephemeral_to {
        marks.push(format!("only {} sees this", state.name_of(only)));
    }
    if message.streaming {
        marks.push("streaming".into());
    }
    if message.edited {
        marks.push("edited".into());
    }
    let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
    out.push_str(&format!("{author}{marks}:\n"));
    if let Some(title) = &message.chunks.plan_title {
        out.push_str(&format!("  # {title}\n"));
    }
    for task in &message.chunks.tasks {
        write_task((&task.status, &task.title), [&task.details, &task.output], (state, out));
    }
    // What blocks show is shown; `text` beside them is only what notifications say.
    if message.blocks.is_empty() || message.markdown_text.is_some() || !message.chunks.markdown.is_empty() {
        indent(&named(state, &message.shown_text()), out);
    }
    write_blocks(state, &message.chunks.blocks, out);
    write_blocks(state, &message.blocks, out);
    for file in &message.files {
        out.push_str(&format!("  <file {}>\n", file.name));
    }
    for reaction in &message.reactions {
        let users: Vec<_> = reaction.users.iter().map(|it| state.name_of(it)).collect();
        out.push_str(&format!("  :{}: {}\n", reaction.name, users.join(", ")));
    }
}

fn write_task((status, title): (&str, &str), more: [&str; 2], (state, out): (&State, &mut String)) {
    let mark = match status {
        "complete" => "x",
        "in_progress" => ">",
        "error" => "!",
        _ => " ",
    };
    out.push_str(&format!("  [{mark}] {title}\n"));
    for part in more.iter().filter(|it| !it.trim().is_empty()) {
        for line in named(state, part).trim_end().lines() {
            out.push_str(&format!("      {line}\n"));
        }
    }
}

fn indent(text: &str, out: &mut String) {
    for line in text.trim_end().lines() {
        out.push_str(format!("  {line}").trim_end());
        out.push('\n');
    }
}

fn write_blocks(state: &State, blocks: &[Value], out: &mut String) {
    for block in blocks {
        let text = |value: &Value| named(state, value["text"].as_str().unwrap_or_default());
        match block["type"].as_str().unwrap_or_default() {
            "divider" => out.push_str("  ----\n"),
            "header" => indent(&format!("# {}", text(&block["text"])), out),
            "markdown" => indent(&text(block), out),
            "section" => {
                indent(&text(&block["text"]), out);
                block["fields"].as_array().into_iter().flatten().for_each(|it| indent(&text(it), out));
                if block["accessory"].is_object() {
                    indent(&element(state, &block["accessory"]), out);
                }
            }
            "alert" => indent(
                &format!("({}) {}", block["level"].as_str().unwrap_or("default"), text(&block["text"])),
                out,
            ),
            "context" => {
                let parts: Vec<_> = list(block, "elements").iter().map(|it| element(state, it)).collect();
                indent(&format!("~ {}", parts.join(" ")), out);
            }
            "actions" | "context_actions" => {
                let parts: Vec<_> = list(block, "elements").iter().map(|it| element(state, it)).collect();
                indent(&parts.join(" "), out);
            }
            "input" => {
                indent(&format!("{}: {}", text(&block["label"]), element(state, &block["element"])), out)
            }
            "rich_text" => indent(&rich(state, block), out),
            "table" | "data_table" => write_table(state, block, out),
            "task_card" => write_card(state, block, out),
            "plan" => {
                indent(&format!("# {}", block["title"].as_str().unwrap_or_default()), out);
                list(block, "tasks").iter().for_each(|it| write_card(state, it, out));
            }
            "card" => {
                ["title", "subtitle", "body"].iter().for_each(|it| indent(&text(&block[*it]), out));
                let parts: Vec<_> = list(block, "actions").iter().map(|it| element(state, it)).collect();
                indent(&parts.join(" "), out);
            }
            "container" => {
                indent(&text(&block["title"]), out);
                write_blocks(state, list(block, "child_blocks"), out);
            }
            "carousel" => write_blocks(state, list(block, "elements"), out),
            "image" => indent(&format!("<image {}>", block["alt_text"].as_str().unwrap_or_default()), out),
            other => indent(&format!("<{other}>"), out),
        }
    }
}

fn list<'a>(block: &'a Value, name: &str) -> &'a [Value] {
    block[name].as_array().map_or(&[], Vec::as_slice)
}

fn write_card(state: &State, card: &Value, out: &mut String) {
    let field = |name: &str| card[name].as_str().unwrap_or_default();
    let (details, output) = (rich(state, &card["details"]), rich(state, &card["output"]));
    write_task((field("status"), field("title")), [&details, &output], (state, out));
}

fn write_table(state: &State, block: &Value, out: &mut String) {
    for row in list(block, "rows") {
        let shown = |it: &Value| match it["type"].as_str() {
            Some("rich_text") => rich(state, it).trim_end().to_owned(),
            _ => it["text"].as_str().map_or_else(|| it["value"].to_string(), str::to_owned),
        };
        let cells: Vec<_> = row.as_array().into_iter().flatten().map(shown).collect();
        indent(&format!("| {} |", cells.join(" | ")), out);
    }
}

/// An element as it looks: buttons in brackets, inputs with what they hold.
fn element(state: &State, element: &Value) -> String {
    let label = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
    match element["type"].as_str().unwrap_or_default() {
        "mrkdwn" | "plain_text" => named(state, &label(element)),
        "button" | "workflow_button" | "icon_button" => format!("[{}]", label(&element["text"])),
        "feedback_buttons" => {
            let side = |name: &str| label(&element[name]["text"]);
            format!("[{}] [{}]", side("positive_button"), side("negative_button"))
        }
        "image" => format!("<image {}>", element["alt_text"].as_str().unwrap_or_default()),
        "plain_text_input" => format!("«{}»", element["initial_value"].as_str().unwrap_or_default()),
        kind => {
            let options: Vec<_> = list(element, "options").iter().map(|it| label(&it["text"])).collect();
            format!("<{kind}: {}>", options.join(", "))
        }
    }
}

fn rich(state: &State, value: &Value) -> String {
    match value["type"].as_str().unwrap_or_default() {
        "text" => value["text"].as_str().unwrap_or_default().to_owned(),
        "link" => value["text"].as_str().or_else(|| value["url"].as_str()).unwrap_or_default().to_owned(),
        "user" => format!("@{}", state.name_of(value["user_id"].as_str().unwrap_or_default())),
        "broadcast" => format!("@{}", value["range"].as_str().unwrap_or_default()),
        "emoji" => format!(":{}:", value["name"].as_str().unwrap_or_default()),
        "rich_text_preformatted" => {
            let inner: String = list(value, "elements").iter().map(|it| rich(state, it)).collect();
            format!("```\n{inner}\n```\n")
        }
        "rich_text_list" => {
            list(value, "elements").iter().map(|it| format!("• {}", rich(state, it))).collect()
        }
        "rich_text_section" | "rich_text_quote" => {
            let inner: String = list(value, "elements").iter().map(|it| rich(state, it)).collect();
            format!("{inner}\n")
        }
        _ => list(value, "elements").iter().map(|it| rich(state, it)).collect(),
    }
}

/// Mentions as names; Slack's escapes stay, so that a test sees what was escaped.
fn named(state: &State, text: &str) -> String {
    let ids = state.people.iter().map(|it| (it.id.as_str(), it.name.as_str()));
    let bot = (state.bot.user_id.as_str(), state.bot.name.as_str());
    ids.chain([bot])
        .fold(text.to_owned(), |text, (id, name)| text.replace(&format!("<@{id}>"), &format!("@{name}")))
}
