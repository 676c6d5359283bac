//! What a killed process leaves behind.

use super::super::recover::recover;
use super::*;
use crate::protocol::Ending;

/// The process dies after the last save; a new one loads what was saved.
fn crash(bench: &mut Bench) -> Vec<Event> {
    let items = bench.session.items().to_vec();
    bench.session = Session::new(bench.session.head.clone(), items);
    recover(&mut bench.session, &bench.agent.toolbox, Some(&bench.place))
}

#[tokio::test]
async fn a_call_that_may_have_run_is_reported_and_never_repeated() {
    let mut bench =
        Bench::new([calls(&[("c1", "own", what("x")), ("c2", "own", what("y"))]), says("checked")]);
    bench.step().await;
    let events = crash(&mut bench);
    assert!(matches!(&events[..], [Event::ToolStateChange { state, .. }] if state == "unknown"));
    bench.go().await;
    assert_eq!(bench.ran(), ["own y"], "the one that was not started yet runs as usual");
    assert!(bench.results()[0].2.starts_with("Outcome unknown"));
    bench.assert_whole();
}

#[tokio::test]
async fn a_call_that_only_reads_runs_again() {
    let mut bench = Bench::new([calls(&[("c1", "look", what("x"))]), says("seen")]);
    bench.step().await;
    assert!(crash(&mut bench).is_empty());
    bench.go().await;
    assert_eq!(bench.ran(), ["look x"]);
    bench.assert_whole();
}

#[tokio::test]
async fn a_crash_at_any_step_still_ends_in_an_answer_and_no_call_runs_twice() {
    for crash_after in 0..8 {
        let mut bench = Bench::new([
            calls(&[("c1", "own", what("a")), ("c2", "look", what("b")), ("c3", "own", what("c"))]),
            says("done"),
        ]);
        for _ in 0..crash_after {
            if bench.step().await == Advance::Paused {
                break;
            }
        }
        crash(&mut bench);
        bench.go().await;
        assert!(matches!(bench.state(), TurnState::Over { ending: Ending::Finished { .. }, .. }));
        let ran = bench.ran();
        for changing in ["own a", "own c"] {
            let times = ran.iter().filter(|call| *call == changing).count();
            assert!(times <= 1, "{changing} ran {times} times after a crash at step {crash_after}");
        }
        bench.assert_whole();
    }
}

#[tokio::test]
async fn an_orderly_end_between_mark_and_run_leaves_nothing_unknown() {
    let mut bench = Bench::new([calls(&[("c1", "own", what("x"))]), says("done")]);
    bench.step().await;
    assert!(crate::agent::recover::unmark(&mut bench.session), "a call was marked");
    let TurnState::Calling { calls } = bench.state() else { panic!("{:?}", bench.state()) };
    assert_eq!(calls[0].status, crate::protocol::CallStatus::Allowed);
    assert!(!crate::agent::recover::unmark(&mut bench.session), "and now none is");
    bench.go().await;
    assert_eq!(bench.ran(), ["own x"], "it ran once, after the restart");
}
