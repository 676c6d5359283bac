//! A question to whoever sits here, through as many edits as they like, until there is an answer.
//!
//! Owns [`Question`]: what is asked now, and what an answer to it means. A changed call is shown as a
//! difference and asked about again; nothing runs that nobody has read. Never draws, never reads.

use std::path::Path;

use super::ask::{self, Answer};
use super::render::{diff, question};
use crate::protocol::{ApprovalRequest, Verdict};

/// What the model is told where somebody pressed Ctrl+C at a question.
pub const CANCELLED: &str = "The person cancelled this with Ctrl+C.";

/// A question on its way to an answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is asked.
    pub request: ApprovalRequest,
    /// The calls as they were changed here, and the verdict that says so.
    changed: Option<(ApprovalRequest, Verdict)>,
}

impl Question {
    /// The question as it was asked.
    #[must_use]
    pub fn new(request: ApprovalRequest) -> Self {
        Self { request, changed: None }
    }

    /// The words that the answer is typed behind.
    #[must_use]
    pub fn prompt(&self) -> String {
        match &self.changed {
            None => question::prompt(&self.request),
            Some(_) => "Run it as changed? [y]es, [n]o, [e]dit again, or say what to do instead: ".to_owned(),
        }
    }

    /// What a typed answer means.
    #[must_use]
    pub fn read(&self, answer: &str) -> Answer {
        let Some((_, verdict)) = &self.changed else { return ask::read(answer, &self.request) };
        match answer.trim().to_lowercase().as_str() {
            "" => Answer::Again("Type y, n, e, or what to do instead."),
            "a" | "always" => Answer::Again("A changed call can only be allowed once: y runs it."),
            "y" | "yes" => Answer::Verdict(verdict.clone()),
            _ => ask::read(answer, &self.request),
        }
    }

    /// Lets the person change the calls in their editor; blocks until they are done.
    ///
    /// # Errors
    /// There is no editor, it failed, or what it left is no call.
    pub fn edit(&self, editor: Option<&str>, folder: &Path) -> anyhow::Result<Verdict> {
        ask::edit(self.changed.as_ref().map_or(&self.request, |(request, _)| request), editor, folder)
    }

    /// Takes in what came of an edit; gives the difference to read, or `None` if there is none.
    pub fn edited(&mut self, verdict: Verdict, look: super::render::paint::Paint) -> Option<String> {
        let mut changed =
            self.changed.as_ref().map_or_else(|| self.request.clone(), |(request, _)| request.clone());
        if let Verdict::Edit { arguments } = verdict {
            for call in &mut changed.calls {
                if let Some(new) = arguments.get(&call.call) {
                    call.arguments.clone_from(new);
                }
            }
        }
        let mut arguments = std::collections::BTreeMap::new();
        let mut shown = String::new();
        for (before, after) in self.request.calls.iter().zip(&changed.calls) {
            if before.arguments != after.arguments {
                arguments.insert(after.call.clone(), after.arguments.clone());
                let texts =
                    (ask::text_of(before).unwrap_or_default(), ask::text_of(after).unwrap_or_default());
                shown.push_str(&diff::draw(&texts.0, &texts.1, look));
            }
        }
        if arguments.is_empty() {
            self.changed = None;
            return None;
        }
        self.changed = Some((changed, Verdict::Edit { arguments }));
        Some(shown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::render::paint::Paint;
    use super::super::render::question::tests::request;
    use super::*;

    #[test]
    fn a_change_is_shown_and_asked_about_again_until_it_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = request(&["ls build"]);
        one.calls[0].arguments = json!({"command": "ls build", "timeout_s": 5});
        let mut question = Question::new(one);
        let first = question.edit(Some("sed -i s/build/dist/"), folder.path()).unwrap();
        let shown = question.edited(first, Paint::Plain).unwrap();
        assert_eq!(shown, "  - ls build\n  + ls dist\n");
        assert!(question.prompt().starts_with("Run it as changed?"));
        assert!(matches!(question.read("a"), Answer::Again(_)));
        assert_eq!(question.read("e"), Answer::Edit);
        let second = question.edit(Some("sed -i s/dist/out/"), folder.path()).unwrap();
        assert_eq!(question.edited(second, Paint::Plain).unwrap(), "  - ls build\n  + ls out\n");
        let Answer::Verdict(Verdict::Edit { arguments }) = question.read("y") else { panic!() };
        assert_eq!(arguments[&"c0".into()], json!({"command": "ls out", "timeout_s": 5}));
        let back = question.edit(Some("sed -i s/out/build/"), folder.path()).unwrap();
        assert_eq!(question.edited(back, Paint::Plain), None, "nothing is changed any more");
        assert_eq!(question.read("y"), Answer::Verdict(Verdict::Approve));
    }
}
