//! Auto-approval.

use super::*;

#[tokio::test]
async fn auto_approval_runs_what_policy_lets_it_and_nothing_that_it_forbids() {
    let mut bench =
        Bench::new([calls(&[("c1", "act", what("x")), ("c2", "never", what("y"))]), says("done")]);
    bench.session.head.settings.yolo = true;
    bench.go().await;
    assert_eq!(bench.ran(), ["act x"]);
    assert_eq!(bench.results()[0].2, "it never may");
    bench.assert_whole();
}
