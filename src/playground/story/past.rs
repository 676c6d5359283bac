//! What a conversation says has happened: calls and their results, and what people asked last.
//!
//! Pure reading of a request's messages. Start at [`Past::read`].

use std::collections::HashMap;

use serde_json::Value;

const TOOLS: &[&str] = &["plan_tool", "write", "bash", "read", "edit"];

/// One tool call with its result.
#[derive(Debug)]
pub(super) struct Deed {
    tool: String,
    /// As it was called.
    pub(super) arguments: Value,
    /// What came back.
    pub(super) result: String,
    /// Whether it came after the last words of a person.
    recent: bool,
}

/// What became of the last call of a tool.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// It was not called.
    None,
    /// It worked; this is its result.
    Done(String),
    /// It did not work, or was not run.
    Failed(String),
}

/// What became of the training run.
#[derive(Debug, PartialEq)]
pub enum Run {
    /// It was not run, or not since people last spoke.
    None,
    /// It printed its metrics.
    Measured(Value),
    /// It printed none.
    Failed(String),
}

/// See the module.
#[derive(Debug)]
pub struct Past {
    /// Whether a report was given before people last spoke.
    pub told: bool,
    asked: String,
    said: String,
    offered: Vec<String>,
    deeds: Vec<Deed>,
}

