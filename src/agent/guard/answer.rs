//! What an answer of the model makes of the turn: work to do, an end, or a word and another try.
//!
//! Pure. Every way back to the model is bounded by a count that is saved with the turn.
//!
//! An answer that only talks ends the turn, unless the plan has open items: then the model is asked to
//! go on, twice at most. It is not asked where stopping is right: it put a question to people (its last
//! line ends with a question mark), or a call of this turn was refused, so that people decided.

use crate::model::Finish;
use crate::protocol::{Ending, Guards, PlanItem, PlanStatus};

/// Answers in a row that may be cut by the output limit; the next one ends the turn.
const CUT: u32 = 3;
/// How often the model is asked to go on with an unfinished plan.
const NUDGES: u32 = 2;
/// How often an empty answer is tried again.
const EMPTY: u32 = 1;
/// Items of the plan that are named.
const NAMED: usize = 4;

const CUT_BY_LENGTH: &str = include_str!("../../../prompts/cut_by_length.md");
const PLAN_UNFINISHED: &str = include_str!("../../../prompts/plan_unfinished.md");
const EMPTY_ANSWER: &str = include_str!("../../../prompts/empty_answer.md");

/// What of an answer is looked at.
pub struct Answer<'a> {
    /// Its visible text.
    pub text: &'a str,
    /// The tools that it calls, in order.
    pub tools: Vec<&'a str>,
    /// Why it ended.
    pub finish: Finish,
    /// The plan as it stands.
    pub plan: &'a [PlanItem],
    /// Whether a call of this turn was refused by a person or by policy.
    pub refused: bool,
}

/// What becomes of the turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Its calls are judged and run.
    Work,
    /// The turn ends so.
    End(Ending),
    /// The calls are dropped, the text is kept, and the model is asked again.
    Again {
        /// For the model.
        hint: String,
        /// For people.
        log: String,
    },
}

/// Judges an answer, and counts it.
pub fn judge(answer: &Answer<'_>, guards: &mut Guards) -> Verdict {
    let silent = answer.text.trim().is_empty();
    if answer.finish == Finish::Filtered && answer.tools.is_empty() && silent {
        return Verdict::End(withheld());
    }
    if answer.finish == Finish::Length && !answer.tools.is_empty() {
        guards.cut += 1;
        if guards.cut >= CUT {
            return Verdict::End(cut_again_and_again());
        }
        return Verdict::Again {
            hint: CUT_BY_LENGTH.replace("{names}", &answer.tools.join(", ")),
            log: "The answer was cut by its length limit; asking for smaller pieces.".to_owned(),
        };
    }
    guards.cut = 0;
    if !answer.tools.is_empty() {
        (guards.nudged, guards.empty) = (0, 0);
        return Verdict::Work;
    }
    if silent {
        guards.empty += 1;
        if guards.empty > EMPTY {
            return Verdict::End(nothing_said());
        }
        return Verdict::Again {
            hint: EMPTY_ANSWER.trim_end().to_owned(),
            log: "The model's answer was empty; asking once more.".to_owned(),
        };
    }
    guards.empty = 0;
    let open = open_items(answer.plan);
    if open.is_empty() || answer.refused || asks(answer.text) || guards.nudged >= NUDGES {
        return Verdict::End(Ending::Finished { text: Some(answer.text.to_owned()) });
    }
    guards.nudged += 1;
    Verdict::Again {
        hint: PLAN_UNFINISHED.trim_end().replace("{items}", &named(&open)),
        log: format!("The plan has {}; asking to go on.", crate::text::count(open.len(), "open item")),
    }
}

fn open_items(plan: &[PlanItem]) -> Vec<&PlanItem> {
    plan.iter().filter(|item| item.status != PlanStatus::Completed).collect()
}

fn named(open: &[&PlanItem]) -> String {
    let mut lines: Vec<String> = open.iter().take(NAMED).map(|item| line(item)).collect();
    if open.len() > NAMED {
        lines.push(format!("… and {} more", open.len() - NAMED));
    }
    lines.join("\n")
}

fn line(item: &PlanItem) -> String {
    let status = match item.status {
        PlanStatus::Pending => "pending",
        PlanStatus::InProgress => "in_progress",
        PlanStatus::Completed => "completed",
    };
    format!("{}. {} [{status}]", item.id, item.content)
}

/// Whether the last line is a question to people.
fn asks(text: &str) -> bool {
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    last.trim_end_matches(|letter: char| letter.is_whitespace() || "*_~`\"')]”’»".contains(letter))
        .ends_with(['?', '？', '؟'])
}

fn withheld() -> Ending {
    Ending::Failed {
        error: "The provider withheld the model's answer.".to_owned(),
        hint: Some("Rephrase the request, or switch to another model.".to_owned()),
        retry: true,
    }
}

fn cut_again_and_again() -> Ending {
    Ending::Failed {
        error: format!("The model's answer was cut by its output limit {CUT} times in a row, so its calls never ran."),
        hint: Some(
            "Ask for smaller pieces, lower the reasoning effort, or switch to a model that may answer at greater \
             length. The work so far is kept."
                .to_owned(),
        ),
        retry: true,
    }
}

fn nothing_said() -> Ending {
    Ending::Failed {
        error: "The model answered twice with nothing: no text and no tool call.".to_owned(),
        hint: Some("Try again, or switch to another model. The work so far is kept.".to_owned()),
        retry: true,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
