//! Several people who must agree, edits that are judged anew, and approvals that became void.

use std::collections::BTreeMap;

use super::super::answer::{Answer, Refusal};
use super::super::rules::{CallRule, Conditions, Demand, Floor, Pattern};
use super::*;
use crate::protocol::{Act, ApprovalRequest, Verdict};

fn rule(argument: &str, demand: Demand) -> CallRule {
    let arguments = vec![("what".to_owned(), Pattern::new(argument))];
    CallRule { name: argument.to_owned(), when: Conditions { arguments, ..Conditions::default() }, demand }
}

fn two() -> Demand {
    Demand { needed: Some(2), ..Demand::default() }
}

fn listed(people: &[&str]) -> Demand {
    let people = people.iter().map(|id| (*id).into()).collect();
    Demand { who: Some(Voters { who: Who::Listed, people, groups: Vec::new() }), ..Demand::default() }
}

fn bench(rules: Vec<CallRule>, replies: impl IntoIterator<Item = Result<Completion, ModelError>>) -> Bench {
    let mut bench = Bench::new(replies);
    bench.agent.rules.approvals.rules = rules;
    bench
}

fn one_call(text: &str) -> [Result<Completion, ModelError>; 2] {
    [calls(&[("c1", "act", what(text))]), says("done")]
}

fn asked(bench: &Bench) -> ApprovalRequest {
    let TurnState::Waiting { approval, .. } = bench.state() else { panic!("{:?}", bench.state()) };
    approval.clone()
}

fn answer(bench: &mut Bench, who: &str, verdict: &Verdict) -> Result<Vec<Event>, Refusal> {
    let approval = asked(bench).id;
    let answer = Answer { approval: &approval, verdict, by: &person(who), at: Timestamp(1_000_500) };
    bench.agent.decide(&mut bench.session, Some(&bench.place), answer)
}

fn edit(text: &str) -> Verdict {
    Verdict::Edit { arguments: BTreeMap::from([("c1".into(), what(text))]) }
}

/// What was noted since the last save, with who did it.
fn noted(bench: &Bench) -> Vec<(Act, Option<String>)> {
    let notes = bench.session.unsaved_audit().iter();
    notes.map(|note| (note.act, note.by.as_ref().map(ToString::to_string))).collect()
}

#[tokio::test]
async fn two_people_must_agree_and_one_who_clicks_twice_is_one() {
    let mut bench = bench(vec![rule("*", two())], one_call("x"));
    bench.go().await;
    assert_eq!(asked(&bench).calls[0].reasons, ["it acts", "The rule “*” wants 2 people to agree."]);
    assert!(asked(&bench).calls[0].alike.is_none(), "no single person may allow more of it");
    assert!(answer(&mut bench, "alice", &Verdict::ApproveForSession).unwrap().is_empty());
    assert!(bench.session.head.wants_work(), "what changed is to be told");
    assert_eq!(answer(&mut bench, "alice", &Verdict::Approve), Err(Refusal::AlreadyAgreed));
    assert_eq!(answer(&mut bench, "mallory", &Verdict::Approve), Err(Refusal::NotAmongApprovers));
    assert_eq!(asked(&bench).votes.len(), 1);
    answer(&mut bench, "lead", &Verdict::Approve).unwrap();
    assert_eq!(
        noted(&bench),
        [
            (Act::Agreed, Some("alice".into())),
            (Act::Refused, Some("alice".into())),
            (Act::Refused, Some("mallory".into())),
            (Act::Approved, Some("lead".into())),
        ]
    );
    assert!(bench.session.head.settings.allowed.is_empty());
    bench.go().await;
    assert_eq!(bench.ran(), ["act x"]);
    bench.assert_whole();
}

#[tokio::test]
async fn one_no_ends_a_question_that_two_must_answer() {
    let mut bench = bench(vec![rule("*", two())], one_call("x"));
    bench.go().await;
    answer(&mut bench, "alice", &Verdict::Approve).unwrap();
    answer(&mut bench, "lead", &Verdict::Reject { reason: None }).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), Vec::<String>::new());
    bench.assert_whole();
}

