//! Putting a request on the wire, to a provider on loopback that counts what it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use async_trait::async_trait;
use ml_intern::agent::Toolbox;
use ml_intern::clock::Clock;
use ml_intern::model::{Delivery, Delta, DeltaSink, Model, Providers, Request};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::counting::{FOREIGN, Mark, median};
use crate::world::Look;
use crate::{SIZES, history};

/// Requests per length that go over the wire.
const SENT: usize = 20;

struct Nowhere;

#[async_trait]
impl DeltaSink for Nowhere {
    async fn send(&self, _: Delta) {}
}

/// A provider on a thread of its own that counts what it is sent and says one word. Gives its address.
fn provider(received: Arc<AtomicU64>) -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let serve = move || {
        FOREIGN.with(|foreign| foreign.set(true));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let answer = move |body: axum::body::Bytes| async move {
                received.store(body.len() as u64, Ordering::SeqCst);
                axum::Json(json!({ "id": "1", "object": "chat.completion", "created": 1, "model": "m",
                    "choices": [{ "index": 0, "finish_reason": "stop",
                        "message": { "role": "assistant", "content": "Yes." } }],
                    "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 } }))
            };
            let routes = axum::Router::new()
                .route("/v1/chat/completions", axum::routing::post(answer))
                .layer(axum::extract::DefaultBodyLimit::max(1 << 28));
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, routes).await
        })
    };
    std::thread::Builder::new().name("provider".to_owned()).spawn(serve)?;
    Ok(url)
}

pub async fn wire(clock: &Clock) -> Result<()> {
    let received = Arc::new(AtomicU64::new(0));
    let mut config = ml_intern::config::ModelConfig::default();
    config.vllm.base_url = provider(received.clone())?;
    let providers = Providers::new(&config, ml_intern::clients::http::client(None)?, clock.clone())?;
    println!("\na request through the model room to a provider on loopback (medians of {SENT})");
    println!(
        "{:>8} {:>12} {:>16} {:>22} {:>28} {:>24}",
        "history", "bytes sent", "time", "allocations", "bytes allocated", "time per kilobyte sent"
    );
    let mut first: Option<(f64, f64, f64)> = None;
    for size in SIZES {
        let request = Request {
            model: "vllm/scripted".to_owned(),
            system: "You are an engineer.".into(),
            items: history(size),
            tools: Toolbox::new(vec![Arc::new(Look)]).specs(),
            effort: None,
            session: "s".into(),
            delivery: Delivery::Whole,
        };
        let (mut waits, mut counts, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..SENT {
            let from = Mark::now();
            providers.answer(&request, &Nowhere, &CancellationToken::new()).await?;
            let to = Mark::now();
            waits.push(to.at.duration_since(from.at));
            counts.push(to.allocations - from.allocations);
            sizes.push(to.allocated - from.allocated);
        }
        let sent = received.load(Ordering::SeqCst) as f64;
        let (wait, count, bytes) =
            (median(waits).as_secs_f64() * 1e3, median(counts) as f64, median(sizes) as f64);
        // What every further byte costs beyond the shortest request.
        let further = first.map_or(String::new(), |(sent0, count0, bytes0)| {
            format!(
                "{:.2} per further item, {:.2} per further byte",
                (count - count0) / (size - SIZES[0]) as f64,
                (bytes - bytes0) / (sent - sent0)
            )
        });
        first.get_or_insert((sent, count, bytes));
        println!(
            "{size:>8} {sent:>12.0} {wait:>13.2} ms {count:>22.0} {bytes:>28.0} {:>21.2} µs   {further}",
            wait * 1e6 / sent
        );
    }
    Ok(())
}
