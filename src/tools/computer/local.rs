//! This machine: files of the session's workspace, and commands in it.
//!
//! Touches only what `workspace` allows. Start at [`Local`].

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::run;
use super::{Aim, At, Computer, Content, Found, Limits, Line, Lines, Ran, Range, Run, Trouble, Wanted};
use super::{Words, Written};
use crate::agent::tool::{BadArguments, CallContext, Place, Risk, ToolError};
use crate::config::ToolsConfig;
use crate::protocol::approval::Alike;
use crate::secret::Secret;
use crate::tools::files::{blocking, open, replace};
use crate::tools::listing;
use crate::tools::marks::Stamp;
use crate::tools::process::Running;
use crate::tools::spill::Capture;
use crate::tools::workspace::{Outside, Relation, Target, Wish, alike, allow, resolve, risk, shown};

/// Variables that commands see if they are set here. Tokens are not among them.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "SHELL",
    "TZ",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

const WORDS: Words = Words {
    place: "in the workspace",
    commands: "It gets no input and no terminal, and no tokens in its environment. Whatever it left in the \
               background is ended with it.",
};

/// This machine.
pub(in crate::tools) struct Local {
    config: ToolsConfig,
    outside: Outside,
    environment: BTreeMap<String, String>,
    secrets: Vec<Secret>,
    shell: &'static str,
}

impl Local {
    /// Limits, the process's environment (commands see a small part of it), and secrets to take
    /// out of what is shown.
    pub fn new(config: ToolsConfig, environment: &BTreeMap<String, String>, secrets: Vec<Secret>) -> Self {
        let passed = |name: &str| {
            PASSED.contains(&name)
                || name.starts_with("LC_")
                || config.pass_environment.iter().any(|wanted| wanted == name)
        };
        let mut environment: BTreeMap<String, String> = environment
            .iter()
            .filter(|(name, _)| passed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in
            [("TERM", "dumb"), ("PYTHONUNBUFFERED", "1"), ("PAGER", "cat"), ("GIT_TERMINAL_PROMPT", "0")]
        {
            environment.insert(name.to_owned(), value.to_owned());
        }
        environment.entry("PATH".to_owned()).or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
        Self { outside: Outside::configured(&config), config, environment, secrets, shell }
    }
}

#[async_trait]
impl Computer for Local {
    fn words(&self) -> &Words {
        &WORDS
    }

    fn limits(&self) -> Limits {
        Limits { usual: self.config.bash_timeout_s, most: self.config.bash_max_timeout_s }
    }

    fn aim(&self, place: &Place, given: &str, wish: Wish) -> Result<Aim, BadArguments> {
        let target = resolve(&place.workspace, given)?;
        Ok(Aim {
            name: shown(&place.workspace, &target.path),
            risk: risk(place, &target, wish, self.outside),
            alike: alike(place, &target),
            exists: Some(target.path.exists()),
            path: target.path,
        })
    }

    fn aim_command(&self, place: &Place, folder: &str) -> Result<Aim, BadArguments> {
        let Target { path, relation } = resolve(&place.workspace, folder)?;
        let risk = match (relation, self.outside) {
            (Relation::Inside | Relation::Internal, _) => {
                Risk::Ask { reason: "Runs a shell command on this machine.".to_owned() }
            }
            (Relation::Outside, Outside::Asked) => Risk::Ask {
                reason: format!("Runs a shell command outside the workspace, in {}.", path.display()),
            },
            _ => Risk::Never { reason: "`work_dir` is outside the workspace".to_owned() },
        };
        let inside = matches!(relation, Relation::Inside | Relation::Internal);
        let alike = inside
            .then(|| Alike { key: "bash".to_owned(), words: "shell commands in this session".to_owned() });
        Ok(Aim { name: shown(&place.workspace, &path), path, risk, alike, exists: None })
    }

    async fn reach(&self, context: &CallContext, given: &str, wish: Wish) -> Result<At, Trouble> {
        let (place, given, outside) = (context.place.clone(), given.to_owned(), self.outside);
        let reached = blocking(move || {
            let target = resolve(&place.workspace, &given)?;
            allow(&place, &target, wish, outside)?;
            let name = shown(&place.workspace, &target.path);
            Ok::<_, BadArguments>(At { path: target.path, name, secrets: Vec::new() })
        })
        .await?;
        Ok(reached?)
    }

    async fn look(&self, context: &CallContext, at: &At, wanted: Wanted) -> Result<Found, Trouble> {
        let (path, cancel) = (at.path.clone(), context.cancel.clone());
        let found = blocking(move || look(&path, wanted, &cancel)).await?;
        if context.cancel.is_cancelled() {
            return Err(Trouble::Tool(ToolError::Cancelled));
        }
        found.map_err(|error| Trouble::Cannot(error.to_string()))
    }

