//! Documentation that was read: sidebars, the beginning of each page, and an index over their words.
//!
//! One shelf per documentation, kept for some hours and within a bound of memory. Pages are read when they are
//! first needed, eight at a time; those that could not be read are tried again at the next call. Stops where the
//! caller's token fires, and keeps what it has by then. Start at [`Library::shelf`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::endpoints::Part;
use crate::agent::tool::ToolError;
use crate::clients::docs::{Docs, DocsError};
use crate::clock::{Clock, Timestamp};
use crate::secret::Secret;
use crate::text::cut;
use crate::tools::hub::index::{Column, Index};

/// Pages that are read at the same time.
const AT_ONCE: usize = 8;
/// How long a shelf is kept.
const KEPT: Duration = Duration::from_secs(6 * 60 * 60);
/// Characters of a page that are shown of it.
const GLIMPSE: usize = 200;
/// Bytes of a page that are indexed; what stands further down does not decide what it is about.
const INDEXED: usize = 64 * 1024;
/// Bytes of text behind all shelves together; the one that was not used for longest goes first.
const ALL: usize = 64 * 1024 * 1024;
/// Of one shelf at most.
const ONE: usize = 32 * 1024 * 1024;
/// Pages that are put into the index at once.
const BATCH: usize = 64;
/// What a page without text counts.
const ROW: usize = 256;

/// What was read of documentation.
pub(super) struct Library {
    docs: Docs,
    clock: Clock,
    shelves: Mutex<BTreeMap<String, Kept>>,
    all: usize,
}

struct Kept {
    shelf: Arc<tokio::sync::Mutex<Shelf>>,
    used: Timestamp,
    /// Bytes behind it, as of its last use.
    size: usize,
}

/// One documentation.
#[derive(Default)]
pub(super) struct Shelf {
    /// Its address.
    pub home: String,
    /// Its pages, in the order of the sidebar.
    pub pages: Vec<Shown>,
    index: Option<Arc<Index>>,
    at: Timestamp,
    size: usize,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its title.
    pub title: String,
    /// Its address, as people open it.
    pub url: String,
    /// What is in it.
    pub glimpse: Glimpse,
}

/// What is known of a page's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Glimpse {
    /// It was not read yet.
    Unread,
    /// Its beginning.
    Read(String),
    /// It could not be read, because.
    Failed(DocsError),
}

/// Which pages a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The first ones, to be shown.
    First(usize),
    /// All of them, to be searched.
    All,
}

/// What a call reads with.
pub(super) struct Reading<'a> {
    /// Whose token; documentation needs none.
    pub token: Option<&'a Secret>,
    /// When it must be enough.
    pub until: tokio::time::Instant,
    /// Fires when the call is to end.
    pub cancel: &'a CancellationToken,
    /// Takes a line of progress.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

impl Library {
    pub(super) fn new(docs: Docs, clock: Clock) -> Self {
        Self { docs, clock, shelves: Mutex::default(), all: ALL }
    }

    /// The doors behind it.
    pub(super) fn docs(&self) -> &Docs {
        &self.docs
    }

    /// A documentation with its sidebar and as many of its pages as are needed. Who asks for the same one at the
    /// same time waits for the first and shares what it read.
    ///
    /// # Errors
    /// The sidebar cannot be read, or the call was stopped.
    pub(super) async fn shelf(
        &self,
        part: &Part,
        need: Need,
        reading: &Reading<'_>,
    ) -> Result<Result<Snapshot, DocsError>, ToolError> {
        let shared = self.kept(&part.name);
        let mut shelf = tokio::select! {
            biased;
            () = reading.cancel.cancelled() => return Err(ToolError::Cancelled),
            shelf = shared.lock() => shelf,
        };
        let now = self.clock.now();
        if shelf.pages.is_empty() || now.since(shelf.at) > KEPT {
            let opened = tokio::select! {
                biased;
                () = reading.cancel.cancelled() => return Err(ToolError::Cancelled),
                opened = self.open(part, reading) => opened?,
            };
            match opened {
                Ok(opened) => *shelf = opened,
                // What was read some hours ago is better than nothing.
                Err(error) if shelf.pages.is_empty() => return Ok(Err(error)),
                Err(error) => {
                    tracing::warn!(%error, part = part.name, "documentation could not be read anew")
                }
            }
        }
        let read = self.read(part, &mut shelf, need, reading).await;
        self.note(&part.name, shelf.size);
        read?;
        Ok(Ok(Snapshot { home: shelf.home.clone(), pages: shelf.pages.clone(), index: shelf.index.clone() }))
    }

    fn kept(&self, name: &str) -> Arc<tokio::sync::Mutex<Shelf>> {
        let used = self.clock.now();
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let kept =
            shelves.entry(name.to_owned()).or_insert_with(|| Kept { shelf: Arc::default(), used, size: 0 });
        kept.used = used;
        Arc::clone(&kept.shelf)
    }

