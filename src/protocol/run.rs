//! The registry of runs: what was trained or measured, on what, by whom, at what cost, and how good it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{SessionKey, TicketId};
use super::ticket::Purpose;
use crate::clock::Timestamp;

/// One job as the registry keeps it, for ever: it outlives its session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The ticket that watched it.
    pub id: TicketId,
    /// The session that it belonged to.
    pub session: SessionKey,
    /// The channel of that session, if it has one.
    #[serde(default)]
    pub channel: Option<String>,
    /// A link to the thread, if it has an address.
    #[serde(default)]
    pub thread: Option<String>,
    /// One line for people: what it does.
    pub title: String,
    /// What it is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// Where people see the job.
    pub url: String,
    /// The hardware.
    pub flavour: String,
    /// The account that paid.
    pub namespace: String,
    /// SHA-256 of the script, in hex.
    #[serde(default)]
    pub script: Option<String>,
    /// The model that it started from.
    #[serde(default)]
    pub base_model: Option<String>,
    /// The dataset.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The commit of the dataset.
    #[serde(default)]
    pub dataset_revision: Option<String>,
    /// The repository of the result; for an evaluation, the model that was measured.
    #[serde(default)]
    pub output: Option<String>,
    /// The commit of the result, if it is known.
    #[serde(default)]
    pub output_commit: Option<String>,
    /// The last value of each metric; of a measured pair, `base_…` and the plain name.
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
    /// What it cost, in micro-dollars; `None` while it runs, or if nobody knows.
    #[serde(default)]
    pub cost: Option<u64>,
    /// Who asked for it.
    pub requester: String,
    /// Who said yes to it.
    #[serde(default)]
    pub approved_by: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// How it stands: `running`, `completed`, `failed`, `stopped`, `timed out`, `vanished`.
    pub outcome: String,
}

/// Which runs are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFind {
    /// Each of these words is in its title, dataset, models, hardware, outcome or people. Case does not matter.
    pub words: String,
    /// Only of this session.
    pub session: Option<SessionKey>,
    /// Only of this channel: what others do elsewhere is not told.
    pub channel: Option<String>,
    /// How many to give, the newest first.
    pub limit: u32,
}
