//! Walks a payload along the tables and says what Slack would refuse, with JSON pointers.
//!
//! Never changes what it checks, except [`fill_ids`]. Start at [`check_blocks`].

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Surface;
use super::elements::{ELEMENTS, RICH};
use super::shapes::{BLOCKS, Field, HOME, Kind, MODAL, Need};

/// One thing that Slack would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockError {
    /// What is wrong.
    pub words: String,
    /// Where, as a JSON pointer.
    pub pointer: String,
}

impl std::fmt::Display for BlockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[ERROR] {} [json-pointer:{}]", self.words, self.pointer)
    }
}

/// All that Slack would refuse about these blocks on this surface; empty if nothing.
#[must_use]
pub fn check_blocks(blocks: &[Value], surface: Surface) -> Vec<BlockError> {
    let mut walk = Walk::default();
    let most = if surface == Surface::Message { 50 } else { 100 };
    if blocks.len() > most {
        walk.say(format!("no more than {most} items allowed"), "/blocks");
    }
    let mut ids = HashSet::new();
    for (index, block) in blocks.iter().enumerate() {
        let pointer = format!("/blocks/{index}");
        let before = walk.errors.len();
        walk.block(block, None, &pointer);
        let kind = block["type"].as_str().unwrap_or_default();
        if surface != Surface::Message && matches!(kind, "task_card" | "plan" | "context_actions" | "table") {
            walk.say(format!("unsupported type: {kind}"), &format!("{pointer}/type"));
        }
        if surface == Surface::Message && kind == "input" && walk.errors.len() == before {
            walk.say("unsupported type: input", &format!("{pointer}/type"));
        }
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id.to_owned())
        {
            walk.say(format!("block_id already exists: {id}"), &format!("{pointer}/block_id"));
        }
    }
    if walk.markdown > 12_000 {
        walk.say("cumulative markdown text must be less than 12001 characters", "/blocks");
    }
    walk.errors
}

/// A view's own fields; its blocks are checked apart.
#[must_use]
pub fn check_view_parts(view: &Map<String, Value>, surface: Surface) -> Vec<BlockError> {
    let mut walk = Walk::default();
    let fields = if surface == Surface::Home { HOME } else { MODAL };
    walk.fields(view, fields, &["type"], "/view");
    walk.errors
}

/// Gives blocks and elements the ids that Slack gives when the app does not.
pub fn fill_ids(blocks: &mut [Value], mut mint: impl FnMut() -> String) {
    for block in blocks {
        let Some(map) = block.as_object_mut() else { continue };
        map.entry("block_id").or_insert_with(|| mint().into());
        for name in ["elements", "accessory", "element", "actions", "child_blocks"] {
            match map.get_mut(name) {
                Some(Value::Array(items)) if name == "child_blocks" => {
                    fill_ids(items, &mut mint as &mut dyn FnMut() -> String)
                }
                Some(Value::Array(items)) => items.iter_mut().for_each(|it| fill_action(it, &mut mint)),
                Some(item) => fill_action(item, &mut mint),
                None => {}
            }
        }
    }
}

fn fill_action(element: &mut Value, mint: &mut impl FnMut() -> String) {
    let interactive = element["type"].as_str().is_some_and(|kind| {
        ELEMENTS.iter().any(|(name, fields)| *name == kind && fields.iter().any(|it| it.0 == "action_id"))
    });
    if let Some(map) = element.as_object_mut().filter(|_| interactive) {
        map.entry("action_id").or_insert_with(|| mint().into());
    }
}

#[derive(Default)]
struct Walk {
    errors: Vec<BlockError>,
    markdown: usize,
}

impl Walk {
    fn say(&mut self, words: impl Into<String>, pointer: &str) {
        self.errors.push(BlockError { words: words.into(), pointer: pointer.to_owned() });
    }

    fn block(&mut self, block: &Value, allowed: Option<&[&str]>, pointer: &str) {
        let Some(map) = block.as_object() else { return self.say("must be an object", pointer) };
        let Some(kind) = map.get("type").and_then(Value::as_str) else {
            return self.say("missing required field: type", pointer);
        };
        let known = BLOCKS.iter().find(|(name, _)| *name == kind);
        let Some((_, fields)) = known.filter(|_| allowed.is_none_or(|it| it.contains(&kind))) else {
            return self.say(format!("unsupported type: {kind}"), &format!("{pointer}/type"));
        };
        self.fields(map, fields, &["type", "block_id"], pointer);
        if let Some(id) = map.get("block_id") {
            self.value(id, Kind::Str(1, 255), &format!("{pointer}/block_id"));
        }
        self.whole_block(kind, map, pointer);
    }

