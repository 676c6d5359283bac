//! The arguments of `hf_repo_git`, what they mean, and how people read it.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use crate::agent::tool::{BadArguments, Risk, arguments};
use crate::clients::hub::{Gate, Repo, RepoKind, Status, Visibility};
use crate::text::cut;
use crate::tools::hub::repo_words::{MAIN, RepoType, has_operation, repo, required, revision};

/// All operations, as models and rules name them.
pub(super) const OPERATIONS: [&str; 14] = [
    "create_branch",
    "delete_branch",
    "create_tag",
    "delete_tag",
    "list_refs",
    "create_pr",
    "list_prs",
    "get_pr",
    "merge_pr",
    "close_pr",
    "comment_pr",
    "change_pr_status",
    "create_repo",
    "update_repo",
];
/// Characters of a title, and of a text.
const LONGEST_TITLE: usize = 300;
const LONGEST_TEXT: usize = 60_000;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// What to do.
    operation: Operation,
    /// The repository: `owner/name`.
    repo_id: String,
    /// What kind of repository it is.
    #[serde(default)]
    repo_type: RepoType,
    /// create_branch, delete_branch: the branch.
    #[serde(default)]
    branch: Option<String>,
    /// create_branch: where it begins; `main` if left out.
    #[serde(default)]
    from_rev: Option<String>,
    /// create_tag, delete_tag: the tag.
    #[serde(default)]
    tag: Option<String>,
    /// create_tag: what it names; `main` if left out.
    #[serde(default)]
    revision: Option<String>,
    /// create_tag: what it says.
    #[serde(default)]
    tag_message: Option<String>,
    /// create_pr: its title.
    #[serde(default)]
    title: Option<String>,
    /// create_pr: what it is about.
    #[serde(default)]
    description: Option<String>,
    /// get_pr, merge_pr, close_pr, comment_pr, change_pr_status: its number.
    #[serde(default)]
    pr_num: Option<u64>,
    /// merge_pr, close_pr, comment_pr, change_pr_status: a comment.
    #[serde(default)]
    comment: Option<String>,
    /// change_pr_status: what it is to be.
    #[serde(default)]
    new_status: Option<NewStatus>,
    /// list_prs: which ones; all if left out.
    #[serde(default)]
    status: Option<ListedStatus>,
    /// create_repo: whether only its owner sees it (true if left out). update_repo: what it is to be.
    #[serde(default)]
    private: Option<bool>,
    /// update_repo: how access is given: to everybody who agrees (auto), one by one (manual), or freely (false).
    #[serde(default)]
    gated: Option<Gated>,
    /// create_repo: what a Space is written with.
    #[serde(default)]
    space_sdk: Option<Sdk>,
    /// create_branch, create_tag, create_repo: it is fine if it is there already.
    #[serde(default)]
    exist_ok: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Operation {
    CreateBranch,
    DeleteBranch,
    CreateTag,
    DeleteTag,
    ListRefs,
    CreatePr,
    ListPrs,
    GetPr,
    MergePr,
    ClosePr,
    CommentPr,
    ChangePrStatus,
    CreateRepo,
    UpdateRepo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum NewStatus {
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ListedStatus {
    Open,
    Closed,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sdk {
    Gradio,
    Streamlit,
    Docker,
    Static,
}

impl Sdk {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gradio => "gradio",
            Self::Streamlit => "streamlit",
            Self::Docker => "docker",
            Self::Static => "static",
        }
    }
}

/// `auto`, `manual`, or false as a word or as what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gated(Gate);

impl<'de> Deserialize<'de> for Gated {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self(Gate::Open)),
            Value::String(word) if word == "false" => Ok(Self(Gate::Open)),
            Value::String(word) if word == "auto" => Ok(Self(Gate::Auto)),
            Value::String(word) if word == "manual" => Ok(Self(Gate::Manual)),
            other => Err(serde::de::Error::custom(format!("{other} is none of auto, manual, false"))),
        }
    }
}

impl JsonSchema for Gated {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Gated".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // A word for false: some providers take no list of mixed types.
        json_schema!({ "type": "string", "enum": ["auto", "manual", "false"] })
    }
}

/// What it means if the thing is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum There {
    Fine,
    Wrong,
}

/// What is meant, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    CreateBranch { branch: String, from: Option<String>, there: There },
    DeleteBranch { branch: String },
    CreateTag { tag: String, revision: String, message: Option<String>, there: There },
    DeleteTag { tag: String },
    ListRefs,
    CreatePr { title: String, description: String },
    ListPrs { status: Option<String> },
    GetPr { num: u64 },
    Merge { num: u64, comment: Option<String> },
    Comment { num: u64, comment: String },
    Status { num: u64, status: Status, comment: Option<String> },
    CreateRepo { visibility: Visibility, sdk: Option<String>, there: There },
    UpdateRepo { visibility: Option<Visibility>, gate: Option<Gate> },
}

