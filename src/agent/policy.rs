//! What may run: a pure function of what a tool says of a call, what rules demand and what people have set.
//!
//! The strictest verdict wins; an error means "ask" or "no", never "go". Never asks anybody itself.

use super::rules::{Floor, Terms};
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

impl Judgement {
    /// Of two verdicts on one call the stricter one; of two that ask or forbid, with the reasons of both.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Forbid(one), Self::Forbid(other)) if one != other => {
                Self::Forbid(format!("{one} {other}"))
            }
            (Self::Forbid(why), _) | (_, Self::Forbid(why)) => Self::Forbid(why),
            (Self::Ask(mut reasons), Self::Ask(others)) => {
                for reason in others {
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
                Self::Ask(reasons)
            }
            (Self::Ask(reasons), Self::Allow) | (Self::Allow, Self::Ask(reasons)) => Self::Ask(reasons),
            (Self::Allow, Self::Allow) => Self::Allow,
        }
    }
}

/// How a session treats questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autonomy {
    /// People are asked.
    Asks,
    /// What policy lets it is approved without asking.
    Approves,
}

/// How much a call needs, tool and rules together; later is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A yes, which the session may have given ahead.
    Yes,
    /// A person's own yes to this very call.
    OwnYes,
    /// It may not run.
    Refused,
}

/// What a call needs: the stricter of what its tool and the rules say.
#[must_use]
pub fn need(assessment: &Assessment, terms: &Terms) -> Need {
    let tool = match assessment.risk {
        Risk::Free => Need::Nothing,
        Risk::Ask { .. } => Need::Yes,
        Risk::Always { .. } => Need::OwnYes,
        Risk::Never { .. } => Need::Refused,
    };
    let rules = match terms.floor {
        None => Need::Nothing,
        Some(Floor::Ask) => Need::Yes,
        Some(Floor::AlwaysAsk) => Need::OwnYes,
        Some(Floor::Never) => Need::Refused,
    };
    tool.max(rules)
}

/// Why a call that needs a yes has it already, in words for the audit log; `None` if it has not.
#[must_use]
pub fn waived(assessment: &Assessment, settings: &Settings, autonomy: Autonomy) -> Option<&'static str> {
    let alike = assessment.alike.as_ref();
    if alike.is_some_and(|alike| settings.allowed.iter().any(|granted| granted.key == alike.key)) {
        return Some("calls that are alike were approved for this session");
    }
    (autonomy == Autonomy::Approves).then_some("auto-approval is on")
}

/// Judges one call.
#[must_use]
pub fn judge(assessment: &Assessment, terms: &Terms, settings: &Settings, autonomy: Autonomy) -> Judgement {
    let own = match &assessment.risk {
        Risk::Free => None,
        Risk::Ask { reason } | Risk::Always { reason } | Risk::Never { reason } => Some(reason.clone()),
    };
    match need(assessment, terms) {
        Need::Nothing => Judgement::Allow,
        Need::Yes if waived(assessment, settings, autonomy).is_some() => Judgement::Allow,
        Need::Yes | Need::OwnYes => {
            Judgement::Ask(own.into_iter().chain(terms.reasons.iter().cloned()).collect())
        }
        Need::Refused => {
            let never = matches!(assessment.risk, Risk::Never { .. });
            let rules = (terms.floor == Some(Floor::Never)).then(|| terms.reasons.join(" "));
            let reasons: Vec<String> = own.filter(|_| never).into_iter().chain(rules).collect();
            Judgement::Forbid(reasons.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Approvals;
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
            assert_eq!(judge(assessment, &Approvals::default().plain(), settings, autonomy), expected);
        }
    }

    #[test]
    fn of_two_verdicts_the_stricter_holds_with_the_reasons_of_both() {
        let ask = |reasons: &[&str]| Judgement::Ask(reasons.iter().map(|it| (*it).to_owned()).collect());
        let no = |why: &str| Judgement::Forbid(why.to_owned());
        let table = [
            (Judgement::Allow, Judgement::Allow, Judgement::Allow),
            (Judgement::Allow, ask(&["a"]), ask(&["a"])),
            (ask(&["a", "b"]), ask(&["b", "c"]), ask(&["a", "b", "c"])),
            (no("x"), ask(&["a"]), no("x")),
            (Judgement::Allow, no("x"), no("x")),
            (no("x"), no("y"), no("x y")),
            (no("x"), no("x"), no("x")),
        ];
        for (one, other, expected) in table {
            assert_eq!(one.clone().stricter(other.clone()), expected, "{one:?} and {other:?}");
        }
    }
}
