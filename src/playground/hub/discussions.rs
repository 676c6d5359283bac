//! Discussions, pull requests among them: what was said and done in each, in order.
//!
//! Owns [`Discussion`]. Merging is `pulls`. Start at [`doors`].
//!
//! ```text
//! discussion:   open <-> closed
//! pull request: draft -> open <-> closed,  draft | open -> merged (for good)
//! ```

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use serde_json::{Value, json};

use super::access::{At, changes, readable, taking_part};
use super::account::account_id;
use super::auth::Caller;
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::pulls;
use super::repo::Repo;
use super::shared::Hub;
use super::state::State;
use super::wire::{Query, iso, json_body, text_field};
use crate::clock::Timestamp;

/// Where a discussion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Draft,
    Open,
    Closed,
    Merged,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// What a pull request wants merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// The branch that it is for.
    pub base: String,
    /// The commit of that branch on which it began.
    pub from: String,
    pub merged_as: Option<String>,
}

/// One thing said or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    Comment { text: String, earlier: Vec<String> },
    Status(Status),
    Title { from: String, to: String },
    Commit { oid: String, subject: String },
}

impl Deed {
    pub fn comment(text: &str) -> Self {
        Self::Comment { text: text.to_owned(), earlier: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    pub author: String,
    pub at: Timestamp,
    pub deed: Deed,
}

/// A discussion; a pull request if `pull` is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discussion {
    pub id: String,
    pub num: u64,
    pub title: String,
    pub author: String,
    pub status: Status,
    pub made: Timestamp,
    pub events: Vec<Event>,
    pub pull: Option<Pull>,
}

impl Discussion {
    pub fn open(id: String, num: u64, title: &str, author: &str, made: Timestamp) -> Self {
        let (title, author) = (title.to_owned(), author.to_owned());
        Self { id, num, title, author, status: Status::Open, made, events: Vec::new(), pull: None }
    }

