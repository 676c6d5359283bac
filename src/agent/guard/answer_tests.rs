//! What answers make of a turn, as tables.

use super::*;

fn plan(statuses: &[PlanStatus]) -> Vec<PlanItem> {
    let item = |(number, status): (usize, &PlanStatus)| PlanItem {
        id: (number + 1).to_string(),
        content: format!("step {}", number + 1),
        status: *status,
    };
    statuses.iter().enumerate().map(item).collect()
}

fn says<'a>(text: &'a str, plan: &'a [PlanItem]) -> Answer<'a> {
    Answer { text, tools: Vec::new(), finish: Finish::Complete, plan, refused: false }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Work => "work",
        Verdict::End(Ending::Finished { .. }) => "finished",
        Verdict::End(Ending::Failed { hint: Some(_), retry: true, .. }) => "failed",
        Verdict::End(_) => "another end",
        Verdict::Again { .. } => "again",
    }
}

#[test]
fn text_ends_the_turn_unless_the_plan_is_open_and_people_were_not_asked() {
    use PlanStatus::{Completed, InProgress, Pending};
    let table: [(&str, &[PlanStatus], &str, bool, &str); 10] = [
        ("12: no plan", &[], "Done.", false, "finished"),
        ("12: all completed", &[Completed, Completed], "Done.", false, "finished"),
        ("10: open items", &[Completed, InProgress], "I will go on later.", false, "again"),
        ("pending is open", &[Pending], "Later.", false, "again"),
        ("a question to people", &[Pending], "Two ways.\nWhich one do you want?", false, "finished"),
        ("a question in bold", &[Pending], "**May I use the big GPU?**\n\n", false, "finished"),
        ("a question mark inside", &[Pending], "Why? Because.", false, "again"),
        ("a question, then more", &[Pending], "Shall I?\nI go on.", false, "again"),
        ("a full-width question mark", &[Pending], "どれにしますか？", false, "finished"),
        ("people said no", &[Pending], "Then it stays undone.", true, "finished"),
    ];
    for (row, statuses, text, refused, expected) in table {
        let plan = plan(statuses);
        let verdict = judge(&Answer { refused, ..says(text, &plan) }, &mut Guards::default());
        assert_eq!(word(&verdict), expected, "{row}");
    }
}

#[test]
fn the_third_text_in_a_row_ends_the_turn_and_calls_begin_the_count_anew() {
    let plan = plan(&[PlanStatus::Pending]);
    let mut guards = Guards::default();
    let mut judged = |tools: &[&'static str]| {
        let answer = Answer { tools: tools.to_vec(), ..says("Still here.", &plan) };
        word(&judge(&answer, &mut guards))
    };
    assert_eq!([judged(&[]), judged(&[])], ["again", "again"]);
    assert_eq!(judged(&["read"]), "work");
    assert_eq!([judged(&[]), judged(&[]), judged(&[])], ["again", "again", "finished"], "row 11");
}

#[test]
fn four_items_are_named_and_the_rest_counted() {
    let six = plan(&[
        PlanStatus::InProgress,
        PlanStatus::Pending,
        PlanStatus::Pending,
        PlanStatus::Pending,
        PlanStatus::Pending,
        PlanStatus::Pending,
    ]);
    let Verdict::Again { hint, log } = judge(&says("Enough.", &six), &mut Guards::default()) else {
        panic!()
    };
    assert!(hint.contains("1. step 1 [in_progress]\n2. step 2 [pending]\n3. step 3 [pending]\n4. step 4 [pending]\n… and 2 more"), "{hint}");
    assert!(!hint.contains("step 5") && log.contains("6 open items"), "{log}");
    let four = &six[..4];
    let Verdict::Again { hint, .. } = judge(&says("Enough.", four), &mut Guards::default()) else { panic!() };
    assert!(!hint.contains("more"), "{hint}");
}

#[test]
fn cut_answers_lose_their_calls_and_the_third_in_a_row_ends_the_turn() {
    let mut guards = Guards::default();
    let cut = Answer { tools: vec!["write", "bash"], finish: Finish::Length, ..says("", &[]) };
    let Verdict::Again { hint, .. } = judge(&cut, &mut guards) else { panic!() };
    assert!(hint.contains("write, bash"), "row 14: {hint}");
    assert_eq!(word(&judge(&cut, &mut guards)), "again");
    let whole = Answer { tools: vec!["write"], ..says("", &[]) };
    assert_eq!(word(&judge(&whole, &mut guards)), "work", "a whole one begins the count anew");
    let words: Vec<_> = (0..3).map(|_| word(&judge(&cut, &mut guards))).collect();
    assert_eq!(words, ["again", "again", "failed"]);
}

#[test]
fn an_empty_answer_is_tried_once_more() {
    let mut guards = Guards::default();
    let judged = |guards: &mut Guards, text| word(&judge(&says(text, &[]), guards));
    assert_eq!([judged(&mut guards, " \n"), judged(&mut guards, "")], ["again", "failed"]);
    let mut guards = Guards::default();
    assert_eq!(
        [judged(&mut guards, ""), judged(&mut guards, "Here."), judged(&mut guards, "")],
        ["again", "finished", "again"]
    );
    let all_thought = Answer { finish: Finish::Length, ..says("", &[]) };
    assert_eq!(word(&judge(&all_thought, &mut Guards::default())), "again", "cut before its first word");
    let filtered = Answer { finish: Finish::Filtered, ..says("", &[]) };
    assert_eq!(word(&judge(&filtered, &mut Guards::default())), "failed");
}
