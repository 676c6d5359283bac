//! Listing models and choosing another one.

use super::roles::facts_of;
use super::*;
use crate::agent::roles::{Ceiling, RoleRule};
use crate::model::{Described, Facts, Host, Repairable, Trouble};
use crate::protocol::Role;

/// Answers pings as told for each effort; remembers what it is told to.
#[derive(Default)]
struct Market {
    pings: Mutex<Vec<(&'static str, ModelError)>>,
    host: Option<Host>,
    told: Mutex<Vec<String>>,
}

#[async_trait]
impl Model for Market {
    async fn answer(
        &self,
        _: &Request,
        _: &dyn DeltaSink,
        _: &CancellationToken,
    ) -> Result<Completion, ModelError> {
        unreachable!("only pings are expected")
    }
    fn check(&self, model: &str) -> Result<(), ModelError> {
        if model.contains('/') { Ok(()) } else { Err(stop(&format!("`{model}` is no model id."))) }
    }
    async fn facts(&self, model: &str) -> Facts {
        facts_of(model)
    }
    async fn describe(&self, model: &str) -> Described {
        let host = self.host.unwrap_or(Host::Provider);
        Described { facts: facts_of(model), remarks: vec!["It is odd.".into()], host, ..Described::default() }
    }
    async fn ping(&self, _: &str, effort: Option<&str>, _: &CancellationToken) -> Result<Usage, ModelError> {
        let level = effort.unwrap_or("none");
        self.told.lock().unwrap().push(format!("ping {level}"));
        let refusals = self.pings.lock().unwrap();
        if let Some((_, error)) = refusals.iter().find(|(of, _)| *of == level) {
            return Err(error.clone());
        }
        Ok(Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() })
    }
    fn remember_effort(&self, model: &str, wish: &str, taken: Option<String>) {
        self.told.lock().unwrap().push(format!("{model} {wish} -> {}", taken.as_deref().unwrap_or("none")));
    }
}

fn stop(reason: &str) -> ModelError {
    ModelError::Stop { reason: reason.into(), hint: "Do something.".into() }
}

fn refuses(level: &'static str) -> (&'static str, ModelError) {
    (level, ModelError::Repair { reason: format!("no {level}"), part: Repairable::Effort })
}

fn busy(level: &'static str) -> (&'static str, ModelError) {
    (level, ModelError::Wait { reason: "Busy.".into(), kind: Trouble::RateLimit, after: None })
}

struct Story {
    bench: Bench,
    market: Arc<Market>,
}

