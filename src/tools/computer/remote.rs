//! The session's sandbox: files and commands on a machine that is a Space.
//!
//! What only reads is tried again when the connection breaks. A command is named, so that after a broken connection
//! it is looked for and never run twice; a write is checked by reading. Never makes a sandbox. Start at [`Remote`].

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Aim, At, Computer, Content, End, Found, Limits, Line, Lines, Ran, Run, Trouble, Wanted};
use super::{Words, Written};
use crate::agent::tool::{BadArguments, CallContext, Place, Risk, ToolError};
use crate::clients::sandbox::{Answer, Command, Sandbox, SandboxError};
use crate::protocol::approval::Alike;
use crate::random::Random;
use crate::secret::Secret;
use crate::text::{first_line, redact_known};
use crate::tools::hub::sandbox::{Record, Sandboxes};
use crate::tools::listing::Entry;
use crate::tools::marks::Stamp;
use crate::tools::workspace::Wish;

/// The folder of a sandbox that relative paths begin in.
const HOME: &str = "/app";
/// Seconds a command may run there.
const LIMITS: Limits = Limits { usual: 240, most: 1_200 };
/// Characters of a line of progress.
const PROGRESS: usize = 200;

const WORDS: Words = Words {
    place: "in the sandbox, whose workspace is /app",
    commands: "It gets no input and no terminal. What it leaves in the background with its output in a file (`nohup \
               … > log 2>&1 &`) goes on after it, for work that takes longer.",
};

/// The session's sandbox.
pub(in crate::tools) struct Remote {
    sandboxes: Arc<Sandboxes>,
    random: Random,
    output_cap: usize,
    secrets: Vec<Secret>,
}

/// A session's sandbox in use.
struct Open {
    record: Record,
    sandbox: Sandbox,
}

impl Remote {
    /// The sandboxes of all sessions. `output_cap` is how many characters of a command's output are shown, `secrets`
    /// what must not be in it.
    pub fn new(sandboxes: Arc<Sandboxes>, random: Random, output_cap: usize, secrets: Vec<Secret>) -> Self {
        Self { sandboxes, random, output_cap, secrets }
    }

    /// The session's sandbox, if it is the requester's to use.
    async fn ready(&self, context: &CallContext) -> Result<Record, Trouble> {
        let ready = self.sandboxes.ready(&context.place.session, &context.requester);
        ready.await.map_err(Trouble::Told)
    }

    async fn open(&self, context: &CallContext) -> Result<Open, Trouble> {
        let record = self.ready(context).await?;
        let sandbox = self.sandboxes.line_to(&record).await.map_err(ToolError::Broken)?;
        self.sandboxes.used(&record).await;
        Ok(Open { record, sandbox })
    }

    /// What the sandbox answers, or what is the matter with it; ends when the turn is stopped.
    async fn asked<T>(
        &self,
        context: &CallContext,
        record: &Record,
        answer: impl Future<Output = Result<T, SandboxError>>,
    ) -> Result<T, Trouble> {
        let answered = tokio::select! {
            answered = answer => answered,
            () = context.cancel.cancelled() => return Err(Trouble::Tool(ToolError::Cancelled)),
        };
        match answered {
            Ok(answer) => Ok(answer),
            Err(error) => Err(Trouble::Told(self.sandboxes.explain(record, &error).await)),
        }
    }

    /// A write whose answer was lost: what stands there tells whether it was done.
    async fn written(
        &self,
        context: &CallContext,
        (line, at): (&Open, &At),
        content: &[u8],
    ) -> Result<Written, Trouble> {
        let body = json!({ "path": at.path, "raw": true, "most": content.len() });
        let answer = self.asked(context, &line.record, line.sandbox.read(&body)).await?;
        let there = STANDARD.decode(&answer.content).unwrap_or_default();
        if answer.kind == "file" && there == content && answer.success {
            return Ok(Written {
                key: key(&line.record, &answer),
                stamp: Stamp::told(&answer.stamp),
                notes: Vec::new(),
            });
        }
        Err(Trouble::Cannot("the connection was lost before it arrived. Try once more.".to_owned()))
    }
}

