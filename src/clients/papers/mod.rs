//! Papers: what the Hub lists and links, what arXiv and ar5iv hold as pages, who cites whom.
//!
//! Papers are public, so nobody's Hub token goes out from here; Semantic Scholar gets its own key, if there is one.
//! Each of the four hosts has its own spacing and patience. Never words for people or the model: those are in
//! `tools/hub/papers`. Start at [`Papers`]; reading a paper's page is [`Papers::read`].

pub mod hub;
mod id;
mod ink;
mod markdown;
mod page;
mod paper;
pub mod scholar;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::id::ArxivId;
pub use self::paper::{Found, Paper, Section};
use super::html::Tree;
use super::recent::Recent;
use super::service::{Ask, Patience, Service, ServiceError};
use crate::clock::Clock;
use crate::config::ServicesConfig;
use crate::random::Random;
use crate::secret::Secret;

/// Bytes of a paper's page that are read.
const PAGE: usize = 20 * 1024 * 1024;
/// How long one page may take.
const PAGE_TIME: Duration = Duration::from_secs(30);
/// How long what was fetched is used again.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// Bytes of papers that are kept.
const KEPT_PAPERS: usize = 16 * 1024 * 1024;
/// Bytes of answers of Semantic Scholar that are kept.
const KEPT_ANSWERS: usize = 16 * 1024 * 1024;

/// How patient each host is asked.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// The Hub, arXiv, ar5iv.
    pub pages: Patience,
    /// Semantic Scholar, where its answer is what was asked for.
    pub scholar: Patience,
    /// Semantic Scholar, where its answer only adds to another.
    pub aside: Patience,
    /// Between two pages of one host.
    pub page_spacing: Duration,
    /// Between two questions to Semantic Scholar by those without a key, and to its searches by all.
    pub scholar_spacing: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            pages: Patience { tries: 3, first: seconds(1), longest: seconds(15) },
            scholar: Patience { tries: 4, first: seconds(2), longest: seconds(60) },
            aside: Patience { tries: 2, first: seconds(1), longest: seconds(4) },
            page_spacing: Duration::from_millis(500),
            scholar_spacing: seconds(1),
        }
    }
}

/// Everything about papers. Cheap to clone; clones share spacing and what was fetched lately.
#[derive(Debug, Clone)]
pub struct Papers {
    hub: Service,
    arxiv: Service,
    ar5iv: Service,
    scholar: Service,
    key: Option<Secret>,
    manners: Manners,
    pages: Recent<Arc<Read>>,
    answers: Recent<Arc<serde_json::Value>>,
}

/// Where a paper's text was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// arXiv's own page.
    Arxiv,
    /// ar5iv's.
    Ar5iv,
    /// The Hub's Markdown.
    Hub,
}

impl Source {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arxiv => "arXiv",
            Self::Ar5iv => "ar5iv",
            Self::Hub => "the Hub",
        }
    }
}

/// A paper, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The paper.
    pub paper: Paper,
    /// Where.
    pub source: Source,
}

/// Why a paper could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// No source has its text; what each said.
    #[error("no source has the text")]
    Nowhere(Vec<(Source, String)>),
    /// The call was stopped.
    #[error("stopped")]
    Stopped,
}

impl Papers {
    /// The services at these addresses.
    ///
    /// # Errors
    /// Only if TLS cannot be set up on this machine.
    pub fn new(
        at: &ServicesConfig,
        manners: Manners,
        clock: &Clock,
        random: &Random,
    ) -> anyhow::Result<Self> {
        let http = super::http::client(None)?;
        let service =
            |base: &str, patience| Service::new(http.clone(), base, patience, clock.clone(), random.clone());
        Ok(Self {
            hub: service(&at.hf_endpoint, manners.pages),
            arxiv: service(&at.arxiv_url, manners.pages),
            ar5iv: service(&at.ar5iv_url, manners.pages),
            scholar: service(&at.semantic_scholar_url, manners.scholar),
            key: at.semantic_scholar_key.clone().filter(|key| !key.is_empty()),
            manners,
            pages: Recent::new(clock.clone(), KEPT_PAPERS, FRESH),
            answers: Recent::new(clock.clone(), KEPT_ANSWERS, FRESH),
        })
    }

    /// The Hub's address, without a slash at the end.
    #[must_use]
    pub fn hub_address(&self) -> &str {
        self.hub.base()
    }

    /// A paper's text: from arXiv, else from ar5iv, else from the Hub.
    ///
    /// # Errors
    /// As [`Unread`] says.
    pub async fn read(&self, id: &ArxivId, cancel: &CancellationToken) -> Result<Arc<Read>, Unread> {
        let key = id.to_string();
        if let Some(kept) = self.pages.get(&key) {
            return Ok(kept);
        }
        let mut said = Vec::new();
        for source in [Source::Arxiv, Source::Ar5iv, Source::Hub] {
            match self.text(id, source, cancel).await {
                Ok(paper) => {
                    let weight = paper.weight();
                    let read = Arc::new(Read { paper, source });
                    self.pages.put(&key, Arc::clone(&read), weight);
                    return Ok(read);
                }
                Err(ServiceError::Stopped) => return Err(Unread::Stopped),
                Err(error) => said.push((source, error.to_string())),
            }
        }
        Err(Unread::Nowhere(said))
    }

    async fn text(
        &self,
        id: &ArxivId,
        source: Source,
        cancel: &CancellationToken,
    ) -> Result<Paper, ServiceError> {
        let (service, path) = match source {
            Source::Arxiv => (&self.arxiv, format!("/html/{id}")),
            // It holds one version of each paper.
            Source::Ar5iv => (&self.ar5iv, format!("/html/{}", id.bare())),
            Source::Hub => (&self.hub, format!("/papers/{}.md", id.bare())),
        };
        let ask = Ask::get(&path).within(PAGE_TIME).most(PAGE).spaced(self.manners.page_spacing);
        let bytes = service.ask(ask, cancel).await?;
        let stop = cancel.clone();
        let work = tokio::task::spawn_blocking(move || match source {
            Source::Hub => Ok(markdown::read(&String::from_utf8_lossy(&bytes))),
            Source::Arxiv | Source::Ar5iv => Tree::parse(&bytes, &stop).map(|tree| page::read(&tree)),
        });
        let paper = work
            .await
            .map_err(|_| ServiceError::Strange("its page could not be read"))?
            .map_err(|_| ServiceError::Stopped)?;
        if paper.sections.is_empty() {
            return Err(ServiceError::Strange("its page has no sections of a paper"));
        }
        Ok(paper)
    }
}