    /// Notes how large a shelf has become, and lets go of others until all fit.
    fn note(&self, name: &str, size: usize) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = shelves.get_mut(name) {
            kept.size = size;
        }
        while shelves.values().map(|kept| kept.size).sum::<usize>() > self.all {
            let others = shelves.iter().filter(|(other, _)| other.as_str() != name);
            let Some(oldest) = others.min_by_key(|(_, kept)| kept.used).map(|(other, _)| other.clone())
            else {
                return;
            };
            shelves.remove(&oldest);
        }
    }

    /// Reads the sidebar, and indexes the titles.
    async fn open(&self, part: &Part, reading: &Reading<'_>) -> Result<Result<Shelf, DocsError>, ToolError> {
        let mut missing = DocsError::NotFound;
        for home in &part.homes {
            match self.docs.sidebar(home, reading.token).await {
                Ok((_, links)) if links.is_empty() => {
                    return Ok(Err(DocsError::Strange("it has no sidebar with pages")));
                }
                Ok((home, links)) => {
                    let pages: Vec<Shown> = links
                        .into_iter()
                        .map(|link| Shown { title: link.title, url: link.url, glimpse: Glimpse::Unread })
                        .collect();
                    let size = pages.len() * ROW;
                    let titles: Vec<_> = pages.iter().map(|page| page.title.clone()).collect();
                    let index = blocking(move || {
                        let index = Index::new(&[Column("title", 2.0), Column("content", 1.0)])?;
                        index.put(titles.into_iter().map(|title| vec![title, String::new()]).enumerate())?;
                        Ok(index)
                    })
                    .await?;
                    let index = Some(Arc::new(index));
                    return Ok(Ok(Shelf { home, pages, index, at: self.clock.now(), size }));
                }
                Err(DocsError::NotFound) => {}
                Err(error) => missing = error,
            }
        }
        Ok(Err(missing))
    }

    /// Reads the pages that are needed and were not read yet.
    async fn read(
        &self,
        part: &Part,
        shelf: &mut Shelf,
        need: Need,
        reading: &Reading<'_>,
    ) -> Result<(), ToolError> {
        let most = match need {
            Need::First(count) => count,
            Need::All => usize::MAX,
        };
        let unread = |(_, page): &(usize, &Shown)| !matches!(page.glimpse, Glimpse::Read(_));
        let wanted: Vec<(usize, String)> = shelf
            .pages
            .iter()
            .enumerate()
            .take(most)
            .filter(unread)
            .map(|(row, page)| (row, format!("{}.md", page.url.trim_end_matches(".md"))))
            .collect();
        let total = wanted.len();
        let pages = futures::stream::iter(wanted)
            .map(|(row, url)| async move { (row, self.docs.page(&url, reading.token).await) })
            .buffer_unordered(AT_ONCE);
        let mut pages = std::pin::pin!(pages);
        let (mut texts, mut done) = (Vec::new(), 0_usize);
        let deadline = tokio::time::sleep_until(reading.until);
        let mut deadline = std::pin::pin!(deadline);
        let ended = loop {
            let (row, page) = tokio::select! {
                biased;
                () = reading.cancel.cancelled() => break Err(ToolError::Cancelled),
                () = &mut deadline => break Ok(()),
                next = pages.next() => match next {
                    Some(next) => next,
                    None => break Ok(()),
                },
            };
            done += 1;
            if done % 50 == 0 {
                (reading.tell)(&format!("Read {done} of {total} pages of the {} documentation", part.name));
            }
            match page {
                Ok(page) => {
                    shelf.pages[row].glimpse = Glimpse::Read(glimpse(&page.text));
                    let mut text = page.text;
                    // Titles still count where there is no room for more words.
                    let room = ONE.saturating_sub(shelf.size).min(INDEXED);
                    text.truncate(text.floor_char_boundary(room));
                    shelf.size += text.len();
                    texts.push((row, vec![shelf.pages[row].title.clone(), text]));
                    if texts.len() == BATCH {
                        index(shelf, std::mem::take(&mut texts)).await?;
                    }
                }
                Err(error) => {
                    let full = matches!(error, DocsError::Limited { .. });
                    shelf.pages[row].glimpse = Glimpse::Failed(error);
                    // More requests would only make the wait longer.
                    if full {
                        break Ok(());
                    }
                }
            }
        };
        index(shelf, texts).await?;
        ended
    }
}

/// A shelf as it stood at the end of a call.
pub(super) struct Snapshot {
    /// Its address.
    pub home: String,
    /// Its pages.
    pub pages: Vec<Shown>,
    /// The index over them, by their place in `pages`.
    pub index: Option<Arc<Index>>,
}

/// The beginning of a page, on one line, without the marks that its heading carries.
fn glimpse(text: &str) -> String {
    let words: String = text.chars().take(4 * GLIMPSE).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    cut(&words.join(" "), GLIMPSE).into_owned()
}

async fn index(shelf: &Shelf, texts: Vec<(usize, Vec<String>)>) -> Result<(), ToolError> {
    match shelf.index.clone() {
        Some(index) if !texts.is_empty() => blocking(move || index.put(texts)).await,
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, ToolError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)?;
    Ok(done.map_err(anyhow::Error::from)?)
}