#[tokio::test]
async fn an_edit_voids_what_others_agreed_to_and_counts_as_its_editors_yes() {
    let mut bench = bench(vec![rule("*", two())], one_call("big"));
    bench.go().await;
    let before = asked(&bench);
    answer(&mut bench, "alice", &Verdict::Approve).unwrap();
    answer(&mut bench, "lead", &edit("small")).unwrap();
    let after = asked(&bench);
    assert_eq!(after.votes.iter().map(|vote| vote.by.as_str()).collect::<Vec<_>>(), ["lead"]);
    assert_ne!(after.digest, before.digest);
    assert_eq!((after.calls[0].preview.as_str(), after.expires_at), ("small", before.expires_at));
    assert_eq!(after.calls[0].proposed, Some(what("big")));
    let diff = after.calls[0].diff.clone().unwrap();
    assert!(diff.contains("-  \"what\": \"big\"") && diff.contains("+  \"what\": \"small\""), "{diff}");
    answer(&mut bench, "alice", &edit("tiny")).unwrap();
    assert_eq!(asked(&bench).calls[0].proposed, Some(what("big")), "against what the model proposed");
    answer(&mut bench, "lead", &Verdict::Approve).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), ["act tiny"]);
    let told = &bench.results()[0].2;
    assert!(told.contains("-  \"what\": \"big\"") && told.contains("+  \"what\": \"tiny\""), "{told}");
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_a_plain_yes() {
    let mut bench = bench(Vec::new(), one_call("x"));
    bench.go().await;
    let events = answer(&mut bench, "alice", &edit("x")).unwrap();
    let Event::ApprovalDecided { decision: crate::protocol::Decision::Decided { verdict, .. }, .. } =
        &events[0]
    else {
        panic!("{events:?}")
    };
    assert_eq!(*verdict, Verdict::Approve);
    bench.go().await;
    assert_eq!(bench.results()[0].2, "did x");
}

#[tokio::test]
async fn an_edited_call_is_held_to_what_it_is_now() {
    let never = Demand { floor: Some(Floor::Never), ..Demand::default() };
    let rules = vec![rule("prod*", listed(&["boss"])), rule("drop*", never), rule("pair*", two())];
    let mut bench = bench(rules, one_call("test"));
    bench.go().await;
    let before = asked(&bench);
    let refused = answer(&mut bench, "alice", &edit("drop it"));
    assert!(matches!(refused, Err(Refusal::EditForbidden(why)) if why.contains("“drop*”")));
    assert_eq!(asked(&bench), before, "nothing was changed");
    answer(&mut bench, "alice", &edit("pair")).unwrap();
    assert_eq!((asked(&bench).needed, asked(&bench).votes.len()), (2, 1));
    answer(&mut bench, "alice", &edit("prod")).unwrap();
    let now = asked(&bench);
    assert!(now.votes.is_empty() && now.calls[0].always, "{now:?}");
    assert_eq!(answer(&mut bench, "alice", &Verdict::Approve), Err(Refusal::NotAmongApprovers));
    answer(&mut bench, "boss", &Verdict::Approve).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), ["act prod"]);
}

#[tokio::test]
async fn without_a_place_an_edit_is_refused_and_a_yes_is_not() {
    let mut bench = bench(Vec::new(), one_call("x"));
    bench.go().await;
    let approval = asked(&bench).id;
    let alice = person("alice");
    let say = |verdict| Answer { approval: &approval, verdict, by: &alice, at: Timestamp(1_000_500) };
    let edited = edit("y");
    let refused = bench.agent.decide(&mut bench.session, None, say(&edited));
    assert!(matches!(refused, Err(Refusal::BadEdit(_))));
    assert!(bench.agent.decide(&mut bench.session, None, say(&Verdict::Approve)).is_ok());
}

#[tokio::test]
async fn a_rule_asks_for_what_the_tool_would_not_and_auto_approval_does_not_cover_it() {
    let always = Demand { floor: Some(Floor::AlwaysAsk), ..Demand::default() };
    let mut bench = bench(
        vec![rule("secret*", always)],
        [
            calls(&[("c1", "own", what("plain")), ("c2", "own", what("secret x")), ("c3", "act", what("y"))]),
            says("done"),
        ],
    );
    bench.session.head.settings.yolo = true;
    bench.go().await;
    assert_eq!(bench.ran(), ["own plain", "act y"]);
    assert_eq!(asked(&bench).calls.len(), 1);
    assert!(asked(&bench).calls[0].always);
}

#[tokio::test]
async fn what_ran_without_a_question_and_what_may_not_run_is_noted() {
    let mut bench = bench(Vec::new(), [calls(&[("c1", "act", what("x")), ("c2", "never", what("y"))])]);
    bench.session.head.settings.yolo = true;
    let sink: Arc<dyn EventSink> = bench.seen.clone();
    bench.agent.advance(&mut bench.session, &bench.place, &sink, &bench.cancel).await;
    assert_eq!(noted(&bench), [(Act::AutoApproved, None), (Act::Forbidden, None)]);
    let note = &bench.session.unsaved_audit()[0];
    assert_eq!(note.tool.as_deref(), Some("act"));
    assert!(note.digest.is_some() && !serde_json::to_string(note).unwrap().contains("\"x\""));
}

