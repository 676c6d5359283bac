//! Names of people, by user id: asked once, kept for an hour, bounded.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;

use crate::clients::slack::{Method, Outgoing, Priority, Retry, Scheduler};
use crate::clock::{Clock, Timestamp};

/// How long a name is believed.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long "no name could be had" is believed.
const FRESH_MISS: Duration = Duration::from_secs(30);
/// How many names are kept.
const KEPT: usize = 5_000;

/// The names.
pub struct Names {
    scheduler: Scheduler,
    clock: Clock,
    known: Mutex<HashMap<String, (Option<String>, Timestamp)>>,
}

impl Names {
    /// An empty cache.
    #[must_use]
    pub fn new(scheduler: Scheduler, clock: Clock) -> Arc<Self> {
        Arc::new(Self { scheduler, clock, known: Mutex::default() })
    }

    /// The name of one person, or the id if it cannot be had within `patience`.
    pub async fn of(self: &Arc<Self>, id: &str, patience: Duration) -> String {
        self.of_all(&[id.to_owned()], patience).await.remove(id).unwrap_or_else(|| id.to_owned())
    }

    /// The names of these people; those that cannot be had within `patience` are left out, and
    /// looked up in the background for the next time.
    pub async fn of_all(self: &Arc<Self>, ids: &[String], patience: Duration) -> BTreeMap<String, String> {
        let unknown: Vec<String> =
            ids.iter().filter(|id| self.kept(id).is_none()).take(50).cloned().collect();
        if !unknown.is_empty() {
            let names = Arc::clone(self);
            let lookup = tokio::spawn(async move {
                futures::stream::iter(unknown).for_each_concurrent(8, |id| names.look_up(id)).await;
            });
            tokio::time::timeout(patience, lookup).await.ok();
        }
        ids.iter().filter_map(|id| Some((id.clone(), self.kept(id)??))).collect()
    }

    /// What is known: nothing, that there is no name, or the name.
    fn kept(&self, id: &str) -> Option<Option<String>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, at) = known.get(id)?;
        let fresh = if name.is_some() { FRESH } else { FRESH_MISS };
        (self.clock.now().since(*at) < fresh).then(|| name.clone())
    }

    async fn look_up(&self, id: String) {
        let outgoing = Outgoing {
            method: Method::UsersInfo,
            priority: Priority::Normal,
            channel: None,
            arguments: json!({ "user": id }),
            retry: Retry::Within(Duration::from_secs(2)),
        };
        let name = match self.scheduler.call(outgoing).await {
            Ok(answer) => {
                let user = &answer["user"];
                let candidates = [
                    &user["profile"]["display_name"],
                    &user["profile"]["real_name"],
                    &user["real_name"],
                    &user["name"],
                ];
                candidates
                    .iter()
                    .find_map(|name| name.as_str().map(str::trim).filter(|name| !name.is_empty()))
                    .map(|name| name.chars().take(80).collect())
            }
            Err(_) => None,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            let now = self.clock.now();
            known.retain(|_, (_, at)| now.since(*at) < FRESH / 4);
            if known.len() >= KEPT {
                known.clear();
            }
        }
        known.insert(id, (name, self.clock.now()));
    }
}