    async fn put(
        &self,
        _context: &CallContext,
        at: &At,
        content: Vec<u8>,
        _seen: Option<&Stamp>,
    ) -> Result<Written, Trouble> {
        let path = at.path.clone();
        let about = blocking(move || replace(&path, &content)).await?;
        let about = about.map_err(|error| Trouble::Cannot(error.to_string()))?;
        Ok(Written { key: at.path.clone(), stamp: Stamp::of(&about), notes: Vec::new() })
    }

    async fn run(&self, context: &CallContext, run: Run) -> Result<Ran, Trouble> {
        let (place, folder, outside) = (context.place.clone(), run.folder.clone(), self.outside);
        let (folder, workspace) = blocking(move || {
            let aim = resolve(&place.workspace, &folder)?;
            let root = resolve(&place.workspace, ".")?.path;
            folder_of(&aim, outside)?;
            Ok::<_, BadArguments>((aim.path, root))
        })
        .await??;
        let capture =
            Capture::new(self.config.output_cap_chars, &workspace, context.call.as_str(), &self.secrets);
        match Running::start(self.shell, &run.command, &folder, &self.environment) {
            Ok(started) => Ok(run::follow(started, capture, run.limit, context).await?),
            Err(error) => Err(Trouble::Told(format!("The command could not be started: {error}"))),
        }
    }
}

/// Refuses a folder that commands may not run in, as it is now.
fn folder_of(target: &Target, outside: Outside) -> Result<(), BadArguments> {
    let (path, relation) = (&target.path, target.relation);
    if relation == Relation::System || (relation == Relation::Outside && outside == Outside::Forbidden) {
        return Err(BadArguments("`work_dir` is outside the workspace".to_owned()));
    }
    if !path.is_dir() {
        return Err(BadArguments(format!("`work_dir`: there is no folder `{}`", path.display())));
    }
    Ok(())
}

fn look(path: &Path, wanted: Wanted, cancel: &CancellationToken) -> io::Result<Found> {
    let about = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Found::Missing { beside: listing::beside(path) });
        }
        about => about?,
    };
    if about.is_dir() {
        let names = if matches!(wanted, Wanted::Lines(_)) { listing::entries(path)? } else { Vec::new() };
        return Ok(Found::Folder(names));
    }
    if !about.is_file() {
        return Ok(Found::Other);
    }
    let found = |stamp, bytes, content| Found::File { key: path.to_owned(), stamp, bytes, content };
    if matches!(wanted, Wanted::Facts) {
        return Ok(found(Stamp::of(&about), about.len(), Content::Nothing));
    }
    let (file, about) = open(path)?;
    let content = match wanted {
        Wanted::Facts => Content::Nothing,
        Wanted::Whole { most } if about.len() > most => Content::TooLarge,
        Wanted::Whole { most } => {
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            Content::Whole(bytes)
        }
        Wanted::Lines(range) => {
            let file = BufReader::new(Stoppable { file, cancel });
            gather(file, range)?.map_or(Content::Binary, Content::Lines)
        }
    };
    Ok(found(Stamp::of(&about), about.len(), content))
}

/// A file whose reading ends when the turn is stopped, however far the page is into it.
struct Stoppable<'a> {
    file: File,
    cancel: &'a CancellationToken,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        self.file.read(buffer)
    }
}

/// The lines wanted and one more; `None` if this is no text. Memory stays bounded whatever the length of lines
/// and file.
fn gather(mut file: impl BufRead, range: Range) -> io::Result<Option<Lines>> {
    if file.fill_buf()?.iter().take(8_192).any(|b| *b == 0) {
        return Ok(None);
    }
    let (mut found, mut size) = (Lines::default(), 0);
    while (found.lines.len() as u64) <= range.limit && (size <= range.characters || found.lines.len() < 2) {
        let wanted = found.passed + 1 >= range.offset;
        let Some((kept, characters)) = next_line(&mut file, if wanted { range.width } else { 0 })? else {
            break;
        };
        if !wanted {
            found.passed += 1;
            continue;
        }
        let text: String = String::from_utf8_lossy(&kept).chars().take(range.width).collect();
        let shown = text.chars().count();
        size += shown + 8;
        found.lines.push(Line { text, missing: characters.saturating_sub(shown as u64) });
    }
    Ok(Some(found))
}

/// The first bytes of the next line and how many characters it has, without its end, keeping only as many bytes
/// as `keep` characters can have.
fn next_line(file: &mut impl BufRead, keep: usize) -> io::Result<Option<(Vec<u8>, u64)>> {
    let (mut kept, mut characters) = (Vec::new(), 0);
    let mut any = false;
    loop {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any.then_some((kept, characters)));
        }
        any = true;
        let end = buffer.iter().position(|b| *b == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = (keep * 4).saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..piece.len().min(room)]);
        characters += piece.iter().filter(|b| (**b & 0xC0) != 0x80).count() as u64;
        let used = piece.len() + usize::from(end.is_some());
        file.consume(used);
        if end.is_some() {
            return Ok(Some((kept, characters)));
        }
    }
}
