//! A container that is none: a command with this machine's plain Python, in a folder of its own, with an
//! environment of its own, in a process group that ends with it.
//!
//! `uv`, `pip` and `python` are small scripts first on its path: dependencies are ignored, `uv run` runs
//! with `python3`. Knows nothing of jobs and Spaces. Start at [`Process::start`].

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

/// Where programs are looked for besides the folder's own.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";
/// Longest line in bytes; a longer one is broken here.
const LINE: usize = 8 * 1024 * 1024;
/// How long what a process left in its pipe is read after its end.
const REST: Duration = Duration::from_secs(2);

const SHIMS: [(&str, &str); 4] = [
    ("uv", include_str!("shims/uv.sh")),
    ("pip", "#!/bin/sh\necho \"pip $*: dependencies are ignored here\" >&2\n"),
    ("python", "#!/bin/sh\nexec python3 \"$@\"\n"),
    ("nvidia-smi", "#!/bin/sh\necho \"nvidia-smi: no accelerator in this small Hub\" >&2\nexit 9\n"),
];

/// What is to run.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Program {
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Files to put into its folder, by name.
    pub files: Vec<(String, Bytes)>,
}

/// A folder that goes with its owner.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("small-hub-{}", uuid::Uuid::new_v4().simple()));
        for name in ["", "bin", "work", "home", "tmp"] {
            std::fs::create_dir(path.join(name))?;
        }
        let folder = Self(path);
        for (name, text) in SHIMS {
            let mut options = std::fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).mode(0o755).open(folder.0.join("bin").join(name))?;
            file.write_all(text.as_bytes())?;
        }
        // A login shell reads this machine's profile first, and forgets the path.
        let path = format!("PATH=\"{}:$PATH\"\nexport PATH\n", folder.at("bin").display());
        std::fs::write(folder.at("home").join(".profile"), path)?;
        Ok(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, folder = %self.0.display(), "a folder of the small Hub stays behind");
        }
    }
}

/// A process group, killed when dropped.
#[derive(Debug)]
struct Group(i32);

impl Drop for Group {
    fn drop(&mut self) {
        if self.0 > 1 {
            // Nobody left in it is no error.
            let _ = killpg(Pid::from_raw(self.0), Signal::SIGKILL);
        }
    }
}

/// A running process. Dropping it ends its group and removes its folder.
#[derive(Debug)]
pub(in super::super) struct Process {
    child: Child,
    output: pipe::Receiver,
    group: Group,
    // After the group: its members hold files in there.
    folder: Folder,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// No folder, no pipe or no process could be made.
    pub(in super::super) fn start(program: &Program) -> anyhow::Result<Self> {
        let folder = Folder::fresh().context("a folder for it")?;
        for (name, content) in &program.files {
            let path = folder.at("work").join(safe(name)?);
            std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
            std::fs::write(path, content)?;
        }
        let (reader, writer) = std::io::pipe().context("a pipe for its output")?;
        let mut command = Command::new("/bin/sh");
        // So a program that is missing ends with 127, as in a container.
        command.args(["-c", "exec \"$@\"", "sh"]).args(&program.command);
        command.env_clear();
        command.env("LANG", "C.UTF-8").env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command.envs(&program.environment);
        command.env("PATH", format!("{}:{PATH}", folder.at("bin").display()));
        command.env("HOME", folder.at("home")).env("TMPDIR", folder.at("tmp")).current_dir(folder.at("work"));
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn().context("the process")?;
        // Our own ends of the pipe must go, or its end is never seen.
        drop(command);
        let group = Group(child.id().and_then(|it| i32::try_from(it).ok()).unwrap_or(0));
        Ok(Self { child, output: pipe::Receiver::from_owned_fd(reader.into())?, group, folder })
    }

    /// Runs it to its end, giving away its lines; gives its exit code, or 128 and the signal.
    pub(in super::super) async fn run(self, mut write: impl FnMut(String)) -> i32 {
        let Self { mut child, mut output, group, folder } = self;
        let mut lines = Lines::default();
        let mut buffer = vec![0; 64 * 1024];
        let status = loop {
            tokio::select! {
                biased;
                read = output.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break child.wait().await,
                    Ok(many) => lines.take(&buffer[..many], &mut write),
                },
                status = child.wait() => break status,
            }
        };
        // What it left running goes with it, as it does with a container.
        drop(group);
        let rest = async {
            while let Ok(many @ 1..) = output.read(&mut buffer).await {
                lines.take(&buffer[..many], &mut write);
            }
        };
        if tokio::time::timeout(REST, rest).await.is_err() {
            tracing::debug!("somebody still holds the output of a process that ended");
        }
        lines.end(&mut write);
        // Removing files blocks.
        let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
        status.map_or(1, exit_code)
    }
}

fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|it| 128 + it)).unwrap_or(1)
}

/// A name that stays in its folder.
fn safe(name: &str) -> anyhow::Result<&Path> {
    let path = Path::new(name);
    let inside = path.components().all(|it| matches!(it, std::path::Component::Normal(_)));
    anyhow::ensure!(inside && !name.is_empty(), "`{name}` is no path within a folder");
    Ok(path)
}

/// Bytes to lines: what is no UTF-8 is shown as such, `\r` stays.
#[derive(Debug, Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take(&mut self, bytes: &[u8], write: &mut impl FnMut(String)) {
        for piece in bytes.split_inclusive(|it| *it == b'\n') {
            self.0.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.0.pop();
                write(String::from_utf8_lossy(&std::mem::take(&mut self.0)).into_owned());
            } else if self.0.len() >= LINE {
                self.end(write);
            }
        }
    }

    fn end(&mut self, write: &mut impl FnMut(String)) {
        if !self.0.is_empty() {
            write(String::from_utf8_lossy(&std::mem::take(&mut self.0)).into_owned());
        }
    }
}
