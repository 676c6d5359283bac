//! What the region looks like, in terminals of every size.

use super::super::board::{Running, Said};
use super::super::complete::{Choice, Offer};
use super::super::history::History;
use super::*;
use crate::cli::render::look::Links;

fn item(content: &str, status: PlanStatus) -> PlanItem {
    PlanItem { id: content.into(), content: content.into(), status }
}

fn busy(now: Instant) -> Board {
    let plan = (1..=9)
        .map(|step| {
            let status = match step {
                1..=3 => PlanStatus::Completed,
                4 => PlanStatus::InProgress,
                _ => PlanStatus::Pending,
            };
            item(&format!("step {step}"), status)
        })
        .collect();
    let running = Running {
        call: "c".into(),
        tool: "bash".into(),
        title: "run train.py".into(),
        since: now,
        log: "epoch 2".into(),
    };
    let said = |text: &str, shown| Said { text: text.into(), shown };
    Board {
        plan,
        running: vec![running],
        waiting: [said("go", true), said("use Adam", false)].into(),
        since: Some(now),
        ..Board::default()
    }
}

fn drawn(board: &Board, prompt: &Prompt, unfinished: &str, size: (usize, usize), now: Instant) -> View {
    let look = Look::new(Paint::Plain, size.0, Links::Written);
    view(&Scene { board, unfinished, prompt, question: None, look: &look, size, now })
}

#[tokio::test(start_paused = true)]
async fn a_turn_in_hand_shows_plan_work_and_waiting_words() {
    let now = Instant::now();
    let mut prompt = Prompt::new(History::default());
    prompt.set("and then");
    let view = drawn(&busy(now), &prompt, "Half a sen", (60, 24), now + Duration::from_secs(75));
    assert_eq!(
        view.lines.join("\n"),
        "Half a sen\n\nPlan 3/9\n  ✓ step 3\n  ▸ step 4\n  ○ step 5\n  ○ step 6\n  ○ step 7\n  … 2 more\n\
         ⠦ bash run train.py · 1:15 · epoch 2\nqueued: use Adam\n> and then"
    );
    assert_eq!(view.cursor, (11, 10));
}

#[tokio::test(start_paused = true)]
async fn it_fits_every_terminal() {
    let now = Instant::now();
    let mut prompt = Prompt::new(History::default());
    prompt.set(&"日本語 and words\n".repeat(30));
    let choices =
        (0..20).map(|at| Choice { text: format!("choice {at}"), note: "a note".repeat(9) }).collect();
    prompt.offer(Offer { from: prompt.buffer().at(), choices });
    for columns in [1, 9, 20, 80, 300] {
        for rows in [1, 2, 3, 5, 10, 50] {
            let view = drawn(&busy(now), &prompt, &"long text ".repeat(99), (columns, rows), now);
            assert!(
                view.lines.len() <= rows.saturating_sub(1).max(1),
                "{} lines in {rows}",
                view.lines.len()
            );
            assert!(view.cursor.0 < view.lines.len().max(1), "{columns}x{rows}");
            for line in &view.lines {
                assert!(wide::drawn(line) <= columns.saturating_sub(1).max(8), "{line:?} in {columns}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_region_is_the_input_alone() {
    let now = Instant::now();
    let board = Board { plan: vec![item("old", PlanStatus::Completed)], ..Board::default() };
    let view = drawn(&board, &Prompt::new(History::default()), "", (80, 24), now);
    assert_eq!(view, View { lines: vec![String::new(), "> ".into()], cursor: (1, 2) });
}
