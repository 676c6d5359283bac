//! How much a model shall think: the levels, and finding the one that a model takes.
//!
//! Owns the cascade: a preference is a ceiling, and a model that refuses it is asked for the next level
//! below. Never remembers anything; that is [`super::Retrying`]. Start at [`find`].

use tokio_util::sync::CancellationToken;

use super::{Model, ModelError, Repairable};
use crate::protocol::Usage;

/// All levels, the highest first.
const LEVELS: [&str; 6] = ["max", "xhigh", "high", "medium", "low", "minimal"];

/// What a model takes of a wished effort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// This level, or none at all.
    Level(Option<String>),
    /// It could not be told now; why, in plain words.
    Unsure(String),
}

/// What asking for it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the model takes.
    pub taken: Taken,
    /// Tokens that the asking used.
    pub usage: Usage,
    /// What the model said to the wish itself, if it refused it.
    pub refusal: Option<String>,
}

/// Finds the highest level up to `wish` that `model` takes, by asking it for a word with each.
///
/// # Errors
/// What a real call would meet and no level can change: a refused key, an unknown model, a cancellation.
pub async fn find<M: Model + ?Sized>(
    model: &M,
    id: &str,
    wish: &str,
    cancel: &CancellationToken,
) -> Result<Found, ModelError> {
    search(model, id, cascade(wish), cancel).await
}

/// The same below a level that was refused.
pub(super) async fn find_below<M: Model + ?Sized>(
    model: &M,
    id: &str,
    refused: &str,
    cancel: &CancellationToken,
) -> Result<Found, ModelError> {
    let below = cascade(refused);
    search(model, id, below.get(1..).unwrap_or_default(), cancel).await
}

async fn search<M: Model + ?Sized>(
    model: &M,
    id: &str,
    levels: &[&str],
    cancel: &CancellationToken,
) -> Result<Found, ModelError> {
    let mut usage = Usage::default();
    let mut refusal = None;
    for level in levels {
        match model.ping(id, Some(level), cancel).await {
            Ok(used) => {
                usage.add(&used);
                return Ok(Found { taken: Taken::Level(Some((*level).to_owned())), usage, refusal });
            }
            Err(ModelError::Repair { part: Repairable::Effort, reason }) => {
                refusal.get_or_insert(reason);
            }
            Err(ModelError::Repair { part: Repairable::Thinking, reason }) => {
                return Ok(Found { taken: Taken::Level(None), usage, refusal: Some(reason) });
            }
            Err(ModelError::Wait { reason, .. }) => {
                return Ok(Found { taken: Taken::Unsure(reason), usage, refusal });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Found { taken: Taken::Level(None), usage, refusal })
}

/// The levels to try for a wish, in order; `minimal` is followed by `low`, which more models know.
fn cascade(wish: &str) -> &'static [&'static str] {
    match wish {
        "minimal" => &["minimal", "low"],
        _ => LEVELS[..5].iter().position(|level| *level == wish).map_or(&[], |at| &LEVELS[at..5]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::model::{Completion, DeltaSink, Facts, Request, Trouble};

    /// Wish, refused levels, the answer to the others; what is found, and which levels were tried.
    type Row = (
        &'static str,
        &'static [&'static str],
        Result<Usage, ModelError>,
        Result<Taken, ModelError>,
        &'static str,
    );

    /// Refuses some levels, and answers as told to the rest.
    struct Picky {
        refuses: &'static [&'static str],
        then: Result<Usage, ModelError>,
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Model for Picky {
        async fn answer(
            &self,
            _: &Request,
            _: &dyn DeltaSink,
            _: &CancellationToken,
        ) -> Result<Completion, ModelError> {
            unreachable!("only pings are expected")
        }
        fn check(&self, _: &str) -> Result<(), ModelError> {
            Ok(())
        }
        async fn facts(&self, _: &str) -> Facts {
            Facts::ASSUMED
        }
        async fn ping(
            &self,
            _: &str,
            effort: Option<&str>,
            _: &CancellationToken,
        ) -> Result<Usage, ModelError> {
            let level = effort.unwrap_or("none");
            self.asked.lock().unwrap().push(level.to_owned());
            if self.refuses.contains(&level) {
                return Err(ModelError::Repair { reason: format!("no {level}"), part: Repairable::Effort });
            }
            self.then.clone()
        }
    }

    #[tokio::test]
    async fn a_wish_is_a_ceiling() {
        let tokens = Usage { input_tokens: 7, ..Usage::default() };
        let unsupported = ModelError::Repair { reason: "no thinking".into(), part: Repairable::Thinking };
        let busy = ModelError::Wait { reason: "Busy.".into(), kind: Trouble::Transient, after: None };
        let wrong = ModelError::Stop { reason: "No key.".into(), hint: String::new() };
        let level = |level: &str| Ok(Taken::Level(Some(level.to_owned())));
        let none = || Ok(Taken::Level(None));
        let table: [Row; 9] = [
            ("max", &[], Ok(tokens), level("max"), "max"),
            ("max", &["max", "xhigh"], Ok(tokens), level("high"), "max xhigh high"),
            ("xhigh", &["xhigh"], Ok(tokens), level("high"), "xhigh high"),
            ("high", &["high", "medium", "low"], Ok(tokens), none(), "high medium low"),
            ("medium", &["medium"], Ok(tokens), level("low"), "medium low"),
            ("minimal", &["minimal"], Ok(tokens), level("low"), "minimal low"),
            ("high", &["high"], Err(unsupported), none(), "high medium"),
            ("high", &["high"], Err(busy), Ok(Taken::Unsure("Busy.".into())), "high medium"),
            ("low", &[], Err(wrong.clone()), Err(wrong), "low"),
        ];
        for (wish, refuses, then, expected, asked) in table {
            let model = Picky { refuses, then, asked: Mutex::default() };
            let found = find(&model, "a/b", wish, &CancellationToken::new()).await;
            assert_eq!(found.map(|found| found.taken), expected, "{wish} {refuses:?}");
            assert_eq!(model.asked.lock().unwrap().join(" "), asked);
        }
    }

    #[tokio::test]
    async fn healing_looks_only_below_what_was_refused() {
        let model = Picky { refuses: &[], then: Ok(Usage::default()), asked: Mutex::default() };
        let found = find_below(&model, "a/b", "xhigh", &CancellationToken::new()).await.unwrap();
        assert_eq!(found.taken, Taken::Level(Some("high".to_owned())));
        let found = find_below(&model, "a/b", "low", &CancellationToken::new()).await.unwrap();
        assert_eq!(found.taken, Taken::Level(None), "there is nothing below");
        assert_eq!(*model.asked.lock().unwrap(), ["high"]);
    }
}