    fn whole_block(&mut self, kind: &str, map: &Map<String, Value>, pointer: &str) {
        match kind {
            "section" if !map.contains_key("text") && !map.contains_key("fields") => {
                self.say("one of text or fields is required", pointer);
            }
            "image" if map.contains_key("image_url") == map.contains_key("slack_file") => {
                self.say("exactly one of image_url or slack_file is required", pointer);
            }
            "card" if !["hero_image", "title", "actions", "body"].iter().any(|it| map.contains_key(*it)) => {
                self.say("one of hero_image, title, actions or body is required", pointer);
            }
            "container" if !map.contains_key("title") && !map.contains_key("rich_text_title") => {
                self.say("one of title or rich_text_title is required", pointer);
            }
            "markdown" => self.markdown += map.get("text").and_then(Value::as_str).map_or(0, length),
            "actions" | "context_actions" => self.unique_actions(map, pointer),
            "table" | "data_table" => self.even_rows(map, pointer),
            _ => {}
        }
    }

    fn unique_actions(&mut self, map: &Map<String, Value>, pointer: &str) {
        let mut seen = HashSet::new();
        for (index, element) in
            map.get("elements").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            if let Some(id) = element["action_id"].as_str()
                && !seen.insert(id)
            {
                self.say(
                    format!("action_id already exists: {id}"),
                    &format!("{pointer}/elements/{index}/action_id"),
                );
            }
        }
    }

    fn even_rows(&mut self, map: &Map<String, Value>, pointer: &str) {
        let rows = map.get("rows").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let width = rows.first().and_then(Value::as_array).map_or(0, Vec::len);
        if rows.iter().any(|row| row.as_array().is_some_and(|it| it.len() != width)) {
            self.say("all rows must have the same number of cells", &format!("{pointer}/rows"));
        }
    }

    fn fields(&mut self, map: &Map<String, Value>, fields: &[Field], understood: &[&str], pointer: &str) {
        for (name, need, kind) in fields {
            match map.get(*name) {
                Some(Value::Null) | None => {
                    if *need == Need::Must {
                        self.say(format!("missing required field: {name}"), pointer);
                    }
                }
                Some(value) => self.value(value, *kind, &format!("{pointer}/{name}")),
            }
        }
        for name in map.keys() {
            if !understood.contains(&name.as_str()) && !fields.iter().any(|it| it.0 == name) {
                self.say(format!("invalid additional property: {name}"), pointer);
            }
        }
    }

    fn value(&mut self, value: &Value, kind: Kind, pointer: &str) {
        match kind {
            Kind::Any => {}
            Kind::Bool if value.is_boolean() => {}
            Kind::Bool => self.say("must be a boolean", pointer),
            Kind::Number if value.is_number() => {}
            Kind::Number => self.say("must be a number", pointer),
            Kind::Str(least, most) => self.string(value, least, most, pointer),
            Kind::OneOf(names) => {
                if !value.as_str().is_some_and(|it| names.contains(&it)) {
                    self.say(format!("must be one of: {}", names.join(", ")), pointer);
                }
            }
            Kind::Plain(most) => self.text(value, &["plain_text"], most, pointer),
            Kind::Mrkdwn(most) => self.text(value, &["mrkdwn"], most, pointer),
            Kind::Text(most) => self.text(value, &["plain_text", "mrkdwn"], most, pointer),
            Kind::Object(fields) => match value.as_object() {
                Some(map) => self.fields(map, fields, &[], pointer),
                None => self.say("must be an object", pointer),
            },
            Kind::Element(allowed) => self.element(value, allowed, pointer),
            Kind::Block(allowed) => self.block(value, Some(allowed), pointer),
            Kind::List(inner, least, most) => self.list(value, *inner, (least, most), pointer),
            Kind::ContextElement => match value["type"].as_str() {
                Some("image") => self.element(value, &["image"], pointer),
                _ => self.text(value, &["plain_text", "mrkdwn"], 3000, pointer),
            },
            Kind::Cell => self.cell(value, pointer),
        }
    }

    fn list(&mut self, value: &Value, inner: Kind, (least, most): (usize, usize), pointer: &str) {
        let Some(items) = value.as_array() else { return self.say("must be an array", pointer) };
        if items.len() < least {
            self.say(format!("no fewer than {least} items allowed"), pointer);
        }
        if items.len() > most {
            self.say(format!("no more than {most} items allowed"), pointer);
        }
        for (index, item) in items.iter().enumerate() {
            self.value(item, inner, &format!("{pointer}/{index}"));
        }
    }

    fn cell(&mut self, value: &Value, pointer: &str) {
        match value["type"].as_str() {
            Some("raw_text") => self.string(&value["text"], 0, 3000, &format!("{pointer}/text")),
            Some("raw_number") if value["value"].is_number() => {}
            Some("rich_text") => self.block(value, Some(&["rich_text"]), pointer),
            _ => self.say("must be a raw_text, raw_number or rich_text cell", pointer),
        }
    }

    fn element(&mut self, value: &Value, allowed: &[&str], pointer: &str) {
        let Some(map) = value.as_object() else { return self.say("must be an object", pointer) };
        let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
        let known = ELEMENTS.iter().chain(RICH).find(|(name, _)| *name == kind && allowed.contains(name));
        let Some((_, fields)) = known else {
            return self.say(format!("unsupported type: {kind}"), &format!("{pointer}/type"));
        };
        self.fields(map, fields, &["type"], pointer);
        let options = map.contains_key("options") == map.contains_key("option_groups");
        if matches!(kind, "static_select" | "multi_static_select") && options {
            self.say("exactly one of options or option_groups is required", pointer);
        }
    }

    fn text(&mut self, value: &Value, allowed: &[&str], most: usize, pointer: &str) {
        let Some(map) = value.as_object() else { return self.say("must be a text object", pointer) };
        let kind = map.get("type").and_then(Value::as_str).unwrap_or_default();
        if !allowed.contains(&kind) {
            return self.say(format!("must be one of: {}", allowed.join(", ")), &format!("{pointer}/type"));
        }
        self.string(map.get("text").unwrap_or(&Value::Null), 1, most, &format!("{pointer}/text"));
        let own = if kind == "plain_text" { "emoji" } else { "verbatim" };
        for name in map.keys().filter(|it| !["type", "text", own].contains(&it.as_str())) {
            self.say(format!("invalid additional property: {name}"), pointer);
        }
    }

    fn string(&mut self, value: &Value, least: usize, most: usize, pointer: &str) {
        let Some(text) = value.as_str() else { return self.say("must be a string", pointer) };
        let count = length(text);
        if count < least {
            self.say(format!("must be more than {} characters", least - 1), pointer);
        } else if count > most {
            self.say(format!("must be less than {} characters", most + 1), pointer);
        }
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(blocks: Value) -> Vec<String> {
        check_blocks(blocks.as_array().unwrap(), Surface::Message).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_agent_message_is_taken() {
        let rich = json!({"type": "rich_text", "elements": [{"type": "rich_text_preformatted",
            "elements": [{"type": "text", "text": "loss 0.1"}]}]});
        let blocks = json!([
            {"type": "header", "text": {"type": "plain_text", "text": "Run", "emoji": true}},
            {"type": "markdown", "text": "**bold**"},
            {"type": "plan", "title": "Plan", "tasks": [{"type": "task_card", "task_id": "1", "title": "Write",
                "status": "complete", "output": rich, "sources": [{"type": "url", "url": "https://x.y", "text": "x"}]}]},
            {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, rich]]},
            {"type": "actions", "block_id": "b", "elements": [
                {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}, "style": "primary"}]},
            {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "f",
                "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "1"},
                "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "0"}}]}
        ]);
        assert_eq!(said(blocks), Vec::<String>::new());
    }

    #[test]
    fn what_slack_refuses_is_refused_with_its_place() {
        let long = "x".repeat(3001);
        let button = |text: &str| json!({"type": "button", "action_id": "same", "text": {"type": "plain_text", "text": text}});
        for (block, wanted) in [
            (json!({"type": "blink"}), "unsupported type: blink [json-pointer:/blocks/0/type]"),
            (
                json!({"type": "section", "text": {"type": "mrkdwn", "text": long}}),
                "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
            ),
            (json!({"type": "section"}), "one of text or fields is required"),
            (
                json!({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}),
                "must be one of: plain_text",
            ),
            (json!({"type": "divider", "color": "red"}), "invalid additional property: color"),
            (
                json!({"type": "actions", "elements": [button(&"x".repeat(76))]}),
                "must be less than 76 characters",
            ),
            (
                json!({"type": "actions", "elements": [button("a"), button("b")]}),
                "action_id already exists: same",
            ),
            (json!({"type": "actions", "elements": []}), "no fewer than 1 items"),
            (
                json!({"type": "context", "elements": [{"type": "button"}]}),
                "must be one of: plain_text, mrkdwn",
            ),
            (json!({"type": "markdown", "text": ""}), "must be more than 0 characters"),
            (
                json!({"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], []]}),
                "no fewer than 1 items",
            ),
            (
                json!({"type": "input", "label": {"type": "plain_text", "text": "l"}, "element":
                {"type": "plain_text_input", "action_id": "i"}}),
                "unsupported type: input",
            ),
        ] {
            let errors = said(json!([block]));
            assert!(errors.iter().any(|it| it.contains(wanted)), "{wanted}: {errors:?}");
        }
    }

    #[test]
    fn counts_and_ids_hold_over_the_whole_payload() {
        let divider = json!({"type": "divider", "block_id": "d"});
        assert!(said(json!([divider, divider]))[0].contains("block_id already exists: d"));
        let many: Vec<_> = (0..51).map(|_| json!({"type": "divider"})).collect();
        assert!(said(many.into())[0].contains("no more than 50 items"));
        let markdown = json!({"type": "markdown", "text": "y".repeat(7000)});
        assert!(said(json!([markdown, markdown]))[0].contains("cumulative markdown"));
    }

    #[test]
    fn ids_are_filled_in_where_the_app_gave_none() {
        let mut blocks = [
            json!({"type": "actions", "elements": [{"type": "button"}, {"type": "button", "action_id": "mine"}]}),
        ];
        let mut next = 0;
        fill_ids(&mut blocks, || {
            next += 1;
            format!("id{next}")
        });
        assert_eq!(blocks[0]["block_id"], "id1");
        assert_eq!(
            blocks[0]["elements"],
            json!([{"type": "button", "action_id": "id2"}, {"type": "button", "action_id": "mine"}])
        );
    }
}
