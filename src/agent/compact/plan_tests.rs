//! What is cut and what stays, as tables. Weights are in tokens: an item of `n` tokens weighs `n`.

use serde_json::json;

use super::*;
use crate::protocol::ProposedCall;

const NOTHING: [Range<usize>; 0] = [];

fn text(tokens: usize) -> String {
    "x".repeat((tokens - 4) * 4)
}

fn says(tokens: usize, opens: bool) -> Arc<Item> {
    // The name is a part of the weight.
    let (author, name) = ("a".into(), "Anna".to_owned());
    Arc::new(Item::User { author, name, text: text(tokens - 1), opens, at: None })
}

fn answers(tokens: usize) -> Arc<Item> {
    Arc::new(Item::Assistant { text: text(tokens), thoughts: vec![], calls: vec![], model: "m".into() })
}

/// One step with so many calls; each result weighs this much.
fn step(calls: usize, tokens: usize) -> Vec<Arc<Item>> {
    let call =
        |n: usize| ProposedCall { id: format!("c{n}").into(), tool: "read".into(), arguments: json!({}) };
    let asks = Item::Assistant {
        text: String::new(),
        thoughts: vec![],
        calls: (0..calls).map(call).collect(),
        model: "m".into(),
    };
    let result = |n: usize| Item::ToolResult {
        call: format!("c{n}").into(),
        tool: "read".into(),
        output: text(tokens),
        success: true,
    };
    [asks].into_iter().chain((0..calls).map(result)).map(Arc::new).collect()
}

fn summed(turns: u64) -> Arc<Item> {
    Arc::new(Item::Summary { text: text(1_000), replaced: 9, turns })
}

fn cut(items: &[Arc<Item>], goal: u64, keep: u64) -> Vec<Range<usize>> {
    plan(items, &Weights::of(items), &Aim { goal, keep, least: 1 })
}

/// Every stretch ends where no call before it has its result behind it.
fn assert_bounded(items: &[Arc<Item>], stretches: &[Range<usize>]) {
    for stretch in stretches {
        for at in [stretch.start, stretch.end] {
            assert!(
                !matches!(items.get(at).map(|item| &**item), Some(Item::ToolResult { .. })),
                "{stretches:?}"
            );
        }
    }
}

#[test]
fn a_long_run_of_one_request_is_cut_between_steps() {
    let mut items = vec![says(10, true)];
    items.extend((0..20).flat_map(|_| step(1, 4_700)));
    let stretches = cut(&items, 45_900, 22_500);
    assert_bounded(&items, &stretches);
    assert_eq!(stretches.len(), 1, "row 6: {stretches:?}");
    assert_eq!(stretches[0].start, 1, "the request stays");
    let left: u64 = Weights::of(&items).between(&(stretches[0].end..items.len()));
    assert!(left <= 45_900 - 1_200 && left > 45_900 - 1_200 - 2 * 4_710, "no more than needed: {left}");
}

#[test]
fn many_turns_keep_the_first_request_and_the_last_one() {
    let mut items = Vec::new();
    for _ in 0..10 {
        items.extend([says(20, true), answers(9_000)]);
    }
    let stretches = cut(&items, 54_000, 25_000);
    assert_eq!(
        stretches,
        std::slice::from_ref(&(1..10)),
        "row 2: oldest first, until the rest and a summary fit"
    );
    assert_eq!(cut(&items, 10_000, 0), [1..18, 19..20], "the last turn's request stays where it is");
    assert_eq!(cut(&items, 100_000, 25_000), NOTHING, "nothing is cut that fits");
}

#[test]
fn the_words_of_the_turn_in_hand_stay_and_the_work_between_is_cut() {
    let mut items = vec![says(10, true), answers(5_000), says(30, true)];
    items.extend(step(1, 5_000));
    items.push(says(40, false));
    items.extend(step(2, 5_000));
    items.extend(step(1, 3_000));
    assert_eq!(cut(&items, 4_000, 3_500), [1..2, 3..5, 6..9]);
    assert_bounded(&items, &cut(&items, 4_000, 3_500));
}

#[test]
fn of_many_words_only_the_newest_stay() {
    let mut items = vec![says(10, true)];
    for _ in 0..30 {
        items.extend(step(1, 1_000));
        items.push(says(20, false));
    }
    let stretches = cut(&items, 3_000, 1_500);
    let kept = |at: &usize| !stretches.iter().any(|stretch| stretch.contains(at));
    let words = (1..items.len()).filter(|at| matches!(*items[*at], Item::User { .. })).filter(kept).count();
    assert!((8..=10).contains(&words), "{words}: {stretches:?}");
    assert_bounded(&items, &stretches);
}

#[test]
fn an_earlier_summary_is_folded_in_and_never_summed_up_alone() {
    let mut items = vec![says(10, true), summed(2)];
    items.extend((0..10).flat_map(|_| step(1, 2_000)));
    let stretches = cut(&items, 12_000, 5_000);
    assert_eq!(stretches[0].start, 1, "it begins with the summary: {stretches:?}");
    assert_eq!(cut(&[says(10, true), summed(2), says(20, true), answers(100)], 500, 200), NOTHING);
}

#[test]
fn a_step_that_is_larger_than_the_tail_still_stays_whole_if_it_can() {
    let mut items = vec![says(10, true)];
    items.extend((0..5).flat_map(|_| step(1, 2_000)));
    items.extend(step(3, 600));
    let stretches = cut(&items, 4_000, 500);
    assert_eq!(stretches[0].end, 11, "the last step stays: {stretches:?}");
    let mut items = vec![says(10, true)];
    items.extend(step(40, 1_000));
    assert_eq!(
        cut(&items, 8_000, 1_000),
        std::slice::from_ref(&(1..42)),
        "but not at any price: all of it is cut together"
    );
}

#[test]
fn short_talks_and_odd_ones_are_left_alone() {
    for items in
        [vec![], vec![says(10, true)], vec![says(10, true), answers(50), says(10, true), answers(50)]]
    {
        assert_eq!(cut(&items, 1_000, 500), NOTHING, "row 3");
    }
    let items = vec![says(10, true), answers(600), says(10, true), answers(50)];
    let aim = Aim { goal: 0, keep: 100, least: 1_000 };
    assert_eq!(plan(&items, &Weights::of(&items), &aim), NOTHING, "what is not worth a summary");
}

#[test]
fn a_transcript_without_any_request_is_cut_from_its_beginning() {
    let mut items: Vec<_> = vec![Arc::new(Item::Synthetic { text: text(10) })];
    items.extend((0..10).flat_map(|_| step(1, 2_000)));
    assert_eq!(cut(&items, 8_000, 3_000)[0].start, 0);
}

#[test]
fn results_that_come_late_are_not_parted_from_their_calls() {
    let mut items = vec![says(10, true)];
    let mut late = step(2, 2_000);
    late.insert(2, says(10, false));
    items.extend(late);
    assert_eq!(boundary_from(&items, 2), 5, "behind the last result");
    assert_eq!(boundary_from(&items, 3), 5);
    assert_eq!(boundary_from(&items, 1), 1);
    assert_eq!(boundary_from(&items, 99), items.len());
}
