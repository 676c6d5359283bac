//! Guards: what is noticed about the model's own conduct, and the words that set it right.
//!
//! Each file is one guard, pure, with its table of cases. What they remember between steps is saved with
//! the turn ([`crate::protocol::Guards`]), so that a restart repeats no word. Their words are
//! [`Item::Synthetic`]: no person said them, and nothing that counts people's messages counts them.
//! Start at [`look`], which is called before the model is asked again, and at [`answer::judge`].

pub mod answer;
pub mod malformed;
pub mod repetition;
pub mod schema;

use malformed::Form;
use repetition::Pattern;

use super::Session;
use crate::protocol::{Guards, Item, ProposedCall};

const REPEATED_CALLS: &str = include_str!("../../../prompts/repeated_calls.md");
const REPEATED_CYCLE: &str = include_str!("../../../prompts/repeated_cycle.md");
const MALFORMED_CALLS: &str = include_str!("../../../prompts/malformed_calls.md");

/// What the model is told, and what people see of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// For the model.
    pub text: String,
    /// For people.
    pub log: String,
}

/// Looks at the calls of the last answer, once, now that all have their results. Costs what the step
/// brought, however long the history is. One word at a time: a call that cannot be understood comes first.
pub fn look(session: &mut Session) -> Option<Correction> {
    let turn = session.head.turn.as_ref()?;
    if !turn.guards.unseen {
        return None;
    }
    let mut guards = turn.guards.clone();
    guards.unseen = false;
    for (call, result) in last_calls(session) {
        let bad = guards.malformed.contains(&call.id);
        malformed::count(&mut guards.streak, &call.tool, if bad { Form::Malformed } else { Form::Good });
        repetition::remember(&mut guards.recent, repetition::sign(&call.tool, &call.arguments, result));
    }
    guards.malformed.clear();
    let correction = correction(&mut guards);
    if let Some(turn) = session.head.turn.as_mut() {
        turn.guards = guards;
    }
    correction
}

fn correction(guards: &mut Guards) -> Option<Correction> {
    if malformed::is_due(&mut guards.streak) {
        let (tool, times) = (&guards.streak.tool, guards.streak.length);
        return Some(Correction {
            text: MALFORMED_CALLS.trim_end().replace("{tool}", tool).replace("{times}", &times.to_string()),
            log: format!("{times} calls of `{tool}` in a row could not be understood; told the model."),
        });
    }
    let Some((pattern, number)) = repetition::pattern(&guards.recent) else {
        guards.told_of = None;
        return None;
    };
    if guards.told_of.replace(number) == Some(number) {
        return None;
    }
    Some(match pattern {
        Pattern::Run { tool } => Correction {
            text: REPEATED_CALLS.trim_end().replace("{tool}", &tool).replace("{times}", "three"),
            log: format!("`{tool}` was called again and again with the same result; told the model."),
        },
        Pattern::Cycle { tools } => {
            let round = tools.join(" → ");
            Correction {
                text: REPEATED_CYCLE.trim_end().replace("{tools}", &round),
                log: format!("The model goes round in a circle ({round}); told it."),
            }
        }
    })
}

/// The calls of the last answer with their results, as they stand at the end of the transcript.
fn last_calls(session: &Session) -> Vec<(&ProposedCall, Option<&str>)> {
    let items = session.items();
    let Some(at) = items.iter().rposition(|item| matches!(**item, Item::Assistant { .. })) else {
        return Vec::new();
    };
    let Item::Assistant { calls, .. } = &*items[at] else { return Vec::new() };
    let result = |call: &ProposedCall| {
        items[at..].iter().find_map(|item| match &**item {
            Item::ToolResult { call: of, output, .. } if *of == call.id => Some(output.as_str()),
            _ => None,
        })
    };
    calls.iter().map(|call| (call, result(call))).collect()
}
