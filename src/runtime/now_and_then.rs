//! Work that comes back: the one loop of everything that sweeps.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Does the work after `first`, and again `every` so often after it ended, until `stop` fires. Work in hand is
/// dropped then.
pub async fn now_and_then<F: Future<Output = ()>>(
    (first, every): (Duration, Duration),
    stop: &CancellationToken,
    mut work: impl FnMut() -> F,
) {
    let mut wait = first;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = every;
        tokio::select! {
            () = stop.cancelled() => return,
            () = work() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_comes_first_soon_then_now_and_then_and_ends_with_a_stop() {
        let (stop, begun) = (CancellationToken::new(), tokio::time::Instant::now());
        let times = Cell::new(0);
        let spans = (Duration::from_secs(20), Duration::from_secs(600));
        now_and_then(spans, &stop, || async {
            times.set(times.get() + 1);
            if times.get() == 3 {
                stop.cancel();
            }
        })
        .await;
        assert_eq!((times.get(), begun.elapsed().as_secs()), (3, 20 + 600 + 600));
    }
}
