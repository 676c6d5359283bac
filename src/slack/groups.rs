//! Who belongs to the user groups that rules name: asked of Slack, believed for five minutes.
//!
//! Only configured groups are ever looked up, each by one request at a time. A group that cannot be
//! read has no members as far as answers go, and everybody as far as rules go ([`Actor::unsure`]).
//! Start at [`Groups::join`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::slack::{Method, Outgoing, Priority, Retry, Scheduler};
use crate::clock::{Clock, Timestamp};
use crate::protocol::Actor;

/// How long a list of members is believed.
const FRESH: Duration = Duration::from_secs(300);
/// How long "it could not be read" is believed.
const FRESH_MISS: Duration = Duration::from_secs(15);
/// How long the names of groups are believed.
const FRESH_NAMES: Duration = Duration::from_secs(3_600);

/// Who belongs to a group; `None` if that could not be read.
type Members = Option<BTreeSet<String>>;

/// The groups.
pub struct Groups {
    scheduler: Scheduler,
    clock: Clock,
    wanted: Vec<String>,
    members: Mutex<HashMap<String, (Members, Timestamp)>>,
    names: Mutex<Option<(BTreeMap<String, String>, Timestamp)>>,
    /// One request at a time; who waits finds what the one before has learnt.
    asking: tokio::sync::Mutex<()>,
}

impl Groups {
    /// These groups, of which nothing is known yet.
    #[must_use]
    pub fn new(scheduler: Scheduler, clock: Clock, wanted: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            scheduler,
            clock,
            wanted,
            members: Mutex::default(),
            names: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Whether configuration names any group.
    #[must_use]
    pub fn are_named(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The person with the groups they belong to. What cannot be had within `patience` is unsure, and
    /// looked up in the background for the next time.
    pub async fn join(self: &Arc<Self>, mut person: Actor, patience: Duration) -> Actor {
        if self.wanted.iter().any(|group| self.kept(group).is_none()) {
            let groups = Arc::clone(self);
            let look_up = tokio::spawn(async move { groups.look_up().await });
            tokio::time::timeout(patience, look_up).await.ok();
        }
        for group in &self.wanted {
            match self.kept(group) {
                Some(Some(members)) if members.contains(person.id.as_str()) => {
                    person.groups.push(group.clone())
                }
                Some(Some(_)) => {}
                Some(None) | None => person.unsure.push(group.clone()),
            }
        }
        person
    }

    /// The names of these groups as people mention them (`@leads`), without pinging anybody; those that
    /// cannot be had within `patience` are left out.
    pub async fn names(self: &Arc<Self>, ids: &[String], patience: Duration) -> BTreeMap<String, String> {
        if ids.is_empty() {
            return BTreeMap::new();
        }
        if self.kept_names().is_none() {
            let groups = Arc::clone(self);
            let look_up = tokio::spawn(async move { groups.look_up_names().await });
            tokio::time::timeout(patience, look_up).await.ok();
        }
        let known = self.kept_names().unwrap_or_default();
        ids.iter().filter_map(|id| Some((id.clone(), known.get(id)?.clone()))).collect()
    }

    /// What is known: nothing, that it cannot be read, or the members.
    fn kept(&self, group: &str) -> Option<Members> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let (list, at) = members.get(group)?;
        let fresh = if list.is_some() { FRESH } else { FRESH_MISS };
        (self.clock.now().since(*at) < fresh).then(|| list.clone())
    }

    fn kept_names(&self) -> Option<BTreeMap<String, String>> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, at) = names.as_ref()?;
        (self.clock.now().since(*at) < FRESH_NAMES).then(|| known.clone())
    }

    async fn look_up(&self) {
        let _one = self.asking.lock().await;
        for group in &self.wanted {
            if self.kept(group).is_some() {
                continue;
            }
            let asked = self.call(Method::GroupMembers, json!({ "usergroup": group })).await;
            let list = asked.as_ref().and_then(|answer| answer["users"].as_array()).map(|users| {
                users.iter().filter_map(|user| user.as_str().map(str::to_owned)).collect::<BTreeSet<_>>()
            });
            if list.is_none() {
                tracing::warn!(group, "the members of a user group could not be read; nobody counts as one");
            }
            let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
            members.insert(group.clone(), (list, self.clock.now()));
        }
    }

    async fn look_up_names(&self) {
        let _one = self.asking.lock().await;
        if self.kept_names().is_some() {
            return;
        }
        let Some(answer) = self.call(Method::GroupList, json!({})).await else { return };
        let named = answer["usergroups"].as_array().into_iter().flatten().filter_map(|group| {
            let handle = group["handle"].as_str().filter(|handle| !handle.is_empty())?;
            Some((group["id"].as_str()?.to_owned(), format!("@{handle}")))
        });
        let known = named.collect();
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = Some((known, self.clock.now()));
    }

    async fn call(&self, method: Method, arguments: Value) -> Option<Value> {
        let outgoing = Outgoing {
            method,
            priority: Priority::Final,
            channel: None,
            arguments,
            retry: Retry::Within(Duration::from_secs(5)),
        };
        let answer = self.scheduler.call(outgoing).await;
        answer
            .inspect_err(|error| tracing::warn!(%error, method = method.name(), "user groups are unknown"))
            .ok()
    }
}
