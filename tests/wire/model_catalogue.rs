//! Windows and prices over the wire: what is asked, how often, and what is made of silence.

use std::collections::BTreeMap;
use std::time::Duration;

use ml_intern::clients::http;
use ml_intern::clock::{Clock, Timestamp};
use ml_intern::config::PriceConfig;
use ml_intern::model::{Facts, Model, Providers};
use ml_intern::protocol::{Price, Usage, Usd};
use serde_json::{Value, json};

use super::model::config;
use super::model_fake::{Fake, Reply};

fn catalogue(input: f64) -> Reply {
    let offer = |provider: &str, window: u64, input: f64| {
        json!({"provider": provider, "status": "live", "context_length": window,
               "pricing": {"input": input, "output": 2.5}, "supports_tools": true})
    };
    let offers = [offer("novita", 100_000, input), offer("fal-ai", 60_000, input * 2.0)];
    Reply::Status(200, vec![], json!({"data": [{"id": "org/model", "providers": offers}]}))
}

fn providers(fake: &Fake, clock: &Clock) -> Providers {
    http::install_tls();
    Providers::new(&config(fake), http::client(None).unwrap(), clock.clone()).unwrap()
}

fn price(input: u64) -> Option<Price> {
    Some(Price { input, output: 2_500_000, cached: None, cache_write: None })
}

#[tokio::test]
async fn the_router_is_asked_once_however_many_want_to_know() {
    let fake = Fake::start(vec![catalogue(0.5)]).await;
    let providers = providers(&fake, &Clock::manual(Timestamp(0)));
    let (pinned, any, same) = tokio::join!(
        providers.facts("org/model:novita"),
        providers.facts("org/model"),
        providers.facts("huggingface/org/model:fastest"),
    );
    assert_eq!(pinned, Facts { window: 100_000, price: price(500_000), tools: Some(true) });
    assert_eq!(any, Facts { window: 60_000, price: price(1_000_000), tools: Some(true) });
    assert_eq!(any, same);
    let seen = fake.seen();
    assert_eq!((seen.len(), seen[0].path.as_str()), (1, "/router/v1/models"));
}

#[tokio::test]
async fn what_was_known_serves_while_the_router_is_down_and_is_asked_again_later() {
    let down = || Reply::Status(503, vec![], Value::Null);
    let fake = Fake::start(vec![catalogue(0.5), down(), catalogue(0.7)]).await;
    let clock = Clock::manual(Timestamp(0));
    let providers = providers(&fake, &clock);
    let known = async || providers.facts("org/model:novita").await.price;
    assert_eq!(known().await, price(500_000));
    clock.advance(Duration::from_secs(299));
    assert_eq!(known().await, price(500_000));
    clock.advance(Duration::from_secs(2));
    assert_eq!(known().await, price(500_000), "stale, from before it went down");
    clock.advance(Duration::from_secs(14));
    assert_eq!(known().await, price(500_000), "it is left alone for a while");
    clock.advance(Duration::from_secs(2));
    assert_eq!(known().await, price(700_000));
    assert_eq!(fake.seen().len(), 3);
}

#[tokio::test]
async fn a_silent_catalogue_leaves_the_price_unknown() {
    for reply in [Reply::Page(200, "<html>"), Reply::Status(404, vec![], Value::Null), Reply::Hang] {
        let fake = Fake::start(vec![reply]).await;
        let facts = providers(&fake, &Clock::system()).facts("org/model").await;
        assert_eq!(facts, Facts::ASSUMED);
        let usage = facts.priced(&Usage { input_tokens: 10, ..Usage::default() });
        assert_eq!((usage.cost, usage.unpriced), (0, 1));
    }
}

#[tokio::test]
async fn makers_with_a_key_of_their_own_are_never_asked_and_ones_own_server_costs_nothing() {
    let own = json!({"data": [{"id": "qwen", "max_model_len": 32_768}]});
    let fake = Fake::start(vec![Reply::Status(200, vec![], own)]).await;
    let providers = providers(&fake, &Clock::system());
    let claude = providers.facts("anthropic/claude-opus-4-8").await;
    assert_eq!(claude.window, 1_000_000);
    let usage = Usage { input_tokens: 1_000_000, cached_tokens: 900_000, ..Usage::default() };
    // 100,000 at 5 $ and 900,000 at 0.50 $ per million.
    assert_eq!(claude.priced(&usage).cost, 950_000);
    assert!(providers.facts("gemini/gemini-2.5-flash").await.price.is_some());
    let qwen = providers.facts("ollama/qwen").await;
    assert_eq!((qwen.window, qwen.price), (32_768, Some(Price::FREE)));
    let paths: Vec<String> = fake.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/v1/models"]);
}

#[tokio::test]
async fn a_configured_price_wins() {
    let fake = Fake::start(vec![catalogue(0.5)]).await;
    let own = PriceConfig {
        input_usd: Usd(7),
        output_usd: Usd(8),
        cached_usd: Some(Usd(1)),
        cache_write_usd: None,
    };
    let prices = BTreeMap::from([("org/model".to_owned(), own)]);
    let facts = providers(&fake, &Clock::system()).priced(&prices).facts("org/model:novita").await;
    assert_eq!(facts.price, Some(Price { input: 7, output: 8, cached: Some(1), cache_write: None }));
    assert_eq!(facts.window, 100_000);
    assert_eq!(fake.seen().len(), 1);
}
