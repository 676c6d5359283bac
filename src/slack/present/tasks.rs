//! The plan and the tool calls of a turn as tasks, as streams and progress messages show them. Pure.

use serde_json::{Value, json};

use super::markdown::{cut, defang, escape_mrkdwn, one_line};
use crate::protocol::{PlanItem, PlanStatus};
use crate::slack::say;

/// Slack shows at most 50 tasks.
const SHOWN: usize = 45;
/// Characters of details and output.
const DETAIL: usize = 400;

/// The id of the loop's own remarks.
const REMARK: &str = "remark";

/// How far a task is, in Slack's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not begun.
    Pending,
    /// Being worked on.
    Underway,
    /// Done.
    Complete,
    /// Failed, refused or stopped.
    Error,
}

impl Progress {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Underway => "in_progress",
            Self::Complete => "complete",
            Self::Error => "error",
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Pending => "▫️",
            Self::Underway => "⏳",
            Self::Complete => "✅",
            Self::Error => "❌",
        }
    }
}

#[derive(Debug, Clone)]
struct Task {
    id: String,
    title: String,
    progress: Progress,
    details: String,
    output: String,
    /// Not yet shown in this state.
    fresh: bool,
    /// Characters of the details that were shown: Slack adds, it does not replace.
    details_shown: usize,
    output_shown: bool,
}

/// All tasks of a turn.
#[derive(Debug, Default)]
pub struct Tasks {
    tasks: Vec<Task>,
    plan: (usize, usize),
    more: usize,
    title_shown: Option<String>,
}

impl Tasks {
    /// Takes over the whole plan.
    pub fn plan(&mut self, items: &[PlanItem]) {
        self.plan = (items.iter().filter(|item| item.status == PlanStatus::Completed).count(), items.len());
        for item in items {
            let progress = match item.status {
                PlanStatus::Pending => Progress::Pending,
                PlanStatus::InProgress => Progress::Underway,
                PlanStatus::Completed => Progress::Complete,
            };
            self.set(&format!("plan-{}", item.id), Some(&item.content), progress);
        }
    }

    /// A call with its title.
    pub fn call(&mut self, id: &str, title: &str, progress: Progress) {
        self.set(&format!("call-{id}"), Some(title), progress);
    }

    /// A call in a new state.
    pub fn call_is(&mut self, id: &str, progress: Progress) {
        self.set(&format!("call-{id}"), None, progress);
    }

    /// A remark of the loop itself: a wait before another try, a part that is left out. The next one
    /// takes its place.
    pub fn remark(&mut self, line: &str) {
        self.set(REMARK, Some(line), Progress::Underway);
    }

    /// The work has gone on after a remark.
    pub fn went_on(&mut self) {
        self.set(REMARK, None, Progress::Complete);
    }

    /// A line of progress of a call.
    pub fn log(&mut self, id: &str, line: &str) {
        let Some(task) = self.find(&format!("call-{id}")) else { return };
        if task.details.chars().count() < DETAIL {
            if !task.details.is_empty() {
                task.details.push('\n');
            }
            task.details.push_str(&defang(&one_line(line, 120)));
            task.fresh = true;
        }
    }

    /// The result of a call.
    pub fn output(&mut self, id: &str, output: &str, progress: Progress) {
        let Some(task) = self.find(&format!("call-{id}")) else { return };
        task.output = defang(&cut(output.trim(), DETAIL));
        task.progress = progress;
        task.fresh = true;
    }

    /// Marks whatever is not done, at the end of a turn that was stopped or failed.
    pub fn give_up(&mut self) {
        for task in &mut self.tasks {
            if matches!(task.progress, Progress::Underway) {
                task.progress = Progress::Error;
                task.fresh = true;
            }
        }
    }

    /// Nobody works on it any more, or not for now: a message that has ended must not show a spinner.
    pub fn rest(&mut self) {
        for task in &mut self.tasks {
            if matches!(task.progress, Progress::Underway) {
                task.progress = Progress::Pending;
                task.fresh = true;
            }
        }
    }

    /// What spins, put to rest: for a message that ends while the work goes on in another one.
    #[must_use]
    pub fn resting(&self) -> Vec<Value> {
        let spinning = self.tasks.iter().filter(|task| matches!(task.progress, Progress::Underway));
        let chunk = |task: &Task| {
            let (id, title, status) = (&task.id, &task.title, Progress::Pending.word());
            json!({ "type": "task_update", "id": id, "title": title, "status": status })
        };
        spinning.map(chunk).collect()
    }