/// The whole of it.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) repo: Repo,
    pub(super) wish: Wish,
    pub(super) operation: String,
}

impl Checked {
    pub(super) fn of(value: &Value) -> Result<Self, BadArguments> {
        has_operation(value, &OPERATIONS)?;
        let operation = value["operation"].as_str().unwrap_or_default().to_owned();
        let given: Arguments = arguments(value)?;
        let repo = repo(given.repo_type, &given.repo_id)?;
        let wish = wish(given, &operation, repo.kind)?;
        Ok(Self { repo, wish, operation })
    }
}

fn wish(given: Arguments, operation: &str, kind: RepoKind) -> Result<Wish, BadArguments> {
    let name = |field: &str, text: &Option<String>| -> Result<String, BadArguments> {
        Ok(revision(field, required(field, operation, text.as_deref())?)?.to_owned())
    };
    let optional = |field: &str, text: &Option<String>| -> Result<Option<String>, BadArguments> {
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        text.map(|text| revision(field, text).map(str::to_owned)).transpose()
    };
    let num = || {
        let num = given.pr_num.filter(|num| *num > 0);
        num.ok_or_else(|| BadArguments(format!("`pr_num` is missing: `{operation}` needs it")))
    };
    let comment = || text("comment", &given.comment, LONGEST_TEXT);
    let there = if given.exist_ok { There::Fine } else { There::Wrong };
    Ok(match given.operation {
        Operation::CreateBranch => Wish::CreateBranch {
            branch: name("branch", &given.branch)?,
            from: optional("from_rev", &given.from_rev)?,
            there,
        },
        Operation::DeleteBranch => {
            let branch = name("branch", &given.branch)?;
            if branch == MAIN {
                return Err(BadArguments("`branch`: main cannot be deleted".to_owned()));
            }
            Wish::DeleteBranch { branch }
        }
        Operation::CreateTag => Wish::CreateTag {
            tag: name("tag", &given.tag)?,
            revision: optional("revision", &given.revision)?.unwrap_or_else(|| MAIN.to_owned()),
            message: text("tag_message", &given.tag_message, LONGEST_TEXT)?,
            there,
        },
        Operation::DeleteTag => Wish::DeleteTag { tag: name("tag", &given.tag)? },
        Operation::ListRefs => Wish::ListRefs,
        Operation::CreatePr => {
            required("title", operation, given.title.as_deref())?;
            Wish::CreatePr {
                title: text("title", &given.title, LONGEST_TITLE)?.unwrap_or_default(),
                description: text("description", &given.description, LONGEST_TEXT)?.unwrap_or_default(),
            }
        }
        Operation::ListPrs => Wish::ListPrs {
            status: match given.status {
                None | Some(ListedStatus::All) => None,
                Some(ListedStatus::Open) => Some("open".to_owned()),
                Some(ListedStatus::Closed) => Some("closed".to_owned()),
            },
        },
        Operation::GetPr => Wish::GetPr { num: num()? },
        Operation::MergePr => Wish::Merge { num: num()?, comment: comment()? },
        Operation::ClosePr => Wish::Status { num: num()?, status: Status::Closed, comment: comment()? },
        Operation::CommentPr => {
            required("comment", operation, given.comment.as_deref())?;
            Wish::Comment { num: num()?, comment: comment()?.unwrap_or_default() }
        }
        Operation::ChangePrStatus => {
            let status = match given.new_status {
                Some(NewStatus::Open) => Status::Open,
                Some(NewStatus::Closed) => Status::Closed,
                None => return Err(BadArguments("`new_status` is missing: open or closed".to_owned())),
            };
            Wish::Status { num: num()?, status, comment: comment()? }
        }
        Operation::CreateRepo => create_repo(&given, kind, there)?,
        Operation::UpdateRepo => update_repo(&given)?,
    })
}

fn create_repo(given: &Arguments, kind: RepoKind, there: There) -> Result<Wish, BadArguments> {
    let sdk = match (kind, given.space_sdk) {
        (RepoKind::Space, None) => {
            return Err(BadArguments(
                "`space_sdk` is missing: a Space needs one of gradio, streamlit, docker, static".to_owned(),
            ));
        }
        (RepoKind::Space, Some(sdk)) => Some(sdk.as_str().to_owned()),
        (_, Some(_)) => return Err(BadArguments("`space_sdk`: only a Space has one".to_owned())),
        (_, None) => None,
    };
    if given.gated.is_some() {
        return Err(BadArguments("`gated`: make the repository first, then update_repo".to_owned()));
    }
    Ok(Wish::CreateRepo { visibility: visibility(given.private.unwrap_or(true)), sdk, there })
}