#[async_trait]
impl Computer for Remote {
    fn words(&self) -> &Words {
        &WORDS
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn aim(&self, place: &Place, given: &str, wish: Wish) -> Result<Aim, BadArguments> {
        let path = whole(given)?;
        let system = ["/proc", "/sys", "/dev"].iter().any(|system| path.starts_with(system));
        let risk = if system {
            Risk::Never { reason: "the path is a window into the system, not a file".to_owned() }
        } else if wish == Wish::Change && !path.starts_with(HOME) {
            Risk::Ask { reason: "It changes the machine outside of /app.".to_owned() }
        } else {
            Risk::Free
        };
        let name = shown(&path);
        let path = self.sandboxes.known(&place.session).map_or(path.clone(), |record| marked(&record, &path));
        Ok(Aim { name, path, risk, alike: None, exists: None })
    }

    fn aim_command(&self, place: &Place, folder: &str) -> Result<Aim, BadArguments> {
        let path = whole(folder).map_err(|BadArguments(why)| BadArguments(format!("`work_dir`: {why}")))?;
        // What is agreed to for one person's token is not agreed to for another's.
        let (whose, key) = match self.sandboxes.known(&place.session) {
            Some(record) => (
                format!("{} token", self.sandboxes.whose_token(&record)),
                format!("sandbox:bash:{}", record.by),
            ),
            None => ("a token".to_owned(), "sandbox:bash".to_owned()),
        };
        let reason = format!("Runs a shell command in the sandbox, which holds {whose} of the Hub.");
        let words = "shell commands in this session's sandbox".to_owned();
        let alike = Some(Alike { key, words });
        Ok(Aim { name: shown(&path), path, risk: Risk::Ask { reason }, alike, exists: None })
    }

    async fn reach(&self, context: &CallContext, given: &str, wish: Wish) -> Result<At, Trouble> {
        let aim = self.aim(&context.place, given, wish)?;
        if let Risk::Never { reason } = aim.risk {
            return Err(BadArguments(format!("`{}`: {reason}", aim.name)).into());
        }
        let record = self.ready(context).await?;
        let secrets = self.sandboxes.secrets_in(&record).await;
        Ok(At { path: whole(given)?, name: aim.name, secrets })
    }

    async fn look(&self, context: &CallContext, at: &At, wanted: Wanted) -> Result<Found, Trouble> {
        let mut body = json!({ "path": at.path });
        match wanted {
            Wanted::Facts => body["look"] = json!(true),
            Wanted::Whole { most } => {
                body["raw"] = json!(true);
                body["most"] = json!(most);
            }
            Wanted::Lines(range) => {
                body["list"] = json!(true);
                body["offset"] = json!(range.offset);
                body["limit"] = json!(range.limit);
                body["line_chars"] = json!(range.width);
                body["max_chars"] = json!(range.characters);
            }
        }
        let line = self.open(context).await?;
        let answer = self.asked(context, &line.record, line.sandbox.read(&body)).await?;
        found(&line.record, answer, wanted)
    }

    async fn put(
        &self,
        context: &CallContext,
        at: &At,
        content: Vec<u8>,
        seen: Option<&Stamp>,
    ) -> Result<Written, Trouble> {
        let line = self.open(context).await?;
        let path = at.path.to_string_lossy();
        let stamp = seen.map_or("none", Stamp::as_str);
        let sent = tokio::select! {
            sent = line.sandbox.write(&path, &content, stamp) => sent,
            () = context.cancel.cancelled() => return Err(Trouble::Tool(ToolError::Cancelled)),
        };
        match sent {
            Ok(answer) if answer.success => Ok(Written {
                key: key(&line.record, &answer),
                stamp: Stamp::told(&answer.stamp),
                notes: answer.warnings,
            }),
            Ok(answer) if answer.changed => {
                Err(Trouble::Cannot("it has changed meanwhile; read it again.".to_owned()))
            }
            Ok(answer) => Err(Trouble::Cannot(format!("{}.", first_line(&answer.error, 300)))),
            Err(error) if error.may_have_arrived() => self.written(context, (&line, at), &content).await,
            Err(error) => Err(Trouble::Told(self.sandboxes.explain(&line.record, &error).await)),
        }
    }

    async fn run(&self, context: &CallContext, run: Run) -> Result<Ran, Trouble> {
        let line = self.open(context).await?;
        let id = self.random.id("c_");
        let command = Command {
            id: &id,
            command: &run.command,
            folder: if run.folder == "." { HOME } else { &run.folder },
            limit: run.limit,
            output: self.output_cap,
        };
        let done = tokio::select! {
            done = self.follow(context, &line, &command) => done,
            () = context.cancel.cancelled() => {
                let sandbox = line.sandbox.clone();
                // The turn is over; the command must be, too. Bounded by the client's own time-out.
                tokio::spawn(async move { sandbox.kill(&id).await.ok() });
                return Err(Trouble::Tool(ToolError::Cancelled));
            }
        }?;
        let secrets = [self.secrets.clone(), self.sandboxes.secrets_in(&line.record).await].concat();
        Ok(Ran { output: redact_known(&done.output, &secrets).into_owned(), ..done })
    }
}

impl Remote {
    /// Starts the command and waits for its end, in several requests.
    async fn follow(
        &self,
        context: &CallContext,
        line: &Open,
        command: &Command<'_>,
    ) -> Result<Ran, Trouble> {
        let (mut answer, mut began) = match line.sandbox.start(command).await {
            Ok(answer) => (answer, true),
            Err(error) if error.may_have_arrived() => match line.sandbox.follow(command.id).await {
                Ok(answer) => (answer, false),
                Err(error) => return Err(self.lost(line, &error).await),
            },
            Err(error) => return Err(Trouble::Told(self.sandboxes.explain(&line.record, &error).await)),
        };
        let mut shown = String::new();
        while answer.running {
            began = true;
            let last = answer.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let last = redact_known(last, &self.secrets);
            if !last.is_empty() && *last != shown {
                shown = last.into_owned();
                context.progress.line(&first_line(&shown, PROGRESS));
            }
            self.sandboxes.used(&line.record).await;
            answer = match line.sandbox.follow(command.id).await {
                Ok(answer) => answer,
                Err(error) => return Err(self.lost(line, &error).await),
            };
        }
        if answer.unknown {
            return Err(Trouble::Told(if began {
                "The sandbox was restarted while the command ran (it may have used up the memory); what it had done \
                 by then is unknown. Look at what it left before you run it again."
                    .to_owned()
            } else {
                "The command did not reach the sandbox and was not run. Run it again.".to_owned()
            }));
        }
        Ok(ran(answer))
    }

