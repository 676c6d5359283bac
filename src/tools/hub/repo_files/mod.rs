//! `hf_repo_files`: the files of a repository on the Hub: listing, reading, uploading, deleting.
//!
//! Owns the arguments and what a call would do; each operation has its file. What people were shown when they
//! were asked is remembered ([`seals`]): a file or a set of files that is another by then is refused. Never
//! edits a card, or anything else, on its own.

mod delete;
mod list;
mod patterns;
mod read;
mod seals;
mod upload;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use self::seals::Seals;
use super::HubKit;
use super::repo_words::{MAIN, RepoType, has_operation, path, repo, required, revision};
use crate::agent::tool::{
    Assessment, BadArguments, CallContext, ExamineContext, Examined, Place, Risk, Tool, ToolError, arguments,
    parameters,
};
use crate::clients::hub::{Destination, Repo};
use crate::protocol::approval::Alike;
use crate::protocol::{ToolOutcome, ToolSpec};
use crate::text::{count, first_line, redact_known, redact_values};
use crate::tools::files::language;
use crate::tools::workspace::{Relation, resolve, shown};

/// Patterns of one deletion.
const MOST_PATTERNS: usize = 100;
const OPERATIONS: [&str; 4] = ["list", "read", "upload", "delete"];

/// The `hf_repo_files` tool.
pub struct HfRepoFiles {
    kit: HubKit,
    seals: Seals,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// What to do.
    operation: Operation,
    /// The repository: `owner/name`.
    repo_id: String,
    /// What kind of repository it is.
    #[serde(default)]
    repo_type: RepoType,
    /// Branch, tag, commit, or `refs/pr/N` for pull request N. `main` if left out.
    #[serde(default)]
    revision: Option<String>,
    /// read, upload: the file, from the root of the repository. list: only what is under this folder.
    #[serde(default)]
    path: Option<String>,
    /// upload: the whole text of the file.
    #[serde(default)]
    content: Option<String>,
    /// upload: a file of the workspace to upload, of any size and kind, in place of `content`.
    #[serde(default)]
    local_path: Option<String>,
    /// delete: what to delete: exact paths, folders with `/` at the end, or wildcards such as `*.tmp`.
    #[serde(default)]
    patterns: Option<Patterns>,
    /// upload, delete: offer the change as a pull request in place of making it.
    #[serde(default)]
    create_pr: bool,
    /// upload, delete: what the commit says.
    #[serde(default)]
    commit_message: Option<String>,
    /// read: characters to show.
    #[serde(default)]
    #[schemars(range(min = 1))]
    max_chars: Option<usize>,
    /// list: entries to leave out at the beginning. read: the byte to begin at. A result that was cut says
    /// where to go on.
    #[serde(default)]
    offset: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Operation {
    List,
    Read,
    Upload,
    Delete,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Patterns {
    Several(Vec<String>),
    One(String),
}

/// Arguments that were checked.
#[derive(Debug, Clone)]
enum Wish {
    List { under: Option<String>, offset: usize },
    Read { path: String, max_chars: Option<usize>, offset: u64 },
    Upload { path: String, source: Source, change: Change },
    Delete { patterns: Vec<String>, change: Change },
}

/// Where an upload comes from.
#[derive(Debug, Clone)]
enum Source {
    Inline(String),
    Local(String),
}

/// How a change is made.
#[derive(Debug, Clone)]
struct Change {
    into: Destination,
    summary: String,
    description: String,
}

impl Change {
    /// ` as a pull request`, where it is one.
    fn words(&self) -> &'static str {
        match self.into {
            Destination::PullRequest => " as a pull request",
            Destination::Revision => "",
        }
    }
}

/// What is meant, checked.
#[derive(Debug, Clone)]
struct Checked {
    repo: Repo,
    revision: String,
    wish: Wish,
}

impl Checked {
    fn of(value: &Value) -> Result<Self, BadArguments> {
        has_operation(value, &OPERATIONS)?;
        let given: Arguments = arguments(value)?;
        let repo = repo(given.repo_type, &given.repo_id)?;
        let rev = given.revision.as_deref().map(str::trim).filter(|rev| !rev.is_empty()).unwrap_or(MAIN);
        let rev = revision("revision", rev)?.to_owned();
        let wish = match given.operation {
            Operation::List => {
                let under = given.path.as_deref().map(|under| under.trim().trim_matches('/'));
                let under =
                    under.filter(|under| !under.is_empty()).map(|under| path("path", under)).transpose()?;
                let offset = usize::try_from(given.offset.unwrap_or(0)).unwrap_or(usize::MAX);
                Wish::List { under: under.map(str::to_owned), offset }
            }
            Operation::Read => {
                let file = path("path", required("path", "read", given.path.as_deref())?)?;
                if given.max_chars == Some(0) {
                    return Err(BadArguments("`max_chars` must be 1 or more".to_owned()));
                }
                let offset = given.offset.unwrap_or(0);
                Wish::Read { path: file.to_owned(), max_chars: given.max_chars, offset }
            }
            Operation::Upload => upload_wish(given)?,
            Operation::Delete => delete_wish(given)?,
        };
        Ok(Self { repo, revision: rev, wish })
    }
}

fn upload_wish(given: Arguments) -> Result<Wish, BadArguments> {
    let file = path("path", required("path", "upload", given.path.as_deref())?)?.to_owned();
    let source = match (given.content, given.local_path) {
        (Some(content), None) => Source::Inline(content),
        (None, Some(local)) => Source::Local(local),
        (Some(_), Some(_)) => {
            return Err(BadArguments("give `content` or `local_path`, not both".to_owned()));
        }
        (None, None) => {
            return Err(BadArguments(
                "`upload` needs `content` (the text of the file) or `local_path` (a file of the workspace)"
                    .to_owned(),
            ));
        }
    };
    let change = change(given.create_pr, given.commit_message, &format!("Upload {file}"))?;
    Ok(Wish::Upload { path: file, source, change })
}

fn delete_wish(given: Arguments) -> Result<Wish, BadArguments> {
    let patterns = match given.patterns {
        Some(Patterns::Several(patterns)) => patterns,
        Some(Patterns::One(pattern)) => vec![pattern],
        None => Vec::new(),
    };
    if patterns.is_empty() {
        return Err(BadArguments("`patterns` is missing: `delete` needs to know which files".to_owned()));
    }
    if patterns.len() > MOST_PATTERNS {
        return Err(BadArguments(format!("`patterns`: {MOST_PATTERNS} at most; got {}", patterns.len())));
    }
    for pattern in &patterns {
        path("patterns", pattern.strip_suffix('/').unwrap_or(pattern))?;
    }
    let what = first_line(&patterns.join(", "), 60).into_owned();
    let change = change(given.create_pr, given.commit_message, &format!("Delete {what}"))?;
    Ok(Wish::Delete { patterns, change })
}

fn change(create_pr: bool, message: Option<String>, usual: &str) -> Result<Change, BadArguments> {
    let message = message.filter(|message| !message.trim().is_empty()).unwrap_or_else(|| usual.to_owned());
    if message.chars().count() > 2_000 {
        return Err(BadArguments("`commit_message` is longer than 2000 characters".to_owned()));
    }
    let into = if create_pr { Destination::PullRequest } else { Destination::Revision };
    let (summary, description) = message.trim().split_once('\n').unwrap_or((message.trim(), ""));
    Ok(Change { into, summary: summary.trim().to_owned(), description: description.trim().to_owned() })
}

impl HfRepoFiles {
    /// The tool, with what the tools of Hugging Face share.
    #[must_use]
    pub fn new(kit: &HubKit) -> Self {
        Self { kit: kit.clone(), seals: Seals::default() }
    }

