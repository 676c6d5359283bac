//! A command and everything it starts: one session of the system's, found again whatever it does.
//!
//! A process belongs to the family if it is in the command's session, carries the family's mark in
//! its environment, or descends from one that does. So background jobs, double forks and daemons
//! with a session of their own are found. Where there is no `/proc`, the process group alone is ended.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessSession};
use tokio::net::unix::pipe;

/// The variable that marks a family.
const MARK: &str = "ML_INTERN_CALL";
/// How often the family is looked at while it ends.
const LOOK: Duration = Duration::from_millis(20);
/// How long it may take to be gone after it was killed.
const GONE: Duration = Duration::from_secs(2);

/// Makes this process's memory and environment unreadable to the commands that it starts, which
/// run as the same user and could otherwise read its tokens from `/proc`. Call it once at start.
pub fn hide_own_environment() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!(%error, "commands may be able to read this process's environment");
    }
}

/// A running command.
pub(super) struct Running {
    child: Box<dyn ChildWrapper>,
    family: Family,
}

impl Running {
    /// Starts `shell -c command` in `folder` with exactly this environment. Gives it, and what it
    /// and its children write, in the order in which they write it.
    pub(super) fn start(
        shell: &str,
        command: &str,
        folder: &Path,
        environment: &BTreeMap<String, String>,
    ) -> std::io::Result<(Self, pipe::Receiver)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (reader, writer) = std::io::pipe()?;
        let mut wrapped = CommandWrap::with_new(shell, |c| {
            c.arg("-c").arg(command).current_dir(folder).env_clear().envs(environment).env(MARK, &mark);
            c.stdin(Stdio::null());
        });
        let second = writer.try_clone()?;
        wrapped.command_mut().stdout(writer).stderr(second);
        wrapped.wrap(KillOnDrop).wrap(ProcessSession);
        let child = wrapped.spawn()?;
        // Our own ends of the pipe must go, or its end is never seen.
        drop(wrapped);
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
        let family = Family { leader, mark, ended: false };
        let running = Self { child, family };
        Ok((running, pipe::Receiver::from_owned_fd(reader.into())?))
    }

    /// Waits for the command itself, not for what it left running. May be dropped and called again.
    pub(super) async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.child.inner_mut().wait().await
    }

    /// Ends the whole family: politely, and after `grace` by force. Gives how many processes
    /// there were besides the command itself.
    pub(super) async fn end(&mut self, grace: Duration) -> usize {
        let leader = self.family.leader;
        let others = self.family.members().await.into_iter().filter(|pid| *pid != leader).count();
        self.family.end(grace).await;
        let _ = tokio::time::timeout(GONE, self.wait()).await;
        others
    }
}

/// A command and its descendants.
#[derive(Debug)]
struct Family {
    leader: i32,
    mark: String,
    ended: bool,
}

impl Family {
    async fn members(&self) -> Vec<i32> {
        let (leader, mark) = (self.leader, self.mark.clone());
        tokio::task::spawn_blocking(move || members(leader, &mark)).await.unwrap_or_default()
    }

    async fn end(&mut self, grace: Duration) {
        if self.signal_until_gone(Signal::SIGTERM, grace).await {
            return;
        }
        self.signal_until_gone(Signal::SIGKILL, GONE).await;
    }

    /// Signals whoever is there, newcomers too, until nobody is or the time is up.
    async fn signal_until_gone(&mut self, signal: Signal, within: Duration) -> bool {
        let mut signalled = Vec::new();
        let rounds = within.as_millis() / LOOK.as_millis();
        for _ in 0..=rounds {
            let members = self.members().await;
            if members.is_empty() && self.group_is_gone() {
                self.ended = true;
                return true;
            }
            if signal == Signal::SIGKILL {
                signalled.clear();
            }
            if signalled.is_empty() {
                let _ = killpg(Pid::from_raw(self.leader), signal);
            }
            for pid in members.into_iter().filter(|pid| !signalled.contains(pid)).collect::<Vec<_>>() {
                let _ = kill(Pid::from_raw(pid), signal);
                signalled.push(pid);
            }
            tokio::time::sleep(LOOK).await;
        }
        false
    }

    /// Whether the process group has nobody left, as far as it can be told without `/proc`.
    fn group_is_gone(&self) -> bool {
        cfg!(target_os = "linux") || killpg(Pid::from_raw(self.leader), None).is_err()
    }
}

impl Drop for Family {
    /// A call that is dropped in the middle leaves nothing running either.
    fn drop(&mut self) {
        if self.ended || self.leader <= 1 {
            return;
        }
        let _ = killpg(Pid::from_raw(self.leader), Signal::SIGKILL);
        for pid in members(self.leader, &self.mark) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// One process, as `/proc` shows it.
struct Seen {
    parent: i32,
    ours: bool,
}

/// The living members of a family. Empty where there is no `/proc`.
fn members(leader: i32, mark: &str) -> Vec<i32> {
    let needle = format!("{MARK}={mark}");
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut seen: BTreeMap<i32, Seen> = BTreeMap::new();
    for entry in entries.filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if pid == own || pid <= 1 {
            continue;
        }
        if let Some(process) = look(pid, leader, needle.as_bytes()) {
            seen.insert(pid, process);
        }
    }
    // Children of members are members, however deep.
    loop {
        let joining: Vec<i32> = seen
            .iter()
            .filter(|(_, process)| {
                !process.ours && seen.get(&process.parent).is_some_and(|parent| parent.ours)
            })
            .map(|(pid, _)| *pid)
            .collect();
        if joining.is_empty() {
            break;
        }
        for pid in joining {
            if let Some(process) = seen.get_mut(&pid) {
                process.ours = true;
            }
        }
    }
    seen.into_iter().filter(|(_, process)| process.ours).map(|(pid, _)| pid).collect()
}

fn look(pid: i32, leader: i32, needle: &[u8]) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything, brackets and blanks too.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let session: i32 = fields.nth(1)?.parse().ok()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    let marked = || {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|b| *b == 0).any(|variable| variable == needle)
    };
    Some(Seen { parent, ours: session == leader || marked() })
}