fn words(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|it| it["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn is_refusal(result: &str) -> bool {
    result.starts_with("Not run")
}

/// Whether a tool says that it did not do what it was asked.
fn is_error(tool: &str, result: &str) -> bool {
    let first = result.trim_start().lines().next().unwrap_or_default().to_lowercase();
    if tool == "read" {
        // A listing begins with a line number.
        return !first.starts_with(|it: char| it.is_ascii_digit());
    }
    let starts = ["error", "failed", "bad arguments", "unknown"].iter().any(|it| first.starts_with(it));
    let says =
        ["was not", "cannot", "could not", "is a folder", "there is no"].iter().any(|it| first.contains(it));
    is_refusal(result) || starts || says
}

fn metrics(result: &str) -> Option<Value> {
    let line = result.lines().rev().find_map(|it| it.split_once("METRICS ").map(|(_, rest)| rest))?;
    serde_json::Deserializer::from_str(line)
        .into_iter::<Value>()
        .next()?
        .ok()
        .filter(|it| it["test_accuracy"].is_number())
}

/// The learning rate that a listing of the program sets.
pub fn learning_rate(program: &str) -> Option<String> {
    let (_, rest) = program.split_once("LEARNING_RATE = ")?;
    let rate: String = rest.chars().take_while(|it| it.is_ascii_digit() || *it == '.').collect();
    rate.parse::<f64>().ok().map(|_| rate)
}

impl Past {
    pub fn read(request: &Value) -> Self {
        let messages = request["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let last = messages.iter().rposition(|it| it["role"] == "user").unwrap_or(0);
        let mut calls: HashMap<&str, (&str, Value)> = HashMap::new();
        let mut deeds = Vec::new();
        let mut told = false;
        for (index, message) in messages.iter().enumerate() {
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                let text = |value: &'_ Value| {
                    serde_json::from_str(value.as_str().unwrap_or("{}")).unwrap_or_default()
                };
                let name = call["function"]["name"].as_str().unwrap_or_default();
                calls.insert(
                    call["id"].as_str().unwrap_or_default(),
                    (name, text(&call["function"]["arguments"])),
                );
            }
            if message["role"] == "assistant" && index < last {
                told |= words(&message["content"]).contains(super::TOLD)
                    || words(&message["content"]).contains(super::engineer::TOLD);
            }
            if let Some((tool, arguments)) = message["tool_call_id"].as_str().and_then(|it| calls.get(it)) {
                let (tool, arguments) = ((*tool).to_owned(), arguments.clone());
                deeds.push(Deed {
                    tool,
                    arguments,
                    result: words(&message["content"]),
                    recent: index > last,
                });
            }
        }
        let asked = messages.get(last).map(|it| words(&it["content"]).to_lowercase()).unwrap_or_default();
        let tools = request["tools"].as_array().into_iter().flatten();
        let offered = tools.filter_map(|it| it["function"]["name"].as_str()).map(str::to_owned).collect();
        let people = messages.iter().filter(|it| it["role"] == "user").map(|it| words(&it["content"]));
        let said = people.collect::<Vec<_>>().join("\n").to_lowercase();
        Self { told, asked, said, offered, deeds }
    }

    /// The tools that the story needs and that are not offered.
    pub fn missing_tools(&self) -> Option<String> {
        let missing: Vec<_> =
            TOOLS.iter().filter(|it| !self.offered.iter().any(|tool| tool == *it)).copied().collect();
        match (missing.is_empty(), self.offers_nothing()) {
            (true, _) => None,
            (_, true) => Some(format!("{} tool calls were made", self.deeds.len())),
            _ => Some(missing.join(", ")),
        }
    }

    /// Whether no tool at all is offered, as when a summary is asked for.
    pub fn offers_nothing(&self) -> bool {
        self.offered.is_empty()
    }

    /// Whether people ever spoke of this.
    pub fn ever_asked_about(&self, word: &str) -> bool {
        self.said.contains(word)
    }

    /// Whether this tool is offered.
    pub fn offers(&self, tool: &str) -> bool {
        self.offered.iter().any(|it| it == tool)
    }

    /// What this tool did that counts now and was not refused, in order.
    pub(super) fn deeds_of(&self, tool: &str) -> impl DoubleEndedIterator<Item = &Deed> {
        self.counting(tool).filter(|it| !is_refusal(&it.result))
    }

    /// What this tool ever did.
    pub(super) fn deeds_ever(&self, tool: &str) -> impl Iterator<Item = &Deed> {
        self.deeds.iter().filter(move |it| it.tool == tool)
    }

    /// Deeds that count now: all of an unfinished story, only the recent ones after a report.
    fn counting(&self, tool: &str) -> impl DoubleEndedIterator<Item = &Deed> {
        let all = !self.told;
        self.deeds.iter().filter(move |it| it.tool == tool && (all || it.recent))
    }

    pub fn called(&self, tool: &str) -> bool {
        self.counting(tool).next().is_some()
    }

    pub fn outcome(&self, tool: &str) -> Outcome {
        match self.counting(tool).next_back() {
            None => Outcome::None,
            Some(deed) if is_error(tool, &deed.result) => Outcome::Failed(deed.result.clone()),
            Some(deed) => Outcome::Done(deed.result.clone()),
        }
    }

    pub fn succeeded(&self, tool: &str) -> bool {
        matches!(self.outcome(tool), Outcome::Done(_))
    }

    /// Why the last recent call of this tool did not work.
    pub fn failure(&self, tool: &str) -> Option<String> {
        let last = self.counting(tool).next_back()?;
        (last.recent && is_error(tool, &last.result)).then(|| last.result.clone())
    }

    pub fn plan_is_done(&self) -> bool {
        let last = self.counting("plan_tool").next_back();
        let todos = last.and_then(|it| it.arguments["todos"].as_array());
        todos.is_some_and(|it| it.iter().all(|todo| todo["status"] == "completed"))
    }

    pub fn run(&self) -> Run {
        match self.counting("bash").next_back() {
            None => Run::None,
            Some(deed) => match metrics(&deed.result) {
                Some(metrics) => Run::Measured(metrics),
                None if deed.recent => Run::Failed(deed.result.clone()),
                None => Run::None,
            },
        }
    }

    /// The metrics of the last run before people last spoke.
    pub fn measured_before(&self) -> Option<Value> {
        self.deeds
            .iter()
            .rev()
            .filter(|it| !it.recent && it.tool == "bash")
            .find_map(|it| metrics(&it.result))
    }

    /// What was said with a recent refusal to run something.
    pub fn rejected(&self) -> Option<String> {
        let refused = self.deeds.iter().rev().find(|it| it.recent && is_refusal(&it.result))?;
        let reason =
            refused.result.split_once(" said: ").map(|(_, rest)| rest.lines().next().unwrap_or_default());
        Some(reason.map_or_else(String::new, |it| format!("The reason given was: “{it}”")))
    }

    pub fn told_to_leave_it(&self) -> bool {
        ["don't", "do not", "never mind", "cancel", "leave it"].iter().any(|it| self.asked.contains(it))
    }

    pub fn wants_another_run(&self) -> bool {
        ["again", "rerun", "re-run", "rate", "another", "retry"].iter().any(|it| self.asked.contains(it))
    }
}
