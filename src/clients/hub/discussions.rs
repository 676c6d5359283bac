//! Discussions and pull requests of a repository.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::Ask;
use super::{Hub, HubError, Repo};

/// Pages of a listing that are asked for.
const PAGES: usize = 20;

/// A discussion or pull request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discussion {
    /// Its number in the repository.
    pub num: u64,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// `draft`, `open`, `closed` or `merged`.
    #[serde(default)]
    pub status: String,
    /// Who began it, if they are still there.
    #[serde(default)]
    pub author: Option<Person>,
    /// Whether it is a pull request.
    #[serde(default)]
    pub is_pull_request: bool,
    /// When it began, as the Hub writes times.
    #[serde(default)]
    pub created_at: String,
    /// What happened in it; only in the details of one.
    #[serde(default)]
    pub events: Vec<Happening>,
    /// Files that cannot be merged as they are: `true` if the Hub does not say which.
    #[serde(default)]
    pub files_with_conflicts: Value,
    /// What a pull request changes.
    #[serde(default)]
    pub changes: Option<Changes>,
}

/// Somebody on the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// Their account.
    #[serde(default)]
    pub name: String,
}

/// What a pull request changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Where it is to go: `refs/heads/main`.
    #[serde(default)]
    pub base: Option<String>,
    /// The commit that it became.
    #[serde(default)]
    pub merge_commit_id: Option<String>,
}

/// Something that happened in a discussion.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// `comment`, `status-change`, `commit`, `title-change`, or something newer.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// When, as the Hub writes times.
    #[serde(default)]
    pub created_at: String,
    /// By whom.
    #[serde(default)]
    pub author: Option<Person>,
    /// What belongs to its kind.
    #[serde(default)]
    pub data: Value,
}

impl Happening {
    /// What a comment says; `None` if it is none, or hidden.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        if self.kind != "comment" || self.data["hidden"].as_bool() == Some(true) {
            return None;
        }
        self.data["latest"]["raw"].as_str()
    }
}

/// Which discussions are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// Only `open` or only `closed` ones.
    pub status: Option<&'a str>,
    /// Only `pull_request`s or only `discussion`s.
    pub kind: Option<&'a str>,
    /// Only those of this account.
    pub author: Option<&'a str>,
}

/// What is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A pull request, still a draft without changes.
    PullRequest,
    /// A discussion.
    Discussion,
}

/// Open or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Open.
    Open,
    /// Closed.
    Closed,
}

#[derive(Deserialize)]
struct Page {
    discussions: Vec<Discussion>,
    #[serde(default)]
    count: u64,
}

#[derive(Deserialize)]
struct Begun {
    num: u64,
}

impl Hub {
    /// Where people see a discussion or pull request.
    #[must_use]
    pub fn discussion_page(&self, repo: &Repo, num: u64) -> String {
        format!("{}/discussions/{num}", repo.page(&self.endpoint))
    }

    /// Discussions and pull requests, newest first, `at_most` of them; and how many there are.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn discussions(
        &self,
        repo: &Repo,
        wanted: Wanted<'_>,
        at_most: usize,
    ) -> Result<(Vec<Discussion>, u64), HubError> {
        let mut found = Vec::new();
        for page in 0..PAGES {
            let mut ask =
                Ask::get(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id).then("discussions");
            let filters = [("type", wanted.kind), ("status", wanted.status), ("author", wanted.author)];
            for (name, value) in filters {
                if let Some(value) = value {
                    ask = ask.query(name, value);
                }
            }
            let mut answer: Page = self.json(&ask.query("p", &page.to_string())).await?;
            let empty = answer.discussions.is_empty();
            found.append(&mut answer.discussions);
            let all = answer.count.max(found.len() as u64);
            if empty || found.len() as u64 >= all || found.len() >= at_most {
                found.truncate(at_most);
                return Ok((found, all));
            }
        }
        let all = found.len() as u64;
        found.truncate(at_most);
        Ok((found, all))
    }

    /// One discussion or pull request with what happened in it.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn discussion(&self, repo: &Repo, num: u64) -> Result<Discussion, HubError> {
        let ask = Ask::get(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id);
        self.json(&ask.then("discussions").then(&num.to_string()).query("diff", "1")).await
    }

    /// Begins a discussion or pull request; gives its number.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn begin(
        &self,
        repo: &Repo,
        topic: Topic,
        title: &str,
        description: &str,
    ) -> Result<u64, HubError> {
        let body = json!({
            "title": title,
            "description": description,
            "pullRequest": topic == Topic::PullRequest,
        });
        let ask = Ask::post(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id).then("discussions");
        let begun: Begun = self.json(&ask.json(&body)).await?;
        Ok(begun.num)
    }

    /// Adds a comment.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn comment(&self, repo: &Repo, num: u64, comment: &str) -> Result<(), HubError> {
        self.done(&self.deed(repo, num, "comment").json(&json!({ "comment": comment }))).await
    }

    /// Opens or closes, with a comment if there is one.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn set_status(
        &self,
        repo: &Repo,
        num: u64,
        status: Status,
        comment: Option<&str>,
    ) -> Result<(), HubError> {
        let status = if status == Status::Open { "open" } else { "closed" };
        let mut body = json!({ "status": status });
        if let Some(comment) = comment {
            body["comment"] = json!(comment);
        }
        self.done(&self.deed(repo, num, "status").json(&body)).await
    }

    /// Merges a pull request, with a comment if there is one.
    ///
    /// # Errors
    /// As [`HubError`] says.
    pub async fn merge(&self, repo: &Repo, num: u64, comment: Option<&str>) -> Result<(), HubError> {
        let body = comment.map_or_else(|| json!({}), |comment| json!({ "comment": comment }));
        self.done(&self.deed(repo, num, "merge").json(&body)).await
    }

    fn deed(&self, repo: &Repo, num: u64, deed: &str) -> Ask {
        let ask = Ask::post(&["api", repo.kind.plural()]).repo(repo.kind, &repo.id);
        ask.then("discussions").then(&num.to_string()).then(deed)
    }
}