    /// Writes down what was said or done, as it will be shown.
    pub fn add(&mut self, id: String, author: &str, at: Timestamp, deed: Deed) -> Value {
        let event = Event { id, author: author.to_owned(), at, deed };
        let shown = shown(&event);
        self.events.push(event);
        shown
    }
}

impl Repo {
    /// The number of the next discussion.
    pub fn next_number(&self) -> u64 {
        self.discussions.iter().map(|it| it.num).max().unwrap_or(0) + 1
    }
}

pub fn doors() -> Doors {
    let told = |summary| Told::new("discussions", summary);
    Doors::default()
        .of_repos(
            Verb::Get,
            "/discussions",
            told("List discussions and pull requests").query(&[
                ("type", "all, discussion or pull_request"),
                ("status", "all, open or closed"),
                ("author", "who opened it"),
                ("p", "page, from 0"),
            ]),
            list,
        )
        .of_repos(
            Verb::Post,
            "/discussions",
            told("Open a discussion or a pull request").body(&[
                ("title", "title"),
                ("description", "first comment"),
                ("pullRequest", "true for a pull request, which begins as a draft"),
            ]),
            open,
        )
        .of_repos(
            Verb::Get,
            "/discussions/{num}",
            told("Get a discussion with its events")
                .query(&[("diff", "1 to have the diff of a pull request")]),
            details,
        )
        .of_repos(
            Verb::Post,
            "/discussions/{num}/comment",
            told("Comment").body(&[("comment", "text")]),
            comment,
        )
        .of_repos(
            Verb::Post,
            "/discussions/{num}/comment/{comment}/edit",
            told("Edit a comment of one's own").body(&[("content", "text")]),
            edit,
        )
        .of_repos(
            Verb::Post,
            "/discussions/{num}/status",
            told("Open or close").body(&[("status", "open or closed"), ("comment", "why")]),
            status,
        )
        .of_repos(Verb::Post, "/discussions/{num}/title", told("Rename").body(&[("title", "title")]), title)
}

fn person(name: &str) -> Value {
    json!({"_id": account_id(name), "name": name, "type": "user", "isHf": false, "isMod": false})
}

/// An event as the Hub shows it.
pub fn shown(event: &Event) -> Value {
    let (kind, data) = match &event.deed {
        Deed::Comment { text, earlier } => {
            let latest = json!({"raw": text, "html": format!("<p>{}</p>", escaped(text)),
                "updatedAt": iso(event.at), "author": person(&event.author)});
            let history: Vec<Value> = earlier.iter().map(|it| json!({"raw": it})).collect();
            (
                "comment",
                json!({"edited": !earlier.is_empty(), "hidden": false, "latest": latest, "history": history}),
            )
        }
        Deed::Status(status) => ("status-change", json!({"status": status.word()})),
        Deed::Title { from, to } => ("title-change", json!({"from": from, "to": to})),
        Deed::Commit { oid, subject } => ("commit", json!({"oid": oid, "subject": subject})),
    };
    json!({"id": event.id, "type": kind, "createdAt": iso(event.at), "author": person(&event.author), "data": data})
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn summary(repo: &Repo, discussion: &Discussion) -> Value {
    let comments = discussion.events.iter().filter(|it| matches!(it.deed, Deed::Comment { .. })).count();
    json!({"_id": discussion.id, "num": discussion.num, "title": discussion.title,
        "status": discussion.status.word(), "author": person(&discussion.author),
        "createdAt": iso(discussion.made), "isPullRequest": discussion.pull.is_some(), "numComments": comments,
        "repo": {"name": repo.id, "type": repo.kind.word()}})
}

async fn list(Held(hub): Held<Hub>, caller: Caller, at: At, query: Query) -> Result<Json<Value>, HubError> {
    let number = query.number("p", 0)?.unwrap_or(0);
    let kind = query.get("type").unwrap_or("all");
    let status = query.get("status").unwrap_or("all");
    if !["all", "discussion", "pull_request"].contains(&kind) || !["all", "open", "closed"].contains(&status)
    {
        return Err(HubError::bad(
            "\"type\" is all, discussion or pull_request; \"status\" is all, open or closed",
        ));
    }
    hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let mut found: Vec<&Discussion> = repo.discussions.iter().collect();
        found.retain(|it| kind == "all" || (kind == "pull_request") == it.pull.is_some());
        let is_open = |it: &Discussion| matches!(it.status, Status::Open | Status::Draft);
        found.retain(|it| status == "all" || (status == "open") == is_open(it));
        found.retain(|it| query.get("author").is_none_or(|author| it.author == author));
        found.reverse();
        let (most, count) = (hub.limits.discussions_page, found.len());
        let start = number * most;
        let shown: Vec<Value> =
            found.into_iter().skip(start).take(most).map(|it| summary(repo, it)).collect();
        let closed = repo.discussions.iter().filter(|it| !is_open(it)).count();
        Ok(Json(
            json!({"discussions": shown, "count": count, "start": start, "numClosedDiscussions": closed}),
        ))
    })
}

async fn open(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let title = text_field(&body, "title")?;
    if title.trim().chars().count() < 3 {
        return Err(HubError::bad("\"title\" length must be at least 3 characters long"));
    }
    let description = body["description"].as_str().unwrap_or_default();
    let now = hub.clock.now();
    hub.with(|state| {
        let (id, first) = (state.fresh_id(), state.fresh_id());
        let repo = taking_part(state, &caller, &at)?;
        let author = caller.known()?;
        let num = repo.next_number();
        let mut opened = Discussion::open(id, num, title, author, now);
        opened.add(first, author, now, Deed::comment(description));
        if body["pullRequest"] == true {
            let from = repo.resolve("main").ok_or_else(|| HubError::revision("main"))?;
            repo.pulls.insert(num, from.clone());
            opened.pull = Some(Pull { base: "main".to_owned(), from, merged_as: None });
            opened.status = Status::Draft;
        }
        let is_pull = opened.pull.is_some();
        repo.discussions.push(opened);
        let url = format!("{}/{}{}/discussions/{num}", hub.addresses.hub, at.kind.prefix(), at.id);
        Ok(Json(json!({"num": num, "title": title, "pullRequest": is_pull, "url": url})))
    })
}

