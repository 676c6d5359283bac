//! What may run: a pure function of what a tool says of a call and what people have set.
//!
//! The strictest verdict wins; an error means "ask" or "no", never "go". Never asks anybody itself.

use super::tool::{Assessment, Risk};
use crate::protocol::Settings;

/// What is decided about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It may run.
    Allow,
    /// People are asked, for these reasons.
    Ask(Vec<String>),
    /// It may not run; the model is told why.
    Forbid(String),
}

/// How a session treats questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autonomy {
    /// People are asked.
    Asks,
    /// What policy lets it is approved without asking.
    Approves,
}

/// Judges one call.
#[must_use]
pub fn judge(assessment: &Assessment, settings: &Settings, autonomy: Autonomy) -> Judgement {
    match &assessment.risk {
        Risk::Never { reason } => Judgement::Forbid(reason.clone()),
        Risk::Free => Judgement::Allow,
        Risk::Always { reason } => Judgement::Ask(vec![reason.clone()]),
        Risk::Ask { reason } => {
            let allowed = assessment
                .alike
                .as_ref()
                .is_some_and(|alike| settings.allowed.iter().any(|granted| granted.key == alike.key));
            if allowed || autonomy == Autonomy::Approves {
                Judgement::Allow
            } else {
                Judgement::Ask(vec![reason.clone()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::approval::Alike;

    #[test]
    fn the_strictest_verdict_wins() {
        let alike = Alike { key: "bash".into(), words: "shell commands".into() };
        let ask = Assessment {
            risk: Risk::Ask { reason: "runs a command".into() },
            alike: Some(alike.clone()),
            ..Assessment::changes("x")
        };
        let never = Assessment { risk: Risk::Never { reason: "leaves the workspace".into() }, ..ask.clone() };
        let plain = Settings::default();
        let granted = Settings { allowed: [alike].into(), ..Settings::default() };
        let other = Settings {
            allowed: [Alike { key: "write".into(), words: String::new() }].into(),
            ..Settings::default()
        };
        let table = [
            (&Assessment::reads("x"), &plain, Autonomy::Asks, Judgement::Allow),
            (&ask, &plain, Autonomy::Asks, Judgement::Ask(vec!["runs a command".into()])),
            (&ask, &other, Autonomy::Asks, Judgement::Ask(vec!["runs a command".into()])),
            (&ask, &granted, Autonomy::Asks, Judgement::Allow),
            (&ask, &plain, Autonomy::Approves, Judgement::Allow),
            (&never, &granted, Autonomy::Approves, Judgement::Forbid("leaves the workspace".into())),
        ];
        for (assessment, settings, autonomy, expected) in table {
            assert_eq!(judge(assessment, settings, autonomy), expected);
        }
    }
}
