//! What is known of models: windows, prices, who serves them.
//!
//! Owns [`Catalogue`]: it asks the router, or a server of one's own, at most every few minutes, and knows
//! whose word counts. Never calls a model, never guesses a price. Start at [`Catalogue::facts`].
//!
//! | What | First | then | then | else |
//! |---|---|---|---|---|
//! | price | `budgets.prices` | nothing, for servers of one's own | the provider's catalogue, or the kept table for makers with a key of their own | unknown |
//! | window | the provider's catalogue | the kept table | | 200,000 |
//! | tools | the provider's catalogue | | | unknown |

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::config::PriceConfig;
use crate::protocol::Price;

use super::kept;
use super::listing::{Listed, Listing};
use super::provider::{Home, Target};
use super::{DEFAULT_WINDOW, Facts};

/// How long one look into a catalogue may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long what it said is fresh.
const FRESH: Duration = Duration::from_secs(300);
/// How long it is left alone after it failed.
const AFTER_FAILURE: Duration = Duration::from_secs(15);
/// The longest catalogue that is read, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// What is known of models.
#[derive(Debug)]
pub(super) struct Catalogue {
    http: reqwest::Client,
    clock: Clock,
    prices: BTreeMap<String, Price>,
    /// By base URL.
    sources: Mutex<HashMap<String, Arc<Source>>>,
}

/// One provider's catalogue.
#[derive(Debug, Default)]
struct Source {
    /// What it said, and until when that is fresh.
    known: Mutex<Option<(Arc<Listing>, Timestamp)>>,
    /// Held by the one who is asking it.
    asking: tokio::sync::Mutex<()>,
}