    /// Whether something is not done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tasks.iter().any(|task| matches!(task.progress, Progress::Pending | Progress::Underway))
    }

    /// Whether something is not yet shown.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.tasks.iter().any(|task| task.fresh)
    }

    /// A new stream knows nothing: what is still open is to be shown again there.
    pub fn replay(&mut self) {
        self.title_shown = None;
        for task in &mut self.tasks {
            task.details_shown = 0;
            task.output_shown = false;
            task.fresh |= matches!(task.progress, Progress::Pending | Progress::Underway);
        }
    }

    /// Chunks for what is not yet shown. [`Tasks::shown`] says that they arrived.
    #[must_use]
    pub fn chunks(&self) -> Vec<Value> {
        if !self.is_fresh() {
            return Vec::new();
        }
        let mut chunks = Vec::new();
        let title = self.title();
        if self.title_shown.as_ref() != Some(&title) {
            chunks.push(json!({ "type": "plan_update", "title": title }));
        }
        for task in self.tasks.iter().filter(|task| task.fresh) {
            let mut chunk = json!({
                "type": "task_update",
                "id": task.id,
                "title": task.title,
                "status": task.progress.word(),
            });
            let details: String = task.details.chars().skip(task.details_shown).collect();
            if !details.is_empty() {
                chunk["details"] = json!(details);
            }
            if !task.output.is_empty() && !task.output_shown {
                chunk["output"] = json!(task.output);
            }
            chunks.push(chunk);
        }
        chunks
    }

    /// What [`Tasks::chunks`] gave has arrived.
    pub fn shown(&mut self) {
        self.title_shown = Some(self.title());
        for task in &mut self.tasks {
            task.fresh = false;
            task.details_shown = task.details.chars().count();
            task.output_shown = !task.output.is_empty();
        }
    }

    /// All tasks as lines of mrkdwn, for a progress message.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = vec![format!("*{}*", self.title())];
        // The newest matter most.
        let skipped = self.tasks.len().saturating_sub(25);
        for task in self.tasks.iter().skip(skipped) {
            lines.push(format!("{} {}", task.progress.mark(), escape_mrkdwn(&cut(&task.title, 90))));
        }
        cut(&lines.join("\n"), 2_900)
    }

    fn title(&self) -> String {
        let title = say::plan_title(self.plan.0, self.plan.1);
        if self.more > 0 { format!("{title}, {}", say::more_calls(self.more)) } else { title }
    }

    fn find(&mut self, id: &str) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.id == id)
    }

    fn set(&mut self, id: &str, title: Option<&str>, progress: Progress) {
        let title = title.map(|title| defang(&one_line(title, 140)));
        if let Some(task) = self.find(id) {
            let title = title.unwrap_or_else(|| task.title.clone());
            task.fresh |= task.progress != progress || task.title != title;
            task.progress = progress;
            task.title = title;
        } else if let Some(title) = title {
            if self.tasks.len() >= SHOWN {
                self.more += 1;
                return;
            }
            self.tasks.push(Task {
                id: cut(id, 200),
                title,
                progress,
                details: String::new(),
                output: String::new(),
                fresh: true,
                details_shown: 0,
                output_shown: false,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_shown_once_and_replayed_to_a_new_stream() {
        let mut tasks = Tasks::default();
        tasks.call("1", "ls <@U1>", Progress::Underway);
        let chunks = tasks.chunks();
        assert_eq!(chunks[0], json!({ "type": "plan_update", "title": "Working" }));
        assert_eq!(chunks[1]["status"], "in_progress");
        assert!(!chunks[1]["title"].as_str().unwrap().contains("<@"));
        tasks.shown();
        assert!(tasks.chunks().is_empty());
        tasks.log("1", "line one");
        tasks.output("1", "ok", Progress::Complete);
        let chunks = tasks.chunks();
        assert_eq!(
            chunks,
            [
                json!({ "type": "task_update", "id": "call-1", "title": "ls <\u{200b}@U1>", "status": "complete", "details": "line one", "output": "ok" })
            ]
        );
        tasks.shown();
        tasks.call("2", "sleep", Progress::Underway);
        tasks.shown();
        tasks.replay();
        let chunks = tasks.chunks();
        assert_eq!(chunks.len(), 2, "the title and the open task: {chunks:?}");
        assert_eq!(chunks[1]["id"], "call-2");
    }

    #[test]
    fn more_tasks_than_slack_shows_are_counted() {
        let mut tasks = Tasks::default();
        for n in 0..60 {
            tasks.call(&n.to_string(), "echo", Progress::Underway);
        }
        assert_eq!(tasks.chunks().len(), 46);
        assert_eq!(tasks.chunks()[0]["title"], "Working, and 15 more calls");
    }
}
