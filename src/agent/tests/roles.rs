//! Which model does what, and what it may cost.

use std::collections::BTreeMap;

use super::*;
use crate::agent::roles::{Ceiling, RoleRule};
use crate::model::Facts;
use crate::protocol::{Price, Role};

/// Models whose id ends with what they cost per million prompt tokens, in dollars: `a/b-3`; the others'
/// price nobody knows.
pub(super) struct Shop;

pub(super) fn facts_of(model: &str) -> Facts {
    let dollars = model.rsplit('-').next().and_then(|end| end.parse::<u64>().ok());
    let price = dollars.map(|dollars| Price {
        input: dollars * 1_000_000,
        output: dollars * 2_000_000,
        ..Price::FREE
    });
    Facts { price, ..Facts::ASSUMED }
}

#[async_trait]
impl Model for Shop {
    async fn answer(
        &self,
        request: &Request,
        _: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        Ok(Completion { text: request.model.clone(), ..Completion::default() })
    }
    fn check(&self, _: &str) -> Result<(), ModelError> {
        Ok(())
    }
    async fn facts(&self, model: &str) -> Facts {
        facts_of(model)
    }
}

fn bench(main: &str, role: Role, rule: RoleRule) -> Bench {
    let mut bench = Bench::new([]);
    bench.agent.model = Arc::new(Shop);
    bench.agent.rules.model = main.into();
    bench.agent.rules.effort = Some("high".into());
    bench.agent.rules.roles = BTreeMap::from([(role, rule)]);
    bench
}

fn most(dollars: u64) -> Ceiling {
    Ceiling { input: Some(dollars * 1_000_000), output: None }
}

#[test]
fn a_role_is_as_the_main_model_where_it_says_nothing() {
    let rule = RoleRule { model: Some("cheap/x-1".into()), ..RoleRule::default() };
    let mut bench = bench("main/x-5", Role::Summary, rule);
    let chosen = |bench: &Bench, role| {
        let chosen = bench.agent.model_for(role, &bench.session);
        format!("{} {}", chosen.model, chosen.effort.as_deref().unwrap_or("-"))
    };
    assert_eq!(chosen(&bench, Role::Main), "main/x-5 high");
    assert_eq!(chosen(&bench, Role::Research), "main/x-5 high");
    assert_eq!(chosen(&bench, Role::Summary), "cheap/x-1 high");
    bench.agent.rules.roles.get_mut(&Role::Summary).unwrap().effort = Some("low".into());
    bench.session.head.settings.model = Some("other/y-2".into());
    bench.session.head.settings.models.insert(Role::Judge, "judge/z-3".into());
    bench.session.head.settings.effort = Some("none".into());
    assert_eq!(chosen(&bench, Role::Main), "other/y-2 -");
    assert_eq!(chosen(&bench, Role::Research), "other/y-2 -");
    assert_eq!(chosen(&bench, Role::Judge), "judge/z-3 -");
    assert_eq!(chosen(&bench, Role::Summary), "cheap/x-1 low", "a role's own effort stands");
}

#[tokio::test]
async fn a_ceiling_holds_and_an_unknown_price_is_over_every_ceiling() {
    let role = |model: &str, ceiling| RoleRule { model: Some(model.into()), effort: None, ceiling };
    let table = [
        ("main/x-5", Role::Research, role("r/x-2", most(2)), Ok("r/x-2")),
        ("main/x-1", Role::Research, role("r/x-3", most(2)), Ok("main/x-1")),
        ("main/x-1", Role::Research, role("r/unknown", most(2)), Ok("main/x-1")),
        (
            "main/x-5",
            Role::Research,
            role("r/x-3", most(2)),
            Err(
                "`r/x-3` may not be used as the research model: it costs $3.00 in, $6.00 out per million tokens, and the ceiling is $2.00 in per million tokens.",
            ),
        ),
        ("main/unknown", Role::Research, role("r/unknown", Ceiling::default()), Ok("r/unknown")),
        ("main/x-5", Role::Main, role("ignored/x-1", most(9)), Ok("main/x-5")),
        (
            "main/unknown",
            Role::Main,
            role("", most(9)),
            Err(
                "`main/unknown` may not be used as the main model: nobody knows what it costs, and the ceiling is $9.00 in per million tokens.",
            ),
        ),
    ];
    for (main, role, rule, expected) in table {
        let bench = bench(main, role, rule);
        let chosen = bench.agent.affordable(role, &bench.session).await;
        let found = chosen.as_ref().map(|chosen| chosen.model.as_str()).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{main}");
    }
}

#[tokio::test]
async fn a_main_model_over_its_ceiling_ends_the_turn_with_what_to_do() {
    let mut bench = bench("main/x-5", Role::Main, RoleRule { ceiling: most(1), ..RoleRule::default() });
    bench.go().await;
    let TurnState::Over { ending: crate::protocol::Ending::Failed { error, hint, .. }, .. } = bench.state()
    else {
        panic!("{:?}", bench.state());
    };
    assert!(error.contains("costs $5.00 in"), "{error}");
    assert!(hint.as_deref().unwrap().contains("!model main ID"), "{hint:?}");
}
