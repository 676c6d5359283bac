//! Pull requests: what they change, whether that can be merged, and merging it.
//!
//! Never opens one; `discussions` and `commit` do. Start at [`doors`].

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Held;
use serde_json::{Value, json};

use super::access::{At, writable};
use super::auth::Caller;
use super::discussions::{Deed, Discussion, Status, no_such, spoken_in};
use super::doors::{Doors, Told, Verb};
use super::errors::HubError;
use super::git::{Entry, Files, pointer};
use super::repo::{Draft, Repo};
use super::shared::Hub;
use super::state::{Change, State};
use super::wire::json_body;

pub fn doors() -> Doors {
    Doors::default().of_repos(
        Verb::Post,
        "/discussions/{num}/merge",
        Told::new("discussions", "Merge a pull request").body(&[("comment", "why")]),
        merge,
    )
}

/// The files of a pull request, of its base as it was, and of its base now.
struct Sides {
    before: Files,
    theirs: Files,
    ours: Files,
}

fn sides(repo: &Repo, discussion: &Discussion) -> Option<Sides> {
    let pull = discussion.pull.as_ref()?;
    Some(Sides {
        before: repo.files(&pull.from)?,
        theirs: repo.files(repo.pulls.get(&discussion.num)?)?,
        ours: repo.files(pull.merged_as.as_ref().or_else(|| repo.branches.get(&pull.base))?)?,
    })
}

fn differing<'a>(a: &'a Files, b: &'a Files) -> BTreeSet<&'a String> {
    a.keys().chain(b.keys()).filter(|it| a.get(*it) != b.get(*it)).collect()
}

/// Paths that both sides changed, each otherwise.
pub fn conflicts(repo: &Repo, discussion: &Discussion) -> Vec<String> {
    if discussion.status == Status::Merged {
        return Vec::new();
    }
    let Some(sides) = sides(repo, discussion) else { return Vec::new() };
    let ours = differing(&sides.before, &sides.ours);
    let both = differing(&sides.before, &sides.theirs).into_iter().filter(|it| ours.contains(it));
    both.filter(|it| sides.ours.get(*it) != sides.theirs.get(*it)).cloned().collect()
}

/// The change as a unified diff; of large files, of their pointers.
pub fn diff(state: &State, repo: &Repo, discussion: &Discussion) -> String {
    let Some(sides) = sides(repo, discussion) else { return String::new() };
    let text = |entry: Option<&Entry>| match entry {
        None => String::new(),
        Some(Entry { large: Some(sha256), size, .. }) => pointer(sha256, *size),
        Some(entry) => String::from_utf8_lossy(&state.content(repo, entry).unwrap_or_default()).into_owned(),
    };
    let mut whole = String::new();
    for path in differing(&sides.before, &sides.theirs) {
        let (old, new) = (sides.before.get(path), sides.theirs.get(path));
        let from = if old.is_some() { format!("a/{path}") } else { "/dev/null".to_owned() };
        let to = if new.is_some() { format!("b/{path}") } else { "/dev/null".to_owned() };
        let (before, after) = (text(old), text(new));
        let lines = similar::TextDiff::from_lines(before.as_str(), after.as_str());
        whole.push_str(&format!("diff --git a/{path} b/{path}\n"));
        whole.push_str(&lines.unified_diff().context_radius(3).header(&from, &to).to_string());
    }
    whole
}

async fn merge(Held(hub): Held<Hub>, caller: Caller, at: At, body: Bytes) -> Result<Json<Value>, HubError> {
    let body = if body.is_empty() { Value::Null } else { json_body(&body)? };
    let num = at.number("num")?;
    let now = hub.clock.now();
    hub.with(|state| {
        let (said, done) = (state.fresh_id(), state.fresh_id());
        let author = caller.writer()?.to_owned();
        let repo = writable(state, &caller, &at)?;
        let discussion = repo.discussions.iter().find(|it| it.num == num).ok_or_else(no_such)?.clone();
        let pull =
            discussion.pull.clone().ok_or_else(|| HubError::bad("This discussion is not a pull request"))?;
        if !matches!(discussion.status, Status::Open | Status::Draft) {
            return Err(HubError::bad(format!("This pull request is {}", discussion.status.word())));
        }
        let conflicts = conflicts(repo, &discussion);
        if !conflicts.is_empty() {
            return Err(HubError::conflict(format!("There are conflicts in: {}", conflicts.join(", "))));
        }
        let head = repo.pulls.get(&num).cloned().ok_or_else(no_such)?;
        let base = repo.branches.get(&pull.base).cloned().ok_or_else(|| HubError::revision(&pull.base))?;
        let files = merged(repo, &discussion).ok_or_else(no_such)?;
        let title = format!("{} (#{num})", discussion.title);
        let draft = Draft { files, title: &title, message: "", author: &author, at: now };
        let oid = repo.keep(vec![base, head], draft);
        repo.point(&pull.base, &oid);
        let discussion = spoken_in(state, &caller, &at)?;
        if let Some(text) = body["comment"].as_str() {
            discussion.add(said, &author, now, Deed::comment(text));
        }
        discussion.status = Status::Merged;
        if let Some(pull) = &mut discussion.pull {
            pull.merged_as = Some(oid.clone());
        }
        let event = discussion.add(done, &author, now, Deed::Status(Status::Merged));
        state.changes.push(Change::Committed { kind: at.kind, id: at.id.clone(), reference: pull.base });
        Ok(Json(json!({"newStatus": event, "mergeCommitId": oid})))
    })
}

/// The base's files with the pull request's changes.
fn merged(repo: &Repo, discussion: &Discussion) -> Option<BTreeMap<String, Entry>> {
    let sides = sides(repo, discussion)?;
    let mut files = (*sides.ours).clone();
    for path in differing(&sides.before, &sides.theirs) {
        match sides.theirs.get(path) {
            Some(entry) => files.insert(path.clone(), entry.clone()),
            None => files.remove(path),
        };
    }
    Some(files)
}