impl Story {
    fn new(effort: Option<&str>, pings: Vec<(&'static str, ModelError)>, host: Option<Host>) -> Self {
        let market = Arc::new(Market { pings: Mutex::new(pings), host, told: Mutex::default() });
        let mut bench = Bench::new([]);
        bench.agent.model = market.clone();
        bench.agent.rules.effort = effort.map(str::to_owned);
        Self { bench, market }
    }

    async fn switch(&mut self, role: Role, id: Option<&str>) -> Result<String, String> {
        let Bench { agent, session, seen, cancel, .. } = &mut self.bench;
        let sink: Arc<dyn EventSink> = seen.clone();
        match agent.switch(session, role, id, &sink, cancel).await {
            Ok(Event::Status { lines }) => {
                Ok(lines.into_iter().map(|(label, words)| format!("{label}: {words}\n")).collect())
            }
            Ok(Event::Remark { text }) => Ok(text),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    fn told(&self) -> String {
        self.market.told.lock().unwrap().join(", ")
    }
}

#[tokio::test]
async fn a_model_that_answers_is_taken_over_with_the_effort_that_it_takes() {
    let mut story = Story::new(Some("max"), vec![refuses("max"), refuses("xhigh")], None);
    let said = story.switch(Role::Main, Some("new/model-3")).await.unwrap();
    insta::assert_snapshot!(said, @r"
    Model for main: new/model-3, from the next step on
    Price: $3.00 in, $6.00 out per million tokens
    Window: 200k tokens
    Effort: high: max was wished for, and this is the highest it takes (no max)
    Note: It is odd.
    ");
    assert_eq!(story.told(), "ping max, ping xhigh, ping high, new/model-3 max -> high");
    let head = &story.bench.session.head;
    assert_eq!(head.settings.model.as_deref(), Some("new/model-3"));
    assert_eq!((head.usage.input_tokens, head.usage.cost), (10, 60), "the ping is paid for");
    assert_eq!(story.switch(Role::Main, None).await.unwrap(), "The main model is `toy/model` again.");
    assert_eq!(story.bench.session.head.settings.model, None);
}

#[tokio::test]
async fn other_roles_have_models_of_their_own() {
    let mut story = Story::new(None, vec![], None);
    story.bench.agent.rules.roles.insert(
        Role::Summary,
        RoleRule { model: Some("set/up-1".into()), effort: Some("low".into()), ceiling: Ceiling::default() },
    );
    story.switch(Role::Summary, Some("s/x-2")).await.unwrap();
    assert_eq!(story.told(), "ping low, s/x-2 low -> low");
    assert_eq!(story.bench.session.head.settings.models[&Role::Summary], "s/x-2");
    assert_eq!(story.bench.session.head.settings.model, None);
    assert_eq!(story.switch(Role::Summary, None).await.unwrap(), "The summary model is `set/up-1` again.");
}

#[tokio::test]
async fn what_cannot_be_used_leaves_the_model_as_it_is() {
    let auth = || vec![("high", stop("The key is refused."))];
    let dead = || vec![busy("none")];
    let both = || vec![refuses("high"), refuses("medium"), refuses("low"), busy("none")];
    let table = [
        ("gpt", auth(), None, Err("`gpt` is no model id.")),
        ("a/b-1", auth(), None, Err("The key is refused.")),
        // Somebody else's server may be busy; one's own has to answer.
        ("a/b-1", vec![busy("high")], None, Ok("Note: It could not be tried just now: Busy.")),
        ("a/b-1", both(), None, Ok("Effort: high, not tried yet")),
        ("ollama/b", both(), Some(Host::Own), Err("Busy.")),
        ("a/b-1", dead(), None, Ok("Effort: high\n")),
        (
            "a/b-9",
            vec![],
            None,
            Err(
                "`a/b-9` may not be used as the main model: it costs $9.00 in, $18.00 out per million tokens, and the ceiling is $5.00 in per million tokens.",
            ),
        ),
        (
            "a/b",
            vec![],
            None,
            Err(
                "`a/b` may not be used as the main model: nobody knows what it costs, and the ceiling is $5.00 in per million tokens.",
            ),
        ),
    ];
    for (id, pings, host, expected) in table {
        let mut story = Story::new(Some("high"), pings, host);
        if host.is_none() {
            let ceiling = Ceiling { input: Some(5_000_000), output: None };
            story.bench.agent.rules.roles.insert(Role::Main, RoleRule { ceiling, ..RoleRule::default() });
        }
        let said = story.switch(Role::Main, Some(id)).await;
        let model = story.bench.session.head.settings.model.clone();
        match (said, expected) {
            (Ok(said), Ok(part)) => {
                assert!(said.contains(part), "{id}: {said}");
                assert_eq!(model.as_deref(), Some(id));
            }
            (said, expected) => {
                assert_eq!(said, expected.map(str::to_owned).map_err(str::to_owned), "{id}");
                assert_eq!(model, None, "{id}");
            }
        }
    }
}

#[tokio::test]
async fn a_switch_can_be_stopped() {
    let mut story = Story::new(None, vec![], None);
    story.bench.cancel.cancel();
    story.switch(Role::Main, Some("a/b-1")).await.unwrap_err();
    assert_eq!(story.bench.session.head.settings.model, None);
    assert_eq!(story.told(), "");
}

#[tokio::test]
async fn the_list_shows_every_role_what_it_costs_and_how_to_change_it() {
    let mut story = Story::new(Some("high"), vec![], None);
    let rules = &mut story.bench.agent.rules;
    rules.model = "main/x-5".into();
    let ceiling = Ceiling { input: Some(1_000_000), output: Some(2_500_000) };
    rules.roles.insert(
        Role::Summary,
        RoleRule { model: Some("cheap/x-1".into()), effort: Some("low".into()), ceiling },
    );
    let Event::Status { lines } = story.bench.agent.list_models(&story.bench.session).await else { panic!() };
    let said: String = lines.into_iter().map(|(label, words)| format!("{label}: {words}\n")).collect();
    insta::assert_snapshot!(said, @r"
    Model for main: main/x-5 · effort high · $5.00 in, $10.00 out per million tokens · 200k tokens
    Model for research: as main
    Model for summary: cheap/x-1 · effort low · $1.00 in, $2.00 out per million tokens · 200k tokens · at most $1.00 in and $2.50 out per million tokens
    Model for judge: as main
    Model for routine: as main
    You could use: anthropic/claude-opus-4-8 · $8.00 in, $16.00 out per million tokens · 200k tokens
    Change it: /model [role] ID, /model [role] default, /effort LEVEL
    Routing: an id of the router may end with :PROVIDER, :fastest or :cheapest; without, the router chooses
    ");
}
