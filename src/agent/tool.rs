//! The port that every tool fills: what it is called, what a call of it would do, and doing it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::protocol::{
    Actor, CallId, Cost, Door, SessionKey, ToolOutcome, ToolSpec, TurnId, approval::Alike,
};

/// Something the model can do. One file per tool under `tools/`, one line in its catalogue.
#[async_trait]
pub trait Tool: Send + Sync {
    /// Name, description and parameters.
    fn spec(&self) -> ToolSpec;

    /// What a call with these arguments would do. Pure and quick; runs before anyone is asked.
    fn assess(&self, arguments: &Value, place: &Place) -> Result<Assessment, BadArguments>;

    /// Looks up what people should know before they are asked: it may read, and nothing else. Runs once per
    /// question and again when somebody edits the arguments; it has [`EXAMINATION`] of time, and a failure
    /// is a warning, never a reason not to ask.
    async fn examine(&self, _arguments: &Value, _context: &ExamineContext) -> Examined {
        Examined::default()
    }

    /// Does it. Caps its output, watches `context.cancel`, leaves nothing running behind.
    async fn call(&self, arguments: Value, context: CallContext) -> Result<ToolOutcome, ToolError>;
}

/// How long an examination may take.
pub const EXAMINATION: Duration = Duration::from_secs(12);

/// What an examination may know.
#[derive(Debug, Clone)]
pub struct ExamineContext {
    /// Where the call would act.
    pub place: Place,
    /// Who asked for the turn.
    pub requester: Actor,
    /// Arguments of earlier calls of the same tool in this session that had a result, oldest first; the
    /// last [`EARLIER`] of them.
    pub earlier: Vec<Value>,
    /// Files that were written with success in this session: arguments of `write` calls, the last
    /// [`EARLIER`] of them.
    pub written: Vec<Value>,
    /// Commands and scripts that ran with success in this session: arguments of `bash` calls, the last
    /// [`EARLIER`] of them.
    pub tried: Vec<Value>,
}

/// How many earlier calls an examination sees.
pub const EARLIER: usize = 20;

/// What an examination found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examined {
    /// Label and value, in order: what runs, where, who pays, what it reads, where its result goes.
    pub facts: Vec<(String, String)>,
    /// What people should know before they say yes, one short sentence each.
    pub warnings: Vec<String>,
    /// What changed against the last run of the same thing, as a unified diff.
    pub diff: Option<String>,
}

/// Where a session's calls act.
#[derive(Debug, Clone)]
pub struct Place {
    /// The session.
    pub session: SessionKey,
    /// The front door.
    pub door: Door,
    /// The channel that the session is in, where the door has channels.
    pub channel: Option<String>,
    /// The folder that file tools and commands work in.
    pub workspace: PathBuf,
    /// Whose folder that is.
    pub ownership: Ownership,
}

/// Whose folder the workspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Made for this session; nothing in it was there before.
    Session,
    /// A folder of the person's own (the terminal's current directory).
    Person,
}

/// What a call would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Whether people must be asked, as the tool sees it.
    pub risk: Risk,
    /// What a crash in mid-call means.
    pub effect: Effect,
    /// Whether other calls may run beside it.
    pub together: Together,
    /// The tool's operation, where it has several: rules name it.
    pub operation: Option<String>,
    /// One line for people: what it does.
    pub title: String,
    /// What to read before answering: the command or script.
    pub preview: String,
    /// Language of the preview: `sh`, `python`, `json`, `text`.
    pub language: String,
    /// What "approve for this session" would allow.
    pub alike: Option<Alike>,
    /// The argument that people edit as text; `None` edits all as JSON.
    pub editable: Option<String>,
    /// Worst-case cost.
    pub cost: Cost,
}

/// Whether people must be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Risk {
    /// No: it only reads, or only touches what is the session's own.
    Free,
    /// Yes, because.
    Ask {
        /// One short sentence.
        reason: String,
    },
    /// Yes, and only a person's own yes counts: neither auto-approval nor "approve for this session"
    /// covers it, because.
    Always {
        /// One short sentence.
        reason: String,
    },
    /// It may not run at all, because.
    Never {
        /// One short sentence.
        reason: String,
    },
}

/// What a crash in mid-call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads: it may simply run again.
    Reads,
    /// It changes something: its outcome is unknown and it must not run again by itself.
    Changes,
}

/// Whether other calls may run beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// Calls of the same step may run at the same time.
    Parallel,
    /// It runs alone, in the model's order.
    Alone,
}

impl Assessment {
    /// A call that only reads: free, parallel, repeatable.
    #[must_use]
    pub fn reads(title: impl Into<String>) -> Self {
        Self {
            risk: Risk::Free,
            effect: Effect::Reads,
            together: Together::Parallel,
            operation: None,
            title: title.into(),
            preview: String::new(),
            language: "text".to_owned(),
            alike: None,
            editable: None,
            cost: Cost::Free,
        }
    }

    /// A call that changes only what is the session's own: free, alone, not repeatable.
    #[must_use]
    pub fn changes(title: impl Into<String>) -> Self {
        Self { effect: Effect::Changes, together: Together::Alone, ..Self::reads(title) }
    }
}

/// What a running call may use.
#[derive(Clone)]
pub struct CallContext {
    /// The call.
    pub call: CallId,
    /// The turn.
    pub turn: TurnId,
    /// Where it acts.
    pub place: Place,
    /// Who asked for the turn.
    pub requester: Actor,
    /// Names of those who said yes to this call.
    pub approved_by: Vec<String>,
    /// The model in use, for notices' metadata.
    pub model: String,
    /// Progress lines for people.
    pub progress: Arc<dyn Progress>,
    /// Fires when the turn is stopped.
    pub cancel: CancellationToken,
}

impl CallContext {
    /// The folder that file tools and commands work in.
    #[must_use]
    pub fn workspace(&self) -> &Path {
        &self.place.workspace
    }
}

/// Where progress lines go. Never blocks; may drop lines when there are too many.
pub trait Progress: Send + Sync {
    /// Shows one line.
    fn line(&self, text: &str);
}

/// Arguments that the tool cannot take; told to the model, naming the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadArguments(pub String);

/// Why a call gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The arguments are wrong.
    #[error(transparent)]
    Arguments(#[from] BadArguments),
    /// It was stopped.
    #[error("the call was stopped")]
    Cancelled,
    /// Something of ours failed; told to the model as a failure, logged for us.
    #[error("{0:#}")]
    Broken(#[from] anyhow::Error),
}

/// Reads typed arguments; the error names the field.
pub fn arguments<T: DeserializeOwned>(value: &Value) -> Result<T, BadArguments> {
    if !value.is_object() {
        return Err(BadArguments(format!(
            "the arguments must be one JSON object; got {}",
            match value {
                Value::String(_) => "text that is not valid JSON",
                Value::Array(_) => "a list",
                Value::Null => "null",
                _ => "a bare value",
            }
        )));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if path == "." {
            BadArguments(format!("wrong arguments: {inner}"))
        } else {
            BadArguments(format!("wrong argument `{path}`: {inner}"))
        }
    })
}

/// The JSON Schema of typed arguments, as models like it: one plain object, no `$schema`, no refs.
#[must_use]
pub fn parameters<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|s| {
        s.meta_schema = None;
        s.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.entry("properties").or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    schema
}
