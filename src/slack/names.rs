//! Names and time zones of people, by user id: asked once, kept for an hour, bounded.

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
    known: Mutex<HashMap<String, (Option<Known>, Timestamp)>>,
}

/// What is known of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    name: String,
    zone: Option<String>,
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

    /// The time zone of one person, by its IANA name, if it is known already: nobody waits for it.
    #[must_use]
    pub fn zone_of(&self, id: &str) -> Option<String> {
        self.kept(id)??.zone
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
        ids.iter().filter_map(|id| Some((id.clone(), self.kept(id)??.name))).collect()
    }

    /// What is known: nothing, that there is no name, or the person.
    fn kept(&self, id: &str) -> Option<Option<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (person, at) = known.get(id)?;
        let fresh = if person.is_some() { FRESH } else { FRESH_MISS };
        (self.clock.now().since(*at) < fresh).then(|| person.clone())
    }

    async fn look_up(&self, id: String) {
        let outgoing = Outgoing {
            method: Method::UsersInfo,
            priority: Priority::Normal,
            channel: None,
            arguments: json!({ "user": id }),
            retry: Retry::Within(Duration::from_secs(2)),
        };
        let person = match self.scheduler.call(outgoing).await {
            Ok(answer) => {
                let user = &answer["user"];
                let candidates = [
                    &user["profile"]["display_name"],
                    &user["profile"]["real_name"],
                    &user["real_name"],
                    &user["name"],
                ];
                let zone = user["tz"].as_str().filter(|zone| zone.len() <= 64).map(str::to_owned);
                candidates
                    .iter()
                    .find_map(|name| name.as_str().map(str::trim).filter(|name| !name.is_empty()))
                    .map(|name| Known { name: name.chars().take(80).collect(), zone })
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
        known.insert(id, (person, self.clock.now()));
    }
}