impl Source {
    fn known(&self) -> Option<(Arc<Listing>, Timestamp)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Catalogue {
    pub(super) fn new(http: reqwest::Client, clock: Clock) -> Self {
        Self { http, clock, prices: BTreeMap::new(), sources: Mutex::default() }
    }

    /// Adds prices that win over all others, by model id.
    pub(super) fn set_prices(&mut self, prices: &BTreeMap<String, PriceConfig>) {
        self.prices = prices.iter().map(|(id, price)| (plain(id).to_owned(), configured(price))).collect();
    }

    /// What is known of the model that `id` leads to; `target` is where, if it leads anywhere.
    pub(super) async fn facts(&self, id: &str, target: Option<&Target>) -> Facts {
        let listed = match target {
            Some(target) => self.listed(target).await,
            None => Listed::default(),
        };
        settle(self.price_of(id, target), listed, id, target)
    }

    /// The catalogue behind a target, if it has one that answers or has answered.
    pub(super) async fn listing(&self, target: &Target) -> Option<Arc<Listing>> {
        if !matches!(target.home, Home::Router | Home::Local(_)) {
            return None;
        }
        let listing = self.ask(target).await;
        (!listing.is_empty()).then_some(listing)
    }

    async fn listed(&self, target: &Target) -> Listed {
        let (name, tag) = name_and_tag(target);
        let Some(listing) = self.listing(target).await else { return Listed::default() };
        listing.find(name).map(|entry| entry.facts(tag)).unwrap_or_default()
    }

    fn price_of(&self, id: &str, target: Option<&Target>) -> Option<Price> {
        let exact = self.prices.get(plain(id));
        // On servers of one's own a colon belongs to the name.
        let untagged = target
            .filter(|target| target.home == Home::Router)
            .and_then(|target| self.prices.get(name_and_tag(target).0));
        exact.or(untagged).copied()
    }

    /// What the catalogue says, from memory while that is fresh. One look at a time; who has something
    /// to go on meanwhile does not wait for it.
    async fn ask(&self, target: &Target) -> Arc<Listing> {
        let source = {
            let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
            sources.entry(target.base_url.clone()).or_default().clone()
        };
        let stale = match source.known() {
            Some((listing, until)) if self.clock.now() < until => return listing,
            Some((listing, _)) => Some(listing),
            None => None,
        };
        let _asking = match (&stale, source.asking.try_lock()) {
            (_, Ok(asking)) => asking,
            (Some(listing), Err(_)) => return listing.clone(),
            (None, Err(_)) => source.asking.lock().await,
        };
        // Somebody else may have asked while this one waited.
        if let Some((listing, until)) = source.known()
            && self.clock.now() < until
        {
            return listing;
        }
        let fetched = tokio::time::timeout(TIMEOUT, self.fetch(target)).await.unwrap_or(None);
        let (listing, fresh) = match fetched {
            Some(listing) => (Arc::new(listing), FRESH),
            None => {
                tracing::debug!(place = target.place(), "a model catalogue did not answer");
                (stale.unwrap_or_default(), AFTER_FAILURE)
            }
        };
        let until = self.clock.now().plus(fresh);
        *source.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((listing.clone(), until));
        listing
    }

    async fn fetch(&self, target: &Target) -> Option<Listing> {
        let request = self.http.get(format!("{}models", target.base_url)).bearer_auth(target.key.reveal());
        let mut response = request.send().await.ok()?.error_for_status().ok()?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.ok()? {
            if body.len() + piece.len() > LONGEST {
                return None;
            }
            body.extend_from_slice(&piece);
        }
        Listing::read(&body)
    }
}

/// Whose word counts. `configured` wins over all.
fn settle(configured: Option<Price>, listed: Listed, id: &str, target: Option<&Target>) -> Facts {
    let kept = target.and_then(|target| kept::price_and_window(target.home, &target.name));
    let own = match target.map(|target| target.home) {
        Some(Home::Local(_)) => Some(Price::FREE),
        Some(Home::Router) => listed.price,
        Some(_) => kept.map(|(price, _)| price),
        None => None,
    };
    let window = listed.window.or(kept.map(|(_, window)| window)).or_else(|| kept::window(id));
    Facts { window: window.unwrap_or(DEFAULT_WINDOW), price: configured.or(own), tools: listed.tools }
}

/// The name in the catalogue, and the tag that follows it. Only the router has tags.
pub(super) fn name_and_tag(target: &Target) -> (&str, Option<&str>) {
    match target.name.split_once(':') {
        Some((name, tag)) if target.home == Home::Router => (name, Some(tag)),
        _ => (&target.name, None),
    }
}

fn plain(id: &str) -> &str {
    id.strip_prefix("huggingface/").unwrap_or(id)
}

fn configured(price: &PriceConfig) -> Price {
    Price {
        input: price.input_usd.0,
        output: price.output_usd.0,
        cached: price.cached_usd.map(|usd| usd.0),
        cache_write: price.cache_write_usd.map(|usd| usd.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    use super::super::provider::Dialect;

    fn target(home: Home, name: &str) -> Target {
        Target {
            home,
            dialect: Dialect::OpenAi,
            base_url: "http://127.0.0.1:9/v1/".to_owned(),
            key: Secret::new("k"),
            name: name.to_owned(),
        }
    }

    #[test]
    fn the_word_of_the_configuration_goes_first_and_nothing_is_guessed() {
        let price = |input| Some(Price { input, ..Price::FREE });
        let listed = Listed { window: Some(9_000), price: price(7), tools: Some(true) };
        let nothing = Listed::default();
        let router = Some(target(Home::Router, "org/kimi-k2"));
        let local = Some(target(Home::Local("vllm"), "qwen3"));
        let maker = Some(target(Home::OpenAi, "gpt-4o-mini"));
        let table = [
            // configured, listed, id, target -> window, price
            (price(1), listed, "org/kimi-k2", &router, 9_000, price(1)),
            (None, listed, "org/kimi-k2", &router, 9_000, price(7)),
            (None, nothing, "org/kimi-k2", &router, 262_144, None),
            (price(1), listed, "vllm/qwen3", &local, 9_000, price(1)),
            (None, listed, "vllm/qwen3", &local, 9_000, Some(Price::FREE)),
            (None, nothing, "vllm/qwen3", &local, 131_072, Some(Price::FREE)),
            (price(1), nothing, "openai/gpt-4o-mini", &maker, 128_000, price(1)),
            (None, nothing, "x/y", &None, DEFAULT_WINDOW, None),
            (price(1), nothing, "x/y", &None, DEFAULT_WINDOW, price(1)),
        ];
        for (configured, listed, id, target, window, price) in table {
            let facts = settle(configured, listed, id, target.as_ref());
            assert_eq!((facts.window, facts.price), (window, price), "{id} {configured:?}");
        }
        let facts = settle(None, nothing, "openai/gpt-4o-mini", maker.as_ref());
        assert_eq!(facts.price.unwrap().output, 600_000);
    }

    #[test]
    fn a_configured_price_holds_for_every_provider_unless_one_is_named() {
        let mut catalogue = Catalogue::new(reqwest::Client::default(), Clock::manual(Timestamp(0)));
        let of = |dollars: u64| PriceConfig {
            input_usd: crate::protocol::Usd(dollars),
            output_usd: crate::protocol::Usd(dollars),
            cached_usd: None,
            cache_write_usd: None,
        };
        let prices = [("org/m", of(1)), ("huggingface/org/m:novita", of(2)), ("ollama/x:8b", of(3))];
        catalogue.set_prices(&prices.map(|(id, price)| (id.to_owned(), price)).into());
        let router = |name| target(Home::Router, name);
        let found = |id, target: Target| catalogue.price_of(id, Some(&target)).map(|price| price.input);
        assert_eq!(found("org/m", router("org/m")), Some(1));
        assert_eq!(found("huggingface/org/m:fastest", router("org/m:fastest")), Some(1));
        assert_eq!(found("org/m:novita", router("org/m:novita")), Some(2));
        assert_eq!(found("ollama/x:8b", target(Home::Local("ollama"), "x:8b")), Some(3));
        assert_eq!(found("ollama/x:70b", target(Home::Local("ollama"), "x:70b")), None);
    }
}