    /// A command that can no longer be followed.
    async fn lost(&self, line: &Open, error: &SandboxError) -> Trouble {
        let why = self.sandboxes.explain(&line.record, error).await;
        Trouble::Told(format!(
            "The connection was lost while the command ran; whether it was done is unknown. {why} Look at what it \
             left before you run it again."
        ))
    }
}

/// How a command ended, from the sandbox's answer.
fn ran(answer: Answer) -> Ran {
    let end = match (answer.timed_out, answer.exit_code) {
        (true, _) => End::TimedOut,
        (false, Some(code)) if code < 0 => End::Signal(-code),
        (false, Some(code)) => End::Code(code),
        (false, None) if answer.success => End::Code(0),
        (false, None) => End::Lost(answer.error),
    };
    Ran { output: answer.output, end, left: 0 }
}

/// What stands at a path, from the sandbox's answer.
fn found(record: &Record, answer: Answer, wanted: Wanted) -> Result<Found, Trouble> {
    let content = match (answer.kind.as_str(), wanted) {
        ("missing", _) => return Ok(Found::Missing { beside: answer.names }),
        ("folder", _) => return Ok(Found::Folder(answer.entries.iter().map(|name| entry(name)).collect())),
        ("other", _) => return Ok(Found::Other),
        ("binary", _) => Content::Binary,
        ("file", Wanted::Whole { most }) if answer.bytes > most => Content::TooLarge,
        (_, _) if !answer.success => {
            return Err(Trouble::Cannot(first_line(&answer.error, 300).into_owned()));
        }
        ("file", Wanted::Facts) => Content::Nothing,
        ("file", Wanted::Whole { .. }) => {
            let bytes = STANDARD.decode(&answer.content);
            Content::Whole(bytes.map_err(|_| Trouble::Cannot("what came is no base64".to_owned()))?)
        }
        ("file", Wanted::Lines(_)) => Content::Lines(lines(&answer)),
        _ => return Err(Trouble::Cannot("the sandbox's answer makes no sense".to_owned())),
    };
    let stamp = Stamp::told(&answer.stamp);
    Ok(Found::File { key: key(record, &answer), stamp, bytes: answer.bytes, content })
}

/// The lines of a page: each begins with its number and a tab.
fn lines(answer: &Answer) -> Lines {
    let numbered = answer.output.split('\n').take(usize::try_from(answer.lines).unwrap_or(usize::MAX));
    let lines = numbered.map(|line| {
        let (number, text) = line.split_once('\t').unwrap_or(("", line));
        let missing = number.parse().ok().and_then(|number: u64| answer.cut.get(&number).copied());
        Line { text: text.to_owned(), missing: missing.unwrap_or(0) }
    });
    Lines { passed: answer.passed, lines: lines.collect() }
}

fn entry(name: &str) -> Entry {
    match name.strip_suffix('/') {
        Some(folder) => Entry { is_file: false, name: folder.to_owned() },
        None => Entry { is_file: true, name: name.to_owned() },
    }
}

/// The name under which marks remember a file: a new sandbox has none of the old one's.
fn key(record: &Record, answer: &Answer) -> PathBuf {
    marked(record, Path::new(&answer.path))
}

fn marked(record: &Record, path: &Path) -> PathBuf {
    PathBuf::from(format!("{}:{}", record.space, path.display()))
}

/// The whole path, as far as it can be told from here.
fn whole(given: &str) -> Result<PathBuf, BadArguments> {
    if given.trim().is_empty() {
        return Err(BadArguments("the path is empty".to_owned()));
    }
    let bad = |why: &str| Err(BadArguments(format!("`{}`: {why}", given.escape_default())));
    if given.contains('\0') {
        return bad("a path cannot contain a zero byte");
    }
    if given == "~" || given.starts_with("~/") {
        return bad("`~` is not expanded; write the path relative to the workspace");
    }
    let mut path = PathBuf::from(HOME);
    for part in Path::new(given).components() {
        match part {
            Component::RootDir | Component::Prefix(_) => path = PathBuf::from("/"),
            Component::CurDir => {}
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
        }
    }
    Ok(path)
}

fn shown(path: &Path) -> String {
    match path.strip_prefix(HOME) {
        Ok(inner) if inner.as_os_str().is_empty() => ".".to_owned(),
        Ok(inner) => inner.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}
