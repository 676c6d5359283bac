//! Repositories as a whole: what is known of one, making, deleting, settings, moving.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::{Hub, HubError, Repo, RepoKind};

/// Who may see a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Its owner.
    Private,
    /// Everybody.
    Public,
}

impl Visibility {
    /// The Hub's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// Whether something is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was made now.
    New,
    /// It was there before, and is as it was.
    Before,
}

impl Created {
    /// What a conflict at making means: it was there before.
    pub(super) fn of(outcome: Result<(), HubError>) -> Result<Self, HubError> {
        match outcome {
            Ok(()) => Ok(Self::New),
            Err(HubError::Conflict { .. }) => Ok(Self::Before),
            Err(error) => Err(error),
        }
    }
}

/// How access to a public repository is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gate {
    /// To everybody.
    #[default]
    Open,
    /// To everybody who agrees to its conditions.
    Auto,
    /// By its owner, one by one.
    Manual,
}

impl Gate {
    /// As the Hub takes it: `false`, `"auto"` or `"manual"`.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Self::Open => json!(false),
            Self::Auto => json!("auto"),
            Self::Manual => json!("manual"),
        }
    }
}

impl<'de> Deserialize<'de> for Gate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(word) if word == "auto" => Self::Auto,
            Value::String(_) | Value::Bool(true) => Self::Manual,
            _ => Self::Open,
        })
    }
}

/// What the Hub knows of a repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RepoInfo {
    /// Its name.
    pub id: String,
    /// The commit that it stands at.
    #[serde(default)]
    pub sha: Option<String>,
    /// Whether only its owner sees it, if the Hub says.
    #[serde(default)]
    pub private: Option<bool>,
    /// How access is given.
    #[serde(default)]
    pub gated: Gate,
    /// When it last changed, as the Hub writes times.
    #[serde(default)]
    pub last_modified: Option<String>,
    /// Downloads of the last month.
    #[serde(default)]
    pub downloads: Option<u64>,
    /// Likes.
    #[serde(default)]
    pub likes: Option<u64>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What its card says of it in YAML.
    #[serde(default)]
    pub card_data: Value,
    /// Its files.
    #[serde(default)]
    pub siblings: Vec<Sibling>,
}

/// A file of a repository, by name.
#[derive(Debug, Clone, Deserialize)]
pub struct Sibling {
    /// Its path.
    #[serde(rename = "rfilename")]
    pub path: String,
}

impl RepoInfo {
    /// Who may see it. What is not said to be private is treated as seen by all.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        if self.private == Some(true) { Visibility::Private } else { Visibility::Public }
    }
}

/// A repository to make.
#[derive(Debug, Clone)]
pub struct NewRepo {
    /// Its kind and name; a name without an owner is the account's own.
    pub repo: Repo,
    /// Who may see it.
    pub visibility: Visibility,
    /// What a Space is written with: `gradio`, `docker`, `static`, `streamlit`.
    pub sdk: Option<String>,
}

impl Hub {
    /// What the Hub knows of a repository, at a revision or as it is now.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn info(&self, repo: &Repo, revision: Option<&str>) -> Result<RepoInfo, HubError> {
        let ask = Ask::get(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id);
        self.json(&match revision {
            Some(revision) => ask.then("revision").then(revision),
            None => ask,
        })
        .await
    }

    /// Who may see a repository; `None` if there is none (or none that we may see).
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn visibility(&self, repo: &Repo) -> Result<Option<Visibility>, HubError> {
        match self.info(repo, None).await {
            Ok(info) => Ok(Some(info.visibility())),
            Err(HubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the account may read the files of a repository: the error says why not (`Gated` above all).
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn may_read(&self, repo: &Repo) -> Result<(), HubError> {
        let ask = Ask::get(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id);
        self.done(&ask.then("auth-check")).await
    }

    /// Makes a repository, unless there is one of this name: that one stays as its owner has it.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn create(&self, new: &NewRepo) -> Result<Created, HubError> {
        let mut body = named(&new.repo);
        body.insert("visibility".to_owned(), json!(new.visibility.as_str()));
        if let Some(sdk) = &new.sdk {
            body.insert("sdk".to_owned(), json!(sdk));
        }
        let ask = Ask::post(&["api", "repos", "create"]).json(&Value::Object(body));
        Created::of(self.done(&ask).await)
    }

    /// Deletes a repository with everything in it, for ever.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn delete(&self, repo: &Repo) -> Result<(), HubError> {
        let body = Value::Object(named(repo));
        self.done(&Ask::delete(&["api", "repos", "delete"]).json(&body)).await
    }

    /// Gives a repository another name or owner.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn rename(&self, from: &Repo, to: &Repo) -> Result<(), HubError> {
        let body = json!({ "fromRepo": from.id, "toRepo": to.id, "type": from.kind.as_str() });
        self.done(&Ask::post(&["api", "repos", "move"]).json(&body)).await
    }

    /// Sets who may see a repository.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set_visibility(&self, repo: &Repo, visibility: Visibility) -> Result<(), HubError> {
        self.set(repo, Some(visibility), None).await
    }

    /// Sets who may see a repository and how access is given; what is `None` stays as it is.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set(
        &self,
        repo: &Repo,
        visibility: Option<Visibility>,
        gate: Option<Gate>,
    ) -> Result<(), HubError> {
        let mut body = Map::new();
        if let Some(gate) = gate {
            body.insert("gated".to_owned(), gate.value());
        }
        if let Some(visibility) = visibility {
            body.insert("visibility".to_owned(), json!(visibility.as_str()));
        }
        let ask = Ask::put(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id).then("settings");
        self.done(&ask.json(&Value::Object(body))).await
    }
}

/// A repository in the words of `repos/create` and `repos/delete`; of a model the type goes without saying.
fn named(repo: &Repo) -> Map<String, Value> {
    let (owner, name) = match repo.id.split_once('/') {
        Some((owner, name)) => (Some(owner), name),
        None => (None, repo.id.as_str()),
    };
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(name));
    body.insert("organization".to_owned(), json!(owner));
    if repo.kind != RepoKind::Model {
        body.insert("type".to_owned(), json!(repo.kind.as_str()));
    }
    body
}
