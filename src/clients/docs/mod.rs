//! Documentation of Hugging Face: pages as Markdown, sidebars, Gradio's guides, the description of the Hub's API.
//!
//! Asks only hosts that the configuration names ([`address`]), also where an answer redirects. A token goes
//! to the Hub's own host and to no other. Never retries, never keeps an answer. Start at [`Docs`].

mod address;
mod error;
mod sidebar;

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, ORIGIN};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde_json::json;

use self::address::Hosts;
pub use self::address::{Address, BadAddress};
pub use self::error::DocsError;
pub use self::sidebar::Link;
use crate::config::ServicesConfig;
use crate::secret::Secret;

/// How long one page may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a page that are read at most; what is longer is cut.
const PAGE: usize = 4 * 1024 * 1024;
/// Bytes of the API's description; a longer one is refused.
const API: usize = 50 * 1024 * 1024;
/// How long the API's description may take.
const API_TIMEOUT: Duration = Duration::from_secs(120);
/// Redirects to another of our hosts that are followed.
const HOPS: usize = 3;

/// The doors to documentation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Docs {
    http: reqwest::Client,
    hosts: Hosts,
}

/// A page's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it really came from.
    pub from: String,
    /// The text.
    pub text: String,
    /// Whether the text is all there is.
    pub complete: bool,
}

/// The description of the Hub's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiDocument {
    /// It is the one of the given ETag.
    Same,
    /// A new one.
    New {
        /// Its ETag, if it has one.
        etag: Option<String>,
        /// The document.
        body: Vec<u8>,
    },
}

impl Docs {
    /// The documentation of these services.
    ///
    /// # Errors
    /// An address of the configuration is none, or TLS cannot be set up on this machine.
    pub fn new(services: &ServicesConfig) -> anyhow::Result<Self> {
        let http = crate::clients::http::client(Some(TIMEOUT))?;
        Ok(Self { http, hosts: Hosts::new(services)? })
    }

    /// Where the Hub is, without a slash at the end.
    #[must_use]
    pub fn hub(&self) -> &str {
        self.hosts.hub_address()
    }

    /// Gradio's list of all its documentation.
    #[must_use]
    pub fn gradio_list(&self) -> String {
        self.hosts.gradio_list()
    }

    /// What an address that somebody wrote means, if it is one of documentation.
    ///
    /// # Errors
    /// It is no address, or one of another host.
    pub fn locate(&self, written: &str) -> Result<Address, BadAddress> {
        self.hosts.locate(written)
    }