async fn details(
    Held(hub): Held<Hub>,
    caller: Caller,
    at: At,
    query: Query,
) -> Result<Json<Value>, HubError> {
    let num = at.number("num")?;
    hub.look(|state| {
        let repo = readable(state, &caller, &at)?;
        let discussion = repo.discussions.iter().find(|it| it.num == num).ok_or_else(no_such)?;
        let mut whole = summary(repo, discussion);
        whole["events"] = discussion.events.iter().map(shown).collect();
        if let Some(pull) = &discussion.pull {
            let base = format!("refs/heads/{}", pull.base);
            whole["changes"] = json!({"base": base, "mergeCommitId": pull.merged_as});
            let conflicts = pulls::conflicts(repo, discussion);
            whole["filesWithConflicts"] = if conflicts.is_empty() { json!(false) } else { json!(conflicts) };
            if query.on("diff") {
                whole["diff"] = pulls::diff(state, repo, discussion).into();
            }
        }
        Ok(Json(whole))
    })
}

pub fn no_such() -> HubError {
    HubError::missing("This discussion does not exist")
}

/// Finds a discussion that the caller may speak in.
pub fn spoken_in<'a>(state: &'a mut State, caller: &Caller, at: &At) -> Result<&'a mut Discussion, HubError> {
    let num = at.number("num")?;
    taking_part(state, caller, at)?.discussions.iter_mut().find(|it| it.num == num).ok_or_else(no_such)
}

/// Lets through who opened the discussion, and who may change the repo.
fn decides(state: &State, caller: &Caller, at: &At) -> Result<(), HubError> {
    let num = at.number("num")?;
    let repo = readable(state, caller, at)?;
    let name = caller.writer()?;
    if repo.discussions.iter().any(|it| it.num == num && it.author == name) {
        return Ok(());
    }
    changes(state, caller, repo)
}

async fn comment(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let text = text_field(&body, "comment")?;
    let now = hub.clock.now();
    hub.with(|state| {
        let id = state.fresh_id();
        let event = spoken_in(state, &caller, &at)?.add(id, caller.known()?, now, Deed::comment(text));
        Ok(Json(json!({"newMessage": event})))
    })
}

async fn edit(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let new = text_field(&body, "content")?;
    hub.with(|state| {
        let name = caller.writer()?.to_owned();
        let discussion = spoken_in(state, &caller, &at)?;
        let event = discussion.events.iter_mut().find(|it| it.id == at.part("comment"));
        let event = event.ok_or_else(|| HubError::missing("This comment does not exist"))?;
        if event.author != name {
            return Err(HubError::forbidden("Only its author may edit a comment"));
        }
        let Deed::Comment { text, earlier } = &mut event.deed else {
            return Err(HubError::bad("This event is not a comment"));
        };
        earlier.push(std::mem::replace(text, new.to_owned()));
        Ok(Json(json!({"updatedComment": shown(event)})))
    })
}

async fn status(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let new = match text_field(&body, "status")? {
        "open" => Status::Open,
        "closed" => Status::Closed,
        _ => return Err(HubError::bad("\"status\" must be one of [open, closed]")),
    };
    let now = hub.clock.now();
    hub.with(|state| {
        decides(state, &caller, &at)?;
        let (said, done) = (state.fresh_id(), state.fresh_id());
        let discussion = spoken_in(state, &caller, &at)?;
        if discussion.status == Status::Merged {
            return Err(HubError::bad("A merged pull request stays merged"));
        }
        let author = caller.known()?;
        if let Some(text) = body["comment"].as_str() {
            discussion.add(said, author, now, Deed::comment(text));
        }
        discussion.status = new;
        let event = discussion.add(done, author, now, Deed::Status(new));
        Ok(Json(json!({"newStatus": event})))
    })
}

async fn title(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = json_body(&body)?;
    let to = text_field(&body, "title")?.to_owned();
    let now = hub.clock.now();
    hub.with(|state| {
        decides(state, &caller, &at)?;
        let id = state.fresh_id();
        let discussion = spoken_in(state, &caller, &at)?;
        let from = std::mem::replace(&mut discussion.title, to.clone());
        let event = discussion.add(id, caller.known()?, now, Deed::Title { from, to });
        Ok(Json(json!({"newTitle": event})))
    })
}
