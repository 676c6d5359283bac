//! Ctrl+C: once stops what runs, twice within a second leaves. So does SIGTERM, and a terminal that is
//! closed: whatever ends us, commands that run must not go on without us.
//!
//! Owns the counting of presses, wherever they come from (the signal, or a line editor that took the
//! key itself).

use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Two presses within this long are one wish to leave.
const WINDOW: Duration = Duration::from_secs(1);

/// What a press means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// Stop what runs.
    Stop,
    /// Leave.
    Leave,
}

/// What the operating system tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// Ctrl+C.
    Pressed,
    /// We are to end.
    End,
}

/// Counts presses.
pub struct Interrupts {
    signals: mpsc::Receiver<Signal>,
    last: Option<Instant>,
    /// We are to end, and nobody has heard of it yet.
    end: bool,
}

impl Interrupts {
    /// Listens for the signals from now on; they do not end the process any more.
    #[must_use]
    pub fn listen() -> Self {
        let (send, signals) = mpsc::channel(4);
        #[cfg(unix)]
        for kind in [SignalKind::terminate(), SignalKind::hangup()] {
            // Without it the signal ends the process, as it would anyway.
            let Ok(mut signal) = tokio::signal::unix::signal(kind) else { continue };
            let send = send.clone();
            tokio::spawn(async move {
                while signal.recv().await.is_some() && send.send(Signal::End).await.is_ok() {}
            });
        }
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() && send.send(Signal::Pressed).await.is_ok() {}
        });
        Self { signals, last: None, end: false }
    }

    /// Waits for a press of the signal's kind. Can be cancelled without losing one.
    pub async fn pressed(&mut self) -> Press {
        if std::mem::take(&mut self.end) {
            return Press::Leave;
        }
        match self.signals.recv().await {
            Some(Signal::Pressed) => self.press(),
            Some(Signal::End) => Press::Leave,
            None => std::future::pending().await,
        }
    }

    /// Counts a press that came another way.
    pub fn press(&mut self) -> Press {
        let now = Instant::now();
        let twice = self.last.is_some_and(|last| now.duration_since(last) <= WINDOW);
        self.last = Some(now);
        if twice { Press::Leave } else { Press::Stop }
    }

    /// Forgets presses that were meant for somebody else who had the terminal; never a wish that we end.
    pub fn forget(&mut self) {
        while let Ok(signal) = self.signals.try_recv() {
            self.end |= signal == Signal::End;
        }
        self.last = None;
    }

    /// Something was typed: the next press is a first one again.
    pub fn reset(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn twice_within_a_second_leaves() {
        let mut interrupts = Interrupts { signals: mpsc::channel(1).1, last: None, end: false };
        assert_eq!(interrupts.press(), Press::Stop);
        tokio::time::advance(Duration::from_millis(1_500)).await;
        assert_eq!(interrupts.press(), Press::Stop);
        tokio::time::advance(Duration::from_millis(900)).await;
        assert_eq!(interrupts.press(), Press::Leave);
        interrupts.reset();
        assert_eq!(interrupts.press(), Press::Stop);
    }

    #[tokio::test]
    async fn presses_for_an_editor_are_forgotten_and_the_wish_to_end_is_not() {
        let (send, signals) = mpsc::channel(4);
        let mut interrupts = Interrupts { signals, last: None, end: false };
        for signal in [Signal::Pressed, Signal::End, Signal::Pressed] {
            send.send(signal).await.unwrap();
        }
        interrupts.forget();
        assert_eq!(interrupts.pressed().await, Press::Leave);
        send.send(Signal::Pressed).await.unwrap();
        assert_eq!(interrupts.pressed().await, Press::Stop);
    }
}