    fn assess_upload(
        &self,
        at: (&Repo, &str),
        file: &str,
        (source, change): (&Source, &Change),
        place: &Place,
    ) -> Result<Assessment, BadArguments> {
        let ((repo, revision), words) = (at, change.words());
        let branch = if revision == MAIN { String::new() } else { format!(" at {revision}") };
        let assessment = Assessment {
            risk: Risk::Ask { reason: "Changes a repository on the Hugging Face Hub.".to_owned() },
            operation: Some("upload".to_owned()),
            language: language(file).to_owned(),
            ..Assessment::changes(format!("Upload {file} to {repo}{branch}{words}"))
        };
        Ok(match source {
            Source::Inline(content) => {
                let leaks = redact_values(content, &self.kit.secrets) != content.as_str();
                let never =
                    || Risk::Never { reason: "the text holds a secret of this installation".to_owned() };
                let lines = count(content.lines().count(), "line");
                Assessment {
                    risk: if leaks { never() } else { assessment.risk },
                    title: format!("{} ({lines})", assessment.title),
                    preview: content.clone(),
                    editable: Some("content".to_owned()),
                    alike: Some(Alike {
                        key: format!("hf_repo_files:upload:{}:{}{words}", repo.kind, repo.id),
                        words: format!("uploads to {repo}{words}"),
                    }),
                    ..assessment
                }
            }
            Source::Local(local) => {
                let target = resolve(&place.workspace, local)?;
                if target.relation != Relation::Inside {
                    let reason = "`local_path` is outside the workspace".to_owned();
                    return Ok(Assessment { risk: Risk::Never { reason }, ..assessment });
                }
                let name = shown(&place.workspace, &target.path);
                Assessment {
                    preview: format!("{name} of the workspace → {file} in {repo}"),
                    language: "text".to_owned(),
                    ..assessment
                }
            }
        })
    }
}

#[async_trait]
impl Tool for HfRepoFiles {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hf_repo_files".to_owned(),
            description: format!(
                "Files of a model, dataset or Space repository on the Hugging Face Hub.\n\
                 - list: the files (under `path`, if given) with their sizes.\n\
                 - read: the text of one file, up to {} characters at a time; go on with `offset`.\n\
                 - upload: make or replace one file, from `content` or from a file of the workspace (`local_path`; \
                 any size, large ones go by LFS). The repository must be there: hf_repo_git makes one.\n\
                 - delete: delete files by exact path, folder or wildcard.\n\
                 Listing and reading are free; people are asked before an upload or a deletion. In a repository \
                 that is not the user's own, set `create_pr`. To add to an open pull request N give revision \
                 `refs/pr/N` and leave `create_pr` out.",
                read::most(&self.kit)
            ),
            parameters: parameters::<Arguments>(),
        }
    }

    fn assess(&self, value: &Value, place: &Place) -> Result<Assessment, BadArguments> {
        let Checked { repo, revision, wish } = Checked::of(value)?;
        let reads = |operation: &str, title: String| Assessment {
            operation: Some(operation.to_owned()),
            ..Assessment::reads(title)
        };
        Ok(match &wish {
            Wish::List { under: None, .. } => reads("list", format!("List the files of {repo}")),
            Wish::List { under: Some(under), .. } => reads("list", format!("List {under} of {repo}")),
            Wish::Read { path, .. } => reads("read", format!("Read {path} of {repo}")),
            Wish::Upload { path, source, change } => {
                self.assess_upload((&repo, &revision), path, (source, change), place)?
            }
            Wish::Delete { patterns, change } => Assessment {
                risk: Risk::Ask { reason: "Deletes files on the Hugging Face Hub.".to_owned() },
                operation: Some("delete".to_owned()),
                preview: patterns.join("\n"),
                ..Assessment::changes(format!(
                    "Delete {} from {repo}{}",
                    first_line(&patterns.join(", "), 80),
                    change.words()
                ))
            },
        })
    }

    async fn examine(&self, value: &Value, context: &ExamineContext) -> Examined {
        let Ok(checked) = Checked::of(value) else { return Examined::default() };
        let hub = self.kit.access.of(&context.requester).await;
        match &checked.wish {
            Wish::List { .. } | Wish::Read { .. } => Examined::default(),
            Wish::Upload { path, source, change } => {
                upload::examine(&self.seals, &hub, (&checked, value), (path, source, change), &context.place)
                    .await
            }
            Wish::Delete { patterns, change } => {
                delete::examine(&self.seals, &hub, (&checked, value), (patterns, change), &context.place)
                    .await
            }
        }
    }

    async fn call(&self, value: Value, context: CallContext) -> Result<ToolOutcome, ToolError> {
        let checked = Checked::of(&value)?;
        let hub = self.kit.access.of(&context.requester).await;
        let seal = self.seals.take(&context.place.session, &value);
        let work = async {
            match &checked.wish {
                Wish::List { under, offset } => {
                    Ok(list::list(&hub, &checked, (under.as_deref(), *offset), self.kit.output_cap).await)
                }
                Wish::Read { path, max_chars, offset } => {
                    let most = max_chars.unwrap_or(usize::MAX).min(read::most(&self.kit));
                    Ok(read::read(&hub, &checked, path, (*offset, most)).await)
                }
                Wish::Upload { path, source, change } => {
                    upload::upload(&hub, &checked, (path, source, change), (&self.kit, seal, &context)).await
                }
                Wish::Delete { patterns, change } => {
                    Ok(delete::delete(&hub, &checked, (patterns, change), seal).await)
                }
            }
        };
        let outcome = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Err(ToolError::Cancelled),
            outcome = work => outcome?,
        };
        let clean = redact_known(&outcome.output, &self.kit.secrets).into_owned();
        Ok(ToolOutcome { output: clean, ..outcome })
    }
}
