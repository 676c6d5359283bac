//! `plan_tool`: the model writes down what it is going to do, and how far it is.

use std::collections::BTreeSet;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::agent::tool::{
    Assessment, BadArguments, CallContext, Effect, Place, Together, Tool, ToolError, arguments, parameters,
};
use crate::protocol::{PlanItem, PlanStatus, ToolOutcome, ToolSpec};
use crate::text::cut;

/// A longer plan helps nobody.
const MOST_ITEMS: usize = 100;
/// Characters of one item.
const LONGEST_ITEM: usize = 500;

/// The `plan_tool` tool.
pub struct PlanTool;

/// The whole plan; it replaces the one before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// All items in order, those already completed included.
    todos: Vec<PlanItem>,
}

fn checked(value: &Value) -> Result<Vec<PlanItem>, BadArguments> {
    let Arguments { mut todos } = arguments(value)?;
    if todos.len() > MOST_ITEMS {
        return Err(BadArguments(format!("`todos` has {} items; {MOST_ITEMS} is the most", todos.len())));
    }
    let mut ids = BTreeSet::new();
    for (number, item) in todos.iter_mut().enumerate() {
        item.id = item.id.trim().to_owned();
        item.content = cut(item.content.trim(), LONGEST_ITEM).into_owned();
        if item.id.is_empty() || item.content.is_empty() {
            let field = if item.id.is_empty() { "id" } else { "content" };
            return Err(BadArguments(format!(
                "`todos[{number}].{field}` is empty; send the whole plan again"
            )));
        }
        if !ids.insert(item.id.clone()) {
            let id = &item.id;
            return Err(BadArguments(format!(
                "`todos[{number}].id`: `{id}` is used twice; send the whole plan again"
            )));
        }
    }
    Ok(todos)
}

/// The plan as check boxes: what is done, what is in hand, what is to come.
fn render(plan: &[PlanItem]) -> String {
    if plan.is_empty() {
        return "The plan is empty now.".to_owned();
    }
    let mut out = String::new();
    for (status, heading, mark) in [
        (PlanStatus::Completed, "Completed", "[x]"),
        (PlanStatus::InProgress, "In progress", "[~]"),
        (PlanStatus::Pending, "Pending", "[ ]"),
    ] {
        let items: Vec<&PlanItem> = plan.iter().filter(|item| item.status == status).collect();
        if items.is_empty() {
            continue;
        }
        out.push_str(&format!("{heading}:\n"));
        for item in items {
            out.push_str(&format!("- {mark} {}: {}\n", item.id, item.content));
        }
    }
    let done = plan.iter().filter(|item| item.status == PlanStatus::Completed).count();
    format!("{out}{done}/{} completed", plan.len())
}

#[async_trait]
impl Tool for PlanTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "plan_tool".to_owned(),
            description: "Keep a plan that the people watching can see. Use it for work of three steps or more, \
                          and again whenever a step begins or ends. Each call replaces the whole plan, so send \
                          every item each time. Keep one item in_progress while you work, and mark an item \
                          completed only when it is really done."
                .to_owned(),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, _: &Place) -> Result<Assessment, BadArguments> {
        let plan = checked(value)?;
        let done = plan.iter().filter(|item| item.status == PlanStatus::Completed).count();
        // It sets the same plan however often it runs, so a crash in mid-call needs no question.
        Ok(Assessment {
            effect: Effect::Reads,
            together: Together::Alone,
            ..Assessment::reads(format!("Update the plan ({done}/{} done)", plan.len()))
        })
    }

    async fn call(&self, value: Value, _: CallContext) -> Result<ToolOutcome, ToolError> {
        let plan = checked(&value)?;
        Ok(ToolOutcome { plan: Some(plan.clone()), ..ToolOutcome::done(render(&plan)) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools::workspace::fixture::Room;

    #[tokio::test]
    async fn the_plan_comes_back_grouped_and_counted() {
        let room = Room::new();
        let todos = json!({"todos": [
            {"id": "1", "content": "look", "status": "completed"},
            {"id": "3", "content": "report", "status": "pending"},
            {"id": "2", "content": " train ", "status": "in_progress"},
        ]});
        let outcome = PlanTool.call(todos, room.context()).await.unwrap();
        assert_eq!(
            outcome.output,
            "Completed:\n- [x] 1: look\nIn progress:\n- [~] 2: train\nPending:\n- [ ] 3: report\n1/3 completed"
        );
        assert_eq!(outcome.plan.unwrap()[2].content, "train");
        let cleared = PlanTool.call(json!({"todos": []}), room.context()).await.unwrap();
        assert_eq!((cleared.output.as_str(), cleared.plan), ("The plan is empty now.", Some(vec![])));
    }

    #[test]
    fn a_plan_that_is_wrong_says_where() {
        let room = Room::new();
        let item = |id: &str, content: &str| json!({"id": id, "content": content, "status": "pending"});
        for (todos, said) in [
            (json!({"todos": [item("a", "x"), item("a", "y")]}), "`todos[1].id`: `a` is used twice"),
            (json!({"todos": [item(" ", "x")]}), "`todos[0].id` is empty"),
            (json!({"todos": [item("a", "")]}), "`todos[0].content` is empty"),
            (json!({"todos": [{"id": "a", "content": "x", "status": "done"}]}), "todos[0].status"),
            (json!({"todos": [], "more": 1}), "more"),
            (json!({}), "todos"),
        ] {
            let error = PlanTool.assess(&todos, &room.place()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