    /// A page as text.
    ///
    /// # Errors
    /// As [`DocsError`] says; `Web` if it is a page for browsers.
    pub async fn page(&self, address: &str, token: Option<&Secret>) -> Result<Page, DocsError> {
        let response = self.get(address, token, "text/markdown, text/plain;q=0.9, */*;q=0.1").await?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("text/html")) {
            return Err(DocsError::Web);
        }
        text_of(response).await
    }

    /// The links in the sidebar of the documentation at this path of the Hub, and where that is.
    ///
    /// # Errors
    /// As [`DocsError`] says.
    pub async fn sidebar(
        &self,
        path: &str,
        token: Option<&Secret>,
    ) -> Result<(String, Vec<Link>), DocsError> {
        let home = format!("{}{path}", self.hub());
        let response = self.get(&home, token, "text/html").await?;
        let page = text_of(response).await?;
        let from = Url::parse(&page.from).map_err(|_| DocsError::Strange("its address cannot be read"))?;
        // A page of the Hub is megabytes of HTML.
        let links = tokio::task::spawn_blocking(move || sidebar::links(&page.text, &from))
            .await
            .map_err(|_| DocsError::Strange("its sidebar cannot be read"))?;
        Ok((home, links))
    }

    /// What Gradio's own search of its guides and examples finds.
    ///
    /// # Errors
    /// As [`DocsError`] says.
    pub async fn gradio_search(&self, query: &str) -> Result<String, DocsError> {
        let body = json!({
            "prompt_to_embed": query,
            "SYSTEM_PROMPT": "$INSERT_GUIDES_DOCS_DEMOS",
            "FALLBACK_PROMPT": "No results found",
        });
        let request = self.http.post(self.hosts.gradio_search());
        let request = request.header(ORIGIN, "https://gradio-docs-mcp.up.railway.app").json(&body);
        let response = good(sent(request).await?).await?;
        let (bytes, complete) = body_of(response, PAGE).await?;
        if !complete {
            return Err(DocsError::TooLarge { most: PAGE });
        }
        let answer: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|_| DocsError::Strange("it is no JSON"))?;
        let found = answer["SYS_PROMPT"].as_str().ok_or(DocsError::Strange("it holds no `SYS_PROMPT`"))?;
        Ok(found.to_owned())
    }

    /// The description of the Hub's API, unless it is still the one of this ETag.
    ///
    /// # Errors
    /// As [`DocsError`] says; `TooLarge` beyond 50 MB.
    pub async fn api(&self, etag: Option<&str>) -> Result<ApiDocument, DocsError> {
        let address = format!("{}/.well-known/openapi.json", self.hub());
        let mut request = self.http.get(address).timeout(API_TIMEOUT).header(ACCEPT, "application/json");
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = sent(request).await?;
        if response.status() == StatusCode::NOT_MODIFIED && etag.is_some() {
            return Ok(ApiDocument::Same);
        }
        let response = good(response).await?;
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        match body_of(response, API).await? {
            (body, true) => Ok(ApiDocument::New { etag, body }),
            (_, false) => Err(DocsError::TooLarge { most: API }),
        }
    }

    /// Asks for an address, and for where it redirects to as long as that is one of our hosts.
    async fn get(&self, address: &str, token: Option<&Secret>, accept: &str) -> Result<Response, DocsError> {
        let mut at = Url::parse(address).map_err(|_| DocsError::Strange("the address cannot be read"))?;
        for _ in 0..=HOPS {
            if !self.hosts.are_ours(&at) {
                return Err(DocsError::Elsewhere { host: at.host_str().unwrap_or_default().to_owned() });
            }
            let request = self.http.get(at.clone()).header(ACCEPT, accept);
            let response = match token.filter(|_| self.hosts.is_hub(&at)) {
                Some(token) => {
                    let response = sent(request.bearer_auth(token.reveal())).await?;
                    // Documentation is public: a token that has expired must not hide it.
                    if response.status() == StatusCode::UNAUTHORIZED {
                        sent(self.http.get(at.clone()).header(ACCEPT, accept)).await?
                    } else {
                        response
                    }
                }
                None => sent(request).await?,
            };
            if !response.status().is_redirection() {
                return good(response).await;
            }
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            at = target
                .and_then(|target| response.url().join(target).ok())
                .ok_or(DocsError::Strange("it redirects nowhere"))?;
        }
        Err(DocsError::Strange("it redirects in circles"))
    }
}

async fn sent(request: RequestBuilder) -> Result<Response, DocsError> {
    request.send().await.map_err(|error| DocsError::unreachable(&error))
}

/// The answer if it is one; what is wrong with it otherwise.
async fn good(response: Response) -> Result<Response, DocsError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let (body, _) = body_of(response, 4_096).await.unwrap_or_default();
    Err(DocsError::refused(status, &headers, &String::from_utf8_lossy(&body)))
}

async fn text_of(response: Response) -> Result<Page, DocsError> {
    let from = response.url().to_string();
    let (bytes, complete) = body_of(response, PAGE).await?;
    if bytes.iter().take(8_192).any(|byte| *byte == 0) {
        return Err(DocsError::Strange("it is no text"));
    }
    Ok(Page { from, text: String::from_utf8_lossy(&bytes).into_owned(), complete })
}

/// A body, at most `most` bytes of it, and whether that is all.
async fn body_of(mut response: Response, most: usize) -> Result<(Vec<u8>, bool), DocsError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| DocsError::unreachable(&error))? {
        let room = most - body.len();
        if piece.len() > room {
            body.extend_from_slice(&piece[..room]);
            return Ok((body, false));
        }
        body.extend_from_slice(&piece);
    }
    Ok((body, true))
}
