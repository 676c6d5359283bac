//! Where turns begin and end, as tables over small transcripts.

use serde_json::json;

use super::*;
use crate::protocol::{PlanStatus, ProposedCall};

/// One letter per item: `u` opens a turn, `a` adds words, `s` is the loop's, `m` the model's, `S` a summary
/// without turns, a digit a summary of so many.
fn items(letters: &str) -> Vec<Arc<Item>> {
    let user = |opens| Item::User {
        author: "u".into(),
        name: "Alice".into(),
        text: "do it".into(),
        opens,
        at: None,
    };
    let item = |letter: char| match letter {
        'u' => user(true),
        'a' => user(false),
        's' => Item::Synthetic { text: "go on".into() },
        'm' => Item::Assistant { text: "ok".into(), thoughts: vec![], calls: vec![], model: "m".into() },
        'S' => Item::Summary { text: "…".into(), replaced: 3, turns: 0 },
        digit => {
            Item::Summary { text: "…".into(), replaced: 9, turns: u64::from(digit.to_digit(10).unwrap()) }
        }
    };
    letters.chars().map(|letter| Arc::new(item(letter))).collect()
}

#[test]
fn a_transcript_is_parted_at_the_end_of_a_turn() {
    use Last::{InHand, Over};
    let part_of = |turns, length| Ok(Part { turns, length });
    for (letters, last, turn, expected) in [
        ("umuamsm", Over, None, part_of(2, 7)),
        ("umuamsm", Over, Some(1), part_of(1, 2)),
        ("umuamsm", Over, Some(2), part_of(2, 7)),
        ("umuamsm", InHand, None, part_of(1, 2)),
        ("umuamsm", InHand, Some(2), Err(NoPart::TooLate { last: 1 })),
        ("umum", Over, Some(3), Err(NoPart::TooLate { last: 2 })),
        ("um", Over, Some(0), Err(NoPart::Summarised { earliest: 1 })),
        ("um", InHand, None, Err(NoPart::Nothing)),
        ("", Over, None, Err(NoPart::Nothing)),
        ("s", Over, None, Err(NoPart::Nothing)),
        // The first request, a summary of turns 2 to 4, the rest of turn 4, turn 5.
        ("u3mum", Over, Some(1), Err(NoPart::Summarised { earliest: 4 })),
        ("u3mum", Over, Some(3), Err(NoPart::Summarised { earliest: 4 })),
        ("u3mum", Over, Some(4), part_of(4, 3)),
        ("u3mum", Over, None, part_of(5, 5)),
        ("u3mum", InHand, None, part_of(4, 3)),
        ("uSmum", Over, Some(1), part_of(1, 3)),
    ] {
        assert_eq!(part(&items(letters), last, turn), expected, "{letters} {last:?} {turn:?}");
    }
}

#[test]
fn the_last_turn_begins_where_a_person_asked_or_inside_a_summary() {
    for (letters, expected) in [
        ("", LastTurn::None),
        ("ss", LastTurn::None),
        ("umuasm", LastTurn::At(2)),
        ("uSm", LastTurn::At(0)),
        ("u3m", LastTurn::Summarised),
        ("u3mum", LastTurn::At(3)),
    ] {
        assert_eq!(last_turn(&items(letters)), expected, "{letters}");
    }
}

#[test]
fn the_plan_is_what_the_last_good_call_set() {
    let set = |id: &str, content: &str, success| {
        let todos = json!({ "todos": [{ "id": "1", "content": content, "status": "pending" }] });
        let call = ProposedCall { id: id.into(), tool: "plan_tool".into(), arguments: todos };
        [
            Item::Assistant { text: String::new(), thoughts: vec![], calls: vec![call], model: "m".into() },
            Item::ToolResult { call: id.into(), tool: "plan_tool".into(), output: "…".into(), success },
        ]
    };
    let all: Vec<Arc<Item>> = [set("a", "first", true), set("b", "second", true), set("c", "third", false)]
        .concat()
        .into_iter()
        .map(Arc::new)
        .collect();
    let plan = |content: &str| {
        Some(vec![PlanItem { id: "1".into(), content: content.into(), status: PlanStatus::Pending }])
    };
    assert_eq!(plan_after(&all), plan("second"));
    assert_eq!(plan_after(&all[..3]), plan("first"), "a call without a result set nothing");
    assert_eq!(plan_after(&all[..1]), None);
}
