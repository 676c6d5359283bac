//! What hardware costs now: the Hub's catalogue, asked for now and then and kept between runs.
//!
//! The last answer is in memory, so that a call can be priced without waiting; it is also in a file, so that a
//! price that people have read is still the price after a restart. Without any answer the kept table holds.
//! Start at [`LivePrices::now`].

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clients::hub::{Hub, Patience};
use crate::clock::{Clock, Timestamp};
use crate::tools::hardware::Prices;

/// How long an answer is good.
const GOOD: Duration = Duration::from_secs(6 * 3_600);
/// How long the Hub is waited for.
const WAIT: Duration = Duration::from_secs(4);
/// After a failure nobody asks again for this long.
const REST: Duration = Duration::from_secs(60);

/// What hardware costs now. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct LivePrices {
    hub: Hub,
    file: PathBuf,
    clock: Clock,
    known: Arc<Mutex<Known>>,
}

struct Known {
    prices: Arc<Prices>,
    /// When the Hub said so; `None` if it never did.
    at: Option<Timestamp>,
    /// When it was last asked.
    asked: Option<Timestamp>,
}

/// The catalogue as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    at: Timestamp,
    catalogue: Value,
}

/// Prices, and how sure they are.
#[derive(Clone)]
pub struct Quote {
    /// The prices.
    pub prices: Arc<Prices>,
    /// Whether the Hub's own catalogue is in them.
    pub live: bool,
}

impl LivePrices {
    /// Begins with what was kept in this folder.
    #[must_use]
    pub fn new(hub: &Hub, folder: &std::path::Path, clock: Clock) -> Self {
        let file = folder.join("hardware.json");
        let kept = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let at = kept.as_ref().map(|kept| kept.at);
        let prices = match kept {
            Some(kept) => Prices::kept().with_catalogue(&kept.catalogue),
            None => Prices::kept(),
        };
        let known = Arc::new(Mutex::new(Known { prices: Arc::new(prices), at, asked: None }));
        let hub = hub.with_token(None).with_patience(Patience::none());
        Self { hub, file, clock, known }
    }

    /// What is known, without waiting.
    #[must_use]
    pub fn now(&self) -> Quote {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Quote { prices: Arc::clone(&known.prices), live: known.at.is_some() }
    }

    /// What is known once the Hub was asked, if it was long ago. Waits some seconds at most.
    pub async fn fresh(&self) -> Quote {
        let now = self.clock.now();
        let ask = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let old = known.at.is_none_or(|at| now.since(at) >= GOOD);
            let rested = known.asked.is_none_or(|at| now.since(at) >= REST);
            if old && rested {
                known.asked = Some(now);
            }
            old && rested
        };
        if ask && let Ok(Ok(catalogue)) = tokio::time::timeout(WAIT, self.hub.job_hardware()).await {
            self.learn(catalogue, now).await;
        }
        self.now()
    }

    async fn learn(&self, catalogue: Value, now: Timestamp) {
        let prices = Prices::kept().with_catalogue(&catalogue);
        if prices == Prices::kept() && catalogue.as_array().is_none_or(Vec::is_empty) {
            return;
        }
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            (known.prices, known.at) = (Arc::new(prices), Some(now));
        }
        let Ok(bytes) = serde_json::to_vec(&Kept { at: now, catalogue }) else { return };
        let (file, draft) = (self.file.clone(), self.file.with_extension("tmp"));
        // Without the file the next run asks again; that is all.
        let kept = async {
            if let Some(folder) = file.parent() {
                tokio::fs::create_dir_all(folder).await?;
            }
            tokio::fs::write(&draft, bytes).await?;
            tokio::fs::rename(&draft, &file).await
        };
        if let Err(error) = kept.await {
            tracing::debug!(%error, "the prices of hardware could not be kept");
        }
    }

    /// Asks in the background, if there is a runtime to do so.
    pub fn warm(&self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let prices = self.clone();
            runtime.spawn(async move { prices.fresh().await });
        }
    }
}
