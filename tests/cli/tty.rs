//! A terminal that a test holds: the real binary on a pseudo-terminal, its screen as a person sees it,
//! and every byte that it wrote.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pty_process::{OwnedWritePty, Pts, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use super::desk::Desk;

/// Nothing here may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The start of every frame.
const FRAME: &str = "\u{1b}[?2026h";

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

pub struct Tty {
    write: OwnedWritePty,
    seen: Arc<Mutex<Seen>>,
    child: Child,
    /// Held so that the terminal outlives the program.
    _pts: Pts,
}

impl Tty {
    pub fn start(desk: &Desk, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let (pty, pts) = pty_process::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let child = desk.tty_command(arguments).spawn_borrowed(&pts).unwrap();
        let (mut read, write) = pty.into_split();
        let parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 1_000);
        let seen = Arc::new(Mutex::new(Seen { parser, raw: Vec::new() }));
        tokio::spawn({
            let seen = seen.clone();
            async move {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = read.read(&mut bytes).await {
                    let mut seen = seen.lock().unwrap();
                    seen.parser.process(&bytes[..count]);
                    seen.raw.extend_from_slice(&bytes[..count]);
                }
            }
        });
        Self { write, seen, child, _pts: pts }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub async fn types(&mut self, keys: &str) {
        self.write.write_all(keys.as_bytes()).await.unwrap();
    }

    /// An answer to a question: nobody reads and answers within a moment, and the program knows that.
    pub async fn answers(&mut self, keys: &str) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        self.types(keys).await;
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.write.resize(Size::new(rows, columns)).unwrap();
        let mut seen = self.seen.lock().unwrap();
        seen.parser.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
    }

    /// The screen, without spaces at the ends of lines.
    pub fn screen(&self) -> String {
        let contents = self.seen.lock().unwrap().parser.screen().contents();
        let lines: Vec<&str> = contents.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// The screen with what differs from run to run taken out.
    pub fn steady(&self) -> String {
        let lines = self.screen();
        let lines = lines.lines().map(|line| {
            if line.starts_with("--session ") {
                "--session ID".to_owned()
            } else if line.contains(" tokens") && line.contains(" step") {
                "TIME · STEPS · TOKENS".to_owned()
            } else {
                line.to_owned()
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The last line of the screen that is not empty: where people type.
    pub fn last_line(&self) -> String {
        self.screen().lines().last().unwrap_or_default().to_owned()
    }

    pub async fn sees(&self, what: &str) {
        self.until(what, |screen| screen.contains(what)).await;
    }

    pub async fn until(&self, what: &str, seen: impl Fn(&str) -> bool) {
        let start = std::time::Instant::now();
        while !seen(&self.screen()) {
            assert!(start.elapsed() < PATIENCE, "never seen: {what}\n{}", self.screen());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the input line is all that the region holds.
    pub async fn rests(&self) {
        self.until("the input line at rest", |screen| {
            screen.lines().last().is_some_and(|line| line == ">") && !busy(screen)
        })
        .await;
    }

    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().raw).into_owned()
    }

    /// The size of every frame in bytes, in order.
    pub fn frames(&self) -> Vec<usize> {
        self.raw().split(FRAME).skip(1).map(str::len).collect()
    }

    /// Whether the terminal is as a shell wants it: it echoes, shows a cursor, pastes plainly.
    pub async fn is_given_back(&mut self) -> bool {
        let before = self.raw().len();
        self.types("echoed?").await;
        for _ in 0..200 {
            if self.raw()[before..].contains("echoed?") {
                let seen = self.seen.lock().unwrap();
                let screen = seen.parser.screen();
                return !screen.hide_cursor() && !screen.bracketed_paste() && !screen.alternate_screen();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    pub async fn ends(&mut self) -> Option<i32> {
        let ended: ExitStatus = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .unwrap_or_else(|_| panic!("it hangs:\n{}", self.screen()))
            .unwrap();
        ended.code()
    }
}

fn busy(screen: &str) -> bool {
    screen.contains("Ctrl+C stops ·") || screen.contains("· Ctrl+C stops\n")
}