fn update_repo(given: &Arguments) -> Result<Wish, BadArguments> {
    let gate = given.gated.map(|gated| gated.0);
    if given.private.is_none() && gate.is_none() {
        return Err(BadArguments("`update_repo` needs `private` or `gated`".to_owned()));
    }
    Ok(Wish::UpdateRepo { visibility: given.private.map(visibility), gate })
}

fn visibility(private: bool) -> Visibility {
    if private { Visibility::Private } else { Visibility::Public }
}

fn text(field: &str, text: &Option<String>, most: usize) -> Result<Option<String>, BadArguments> {
    let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > most) {
        return Err(BadArguments(format!("`{field}` is longer than {most} characters")));
    }
    Ok(text.map(str::to_owned))
}

impl Wish {
    /// Whether people must be asked.
    pub(super) fn risk(&self) -> Risk {
        let ask = |reason: &str| Risk::Ask { reason: reason.to_owned() };
        match self {
            Self::ListRefs | Self::ListPrs { .. } | Self::GetPr { .. } => Risk::Free,
            Self::UpdateRepo { visibility: Some(Visibility::Public), .. } => {
                Risk::Always { reason: "Shows a repository to everybody.".to_owned() }
            }
            Self::DeleteBranch { .. } | Self::DeleteTag { .. } => {
                ask("Deletes something on the Hugging Face Hub.")
            }
            Self::CreateRepo { .. } => ask("Makes a repository on the Hugging Face Hub."),
            Self::Merge { .. } => ask("Merges a change into a repository on the Hugging Face Hub."),
            Self::Comment { .. } | Self::CreatePr { .. } => {
                ask("Writes on the Hugging Face Hub in the account's name.")
            }
            _ => ask("Changes a repository on the Hugging Face Hub."),
        }
    }

    /// One line for people.
    pub(super) fn title(&self, repo: &Repo) -> String {
        match self {
            Self::CreateBranch { branch, .. } => format!("Make branch {branch} in {repo}"),
            Self::DeleteBranch { branch } => format!("Delete branch {branch} of {repo}"),
            Self::CreateTag { tag, revision, .. } => format!("Tag {revision} of {repo} as {tag}"),
            Self::DeleteTag { tag } => format!("Delete tag {tag} of {repo}"),
            Self::ListRefs => format!("List branches and tags of {repo}"),
            Self::CreatePr { title, .. } => format!("Open a pull request in {repo}: {}", cut(title, 80)),
            Self::ListPrs { .. } => format!("List pull requests of {repo}"),
            Self::GetPr { num } => format!("Read #{num} of {repo}"),
            Self::Merge { num, .. } => format!("Merge pull request #{num} of {repo}"),
            Self::Comment { num, .. } => format!("Comment on #{num} of {repo}"),
            Self::Status { num, status: Status::Open, .. } => format!("Open #{num} of {repo}"),
            Self::Status { num, status: Status::Closed, .. } => format!("Close #{num} of {repo}"),
            Self::CreateRepo { visibility, .. } => format!("Make {} {repo}", visibility.as_str()),
            Self::UpdateRepo { visibility, gate } => {
                let mut what = Vec::new();
                what.extend(visibility.map(Visibility::as_str));
                what.extend(gate.map(gate_words));
                format!("Make {repo} {}", what.join(" and "))
            }
        }
    }

    /// What to read before answering.
    pub(super) fn preview(&self, repo: &Repo) -> String {
        let mut text = self.title(repo);
        let mut more = |label: &str, value: &str| {
            let _ = write!(text, "\n{label}: {value}");
        };
        match self {
            Self::CreateBranch { from, .. } => more("from", from.as_deref().unwrap_or(MAIN)),
            Self::CreateTag { message: Some(message), .. } => more("message", message),
            Self::CreatePr { title, description } => {
                more("title", title);
                more("description", description);
            }
            Self::Comment { comment, .. }
            | Self::Merge { comment: Some(comment), .. }
            | Self::Status { comment: Some(comment), .. } => more("comment", comment),
            Self::CreateRepo { sdk: Some(sdk), .. } => more("SDK", sdk),
            _ => {}
        }
        text
    }
}

/// How access is given, in words.
pub(super) fn gate_words(gate: Gate) -> &'static str {
    match gate {
        Gate::Open => "free of access requests",
        Gate::Auto => "gated (whoever agrees gets access)",
        Gate::Manual => "gated (access is given one by one)",
    }
}
