//! A site of documentation on loopback: what was put on it, what it was asked, and who may ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub line: String,
    pub authorization: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// What is answered.
#[derive(Clone, Default)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub after: Duration,
    /// Answers 401 to whoever shows a token.
    pub dislikes_tokens: bool,
}

#[derive(Clone)]
pub struct Site {
    pub url: String,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

pub fn page(kind: &str, body: impl Into<Vec<u8>>) -> Page {
    Page {
        status: 200,
        headers: vec![("content-type", kind.to_owned())],
        body: body.into(),
        ..Page::default()
    }
}

pub fn refusal(status: u16, error: &str) -> Page {
    Page { status, ..page("application/json", json!({ "error": error }).to_string()) }
}

pub fn redirect(to: &str) -> Page {
    Page { status: 307, headers: vec![("location", to.to_owned())], ..Page::default() }
}

/// A page with a sidebar as the Hub has it.
pub fn sidebar(links: &[(&str, &str)]) -> Page {
    let links: String =
        links.iter().map(|(title, href)| format!("<a class=\"pl-2\" href=\"{href}\">{title}</a>")).collect();
    page("text/html", format!("<html><body><nav class=\"flex-auto pl-4\">{links}</nav></body></html>"))
}

impl Site {
    pub async fn start() -> Self {
        ml_intern::clients::http::install_tls();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            pages: Arc::default(),
            seen: Arc::default(),
            open: Arc::default(),
            most: Arc::default(),
        };
        let (here, app) = (site.clone(), Router::new());
        let app = app.fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let site = here.clone();
            async move { site.answer(&method, &uri, &headers, &body).await }
        });
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        site
    }

    /// `trl` with three pages, as it was when ml-intern was recorded.
    pub async fn with_trl() -> Self {
        let site = Self::start().await;
        let pages = [("Quickstart", "index"), ("SFT Trainer", "sft_trainer"), ("DPO Trainer", "dpo_trainer")];
        let links: Vec<(&str, String)> =
            pages.iter().map(|(title, name)| (*title, format!("/docs/trl/{name}"))).collect();
        site.put(
            "/docs/trl",
            sidebar(&links.iter().map(|(title, href)| (*title, href.as_str())).collect::<Vec<_>>()),
        );
        for (_, name) in pages {
            let text = format!(
                "# {name}\n\nThis page documents {name} of trl. Use the learning_rate and beta options.\n"
            );
            site.put(&format!("/docs/trl/{name}.md"), page("text/markdown", text));
        }
        site
    }

    pub fn put(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// What was asked since the last look, in the order of its lines.
    pub fn seen(&self) -> Vec<Seen> {
        let mut seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.sort_by(|one, other| one.line.cmp(&other.line));
        seen
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    /// Requests that were open at the same time, at most.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub async fn until_asked(&self, times: usize) {
        for _ in 0..1_000 {
            if self.seen.lock().unwrap().len() >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("asked {} times", self.seen.lock().unwrap().len());
    }

    async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let path = uri.path_and_query().map_or("", |it| it.as_str());
        let named = ["origin", "if-none-match", "content-type"];
        // The tool for jobs looks at prices by itself.
        if path == "/api/jobs/hardware" {
            return StatusCode::NOT_FOUND.into_response();
        }
        self.seen.lock().unwrap().push(Seen {
            line: format!("{method} {path}"),
            authorization: text("authorization"),
            headers: named.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        });
        let now = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let page = self.pages.lock().unwrap().get(path).cloned();
        let page = page.unwrap_or_else(|| refusal(404, "Not found"));
        tokio::time::sleep(page.after).await;
        self.open.fetch_sub(1, Ordering::SeqCst);
        if page.dislikes_tokens && headers.contains_key("authorization") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let mut response = (StatusCode::from_u16(page.status).unwrap(), page.body).into_response();
        for (name, value) in page.headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        response
    }
}