/// Runs a script whose content is read when it is judged.
struct Script(Arc<Mutex<String>>, Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Tool for Script {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "script".into(),
            description: String::new(),
            parameters: crate::model::no_arguments(),
        }
    }

    fn assess(&self, _: &Value, _: &Place) -> Result<Assessment, BadArguments> {
        Ok(Assessment {
            risk: Risk::Ask { reason: "it runs a script".into() },
            preview: self.0.lock().unwrap().clone(),
            ..Assessment::changes("run the script")
        })
    }

    async fn call(&self, _: Value, _: CallContext) -> Result<ToolOutcome, ToolError> {
        let content = self.0.lock().unwrap().clone();
        self.1.lock().unwrap().push(content);
        Ok(ToolOutcome::done("ran"))
    }
}

#[tokio::test]
async fn a_script_that_changed_after_its_approval_is_asked_about_again() {
    let mut bench = bench(Vec::new(), [calls(&[("c1", "script", json!({}))]), says("done")]);
    let (content, ran) = (Arc::new(Mutex::new("train()".to_owned())), Arc::default());
    bench.agent.toolbox = Toolbox::new(vec![Arc::new(Script(content.clone(), Arc::clone(&ran)))]);
    bench.go().await;
    let first = asked(&bench);
    answer(&mut bench, "alice", &Verdict::Approve).unwrap();
    bench.session.mark_saved();
    "steal()".clone_into(&mut content.lock().unwrap());
    let sink: Arc<dyn EventSink> = bench.seen.clone();
    bench.agent.advance(&mut bench.session, &bench.place, &sink, &bench.cancel).await;
    assert_eq!(noted(&bench), [(Act::Voided, None), (Act::Asked, None)]);
    let second = asked(&bench);
    assert_ne!(second.id, first.id);
    assert!(second.calls[0].reasons[0].contains("changed since"), "{:?}", second.calls[0].reasons);
    assert_eq!(second.calls[0].preview, "steal()");
    assert_eq!(*ran.lock().unwrap(), Vec::<String>::new());
    answer(&mut bench, "alice", &Verdict::Approve).unwrap();
    bench.go().await;
    assert_eq!(*ran.lock().unwrap(), ["steal()"]);
    bench.assert_whole();
}

#[tokio::test]
async fn what_was_allowed_by_a_setting_that_is_gone_asks_before_it_runs() {
    let mut bench =
        bench(Vec::new(), [calls(&[("c1", "act", what("x")), ("c2", "act", what("y"))]), says("done")]);
    bench.session.head.settings.yolo = true;
    bench.step().await;
    bench.session.head.settings.yolo = false;
    bench.go().await;
    assert_eq!(bench.ran(), ["act x"], "it was marked already");
    assert_eq!(asked(&bench).calls[0].call.as_str(), "c2");
}

#[tokio::test]
async fn a_yes_to_the_card_before_an_edit_is_no_yes_to_what_the_edit_made() {
    let mut bench = bench(vec![rule("*", two())], one_call("x"));
    bench.go().await;
    answer(&mut bench, "lead", &edit("y")).unwrap();
    // The rewritten card arrives later than the click on the old one was made.
    crate::agent::approve::readable(&mut bench.session, Some(Timestamp(1_000_600)));
    assert_eq!(answer(&mut bench, "alice", &Verdict::Approve), Err(Refusal::ContentChanged));
    let approval = asked(&bench).id;
    let late = Answer {
        approval: &approval,
        verdict: &Verdict::Approve,
        by: &person("alice"),
        at: Timestamp(1_000_700),
    };
    bench.agent.decide(&mut bench.session, Some(&bench.place), late).unwrap();
    bench.go().await;
    assert_eq!(bench.ran(), ["act y"]);
}

#[tokio::test]
async fn a_card_that_could_not_be_rewritten_approves_nothing() {
    let mut bench = bench(vec![rule("*", two())], one_call("x"));
    bench.go().await;
    answer(&mut bench, "lead", &edit("y")).unwrap();
    crate::agent::approve::readable(&mut bench.session, None);
    assert_eq!(answer(&mut bench, "alice", &Verdict::Approve), Err(Refusal::ContentChanged));
    answer(&mut bench, "alice", &Verdict::Reject { reason: None }).unwrap();
}
