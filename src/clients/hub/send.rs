//! Sending a request and taking its answer: token, redirects, repeats, size of what is taken.
//!
//! Owns the one way to the Hub. The token goes to the Hub's own address and nowhere else. Nothing here is
//! logged. Dropping the future ends the request. Start at [`Hub::json`].
//!
//! ```text
//! send --ok-----------------------------------------> answer
//!  |--redirect within the Hub--------------> send there
//!  |--redirect to another host: Refuse (error), Follow (without the token), Show (that is the answer)
//!  |--"too many requests"-----------------> wait as told --> send again
//!  |--5xx or no connection, a read--------> back off ------> send again
//!  '--anything else, or patience at its end-----------> error
//! ```

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, HeaderMap, LINK, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::ask::{Ask, Elsewhere, Nature};
use super::error::Asked;
use super::{Hub, HubError};

/// Redirects that are followed.
const HOPS: usize = 5;
/// Bytes of a refusal that are read.
const REFUSAL: usize = 64 * 1024;
/// Pages of one listing that are asked for.
const PAGES: usize = 200;

/// How often and how long a request is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Tries in all.
    pub tries: u32,
    /// The first back-off; each further one is twice as long.
    pub base: Duration,
    /// The longest wait that the Hub may wish for; of a longer one the caller is told at once.
    pub longest: Duration,
    /// No further try begins after this.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 5,
            base: Duration::from_millis(500),
            longest: Duration::from_secs(60),
            whole: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// One try.
    #[must_use]
    pub fn none() -> Self {
        Self { tries: 1, ..Self::default() }
    }
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct Whole {
    /// Its status: a success, or a redirect if one was to be shown.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Whole {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A listing as far as it was read.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// What it lists.
    pub items: Vec<T>,
    /// Whether the Hub has more.
    pub more: bool,
}

/// The tries of one request.
pub(super) struct Tries {
    done: u32,
    since: Instant,
}

impl Tries {
    pub(super) fn new() -> Self {
        Self { done: 0, since: Instant::now() }
    }
}

impl Hub {
    /// Sends a request and gives the answer, its body unread.
    pub async fn send(&self, ask: &Ask) -> Result<Response, HubError> {
        let url = ask.url(&self.endpoint)?;
        let mut tries = Tries::new();
        loop {
            let outcome = self.once(ask, url.clone()).await;
            if let Some(response) = self.settle(ask.nature, outcome, &mut tries).await? {
                return Ok(response);
            }
        }
    }

    /// Sends a request and gives the whole answer.
    pub async fn whole(&self, ask: &Ask) -> Result<Whole, HubError> {
        self.whole_at(ask, ask.url(&self.endpoint)?).await
    }

    /// The same, at an address that the Hub gave us.
    pub(super) async fn whole_at(&self, ask: &Ask, url: Url) -> Result<Whole, HubError> {
        let mut tries = Tries::new();
        loop {
            let outcome = match self.once(ask, url.clone()).await {
                Ok(response) => whole_of(response, ask.cap).await,
                Err(error) => Err(error),
            };
            if let Some(whole) = self.settle(ask.nature, outcome, &mut tries).await? {
                return Ok(whole);
            }
        }
    }

    /// Sends a request whose answer says no more than that it was done.
    pub async fn done(&self, ask: &Ask) -> Result<(), HubError> {
        self.whole(ask).await.map(drop)
    }

    /// Sends a request and reads its answer as JSON. Answers to GET are kept by their ETag, if a folder for
    /// that was given, and not sent a second time by the Hub.
    pub async fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, HubError> {
        let whole = self.kept(ask, ask.url(&self.endpoint)?).await?;
        parse(&whole.body)
    }

    /// Reads a listing page by page, until `at_most` items are there or the Hub has no more.
    pub async fn pages<T: DeserializeOwned>(&self, ask: &Ask, at_most: usize) -> Result<Listed<T>, HubError> {
        let mut items: Vec<T> = Vec::new();
        let mut url = ask.url(&self.endpoint)?;
        for _ in 0..PAGES {
            let whole = self.kept(ask, url.clone()).await?;
            items.append(&mut parse(&whole.body)?);
            let next = whole.header(LINK.as_str()).and_then(next_of);
            let Some(next) = next else { return Ok(cut(items, at_most, false)) };
            if items.len() >= at_most {
                return Ok(cut(items, at_most, true));
            }
            let next = url.join(&next).map_err(|_| HubError::Strange("the next page has no address"))?;
            if next.origin() != url.origin() {
                return Err(HubError::Strange("the next page is at another host"));
            }
            if next == url {
                return Err(HubError::Strange("the next page is the same page"));
            }
            url = next;
        }
        Ok(cut(items, at_most, true))
    }

    /// The answer, from the cache if the Hub says that it has not changed.
    async fn kept(&self, ask: &Ask, url: Url) -> Result<Whole, HubError> {
        let (Some(cache), true) = (&self.cache, ask.method == Method::GET) else {
            return self.whole_at(ask, url).await;
        };
        let key = super::cache::Cache::key(url.as_str(), self.token.as_ref());
        let Some(kept) = cache.get(&key).await else {
            let whole = self.whole_at(ask, url).await?;
            cache.put(&key, &whole).await;
            return Ok(whole);
        };
        let conditional = ask.clone().header("if-none-match", kept.etag.clone());
        let whole = self.whole_at(&conditional, url).await?;
        if whole.status == StatusCode::NOT_MODIFIED {
            return Ok(kept.whole);
        }
        cache.put(&key, &whole).await;
        Ok(whole)
    }

    /// What to do with an outcome: give it, or wait and say that there is none yet.
    pub(super) async fn settle<T>(
        &self,
        nature: Nature,
        outcome: Result<T, HubError>,
        tries: &mut Tries,
    ) -> Result<Option<T>, HubError> {
        let error = match outcome {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        tries.done += 1;
        let again = match (&error, nature) {
            (HubError::Limited { .. }, _) => true,
            (error, Nature::Read) => error.may_pass(),
            (_, Nature::Write) => false,
        };
        let back_off = self.patience.base * 2u32.saturating_pow((tries.done - 1).min(10));
        let wait = match &error {
            HubError::Limited { after: Some(after) } => *after,
            _ => back_off,
        };
        let late = tries.since.elapsed().saturating_add(wait) > self.patience.whole;
        if !again || tries.done >= self.patience.tries || wait > self.patience.longest || late {
            return Err(error);
        }
        tokio::time::sleep(self.random.jitter(wait)).await;
        Ok(None)
    }

    /// Sends it once, and follows redirects.
    async fn once(&self, ask: &Ask, mut url: Url) -> Result<Response, HubError> {
        for _ in 0..=HOPS {
            let ours = ask.signed && self.is_home(&url);
            let mut request = self.http.request(ask.method.clone(), url.clone());
            for (name, value) in &ask.headers {
                request = request.header(*name, value);
            }
            if let Some((kind, body)) = &ask.body {
                request = request.header(reqwest::header::CONTENT_TYPE, *kind).body(body.clone());
            }
            if let Some(timeout) = ask.timeout {
                request = request.timeout(timeout);
            }
            if let (Some(token), true) = (&self.token, ours) {
                request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
            }
            let response = request.send().await.map_err(|error| HubError::unreachable(&error))?;
            let status = response.status();
            if status.is_success() || status == StatusCode::NOT_MODIFIED {
                return Ok(response);
            }
            let Some(next) = redirect(&response, &url)? else {
                return Err(self.refusal(ask, response).await);
            };
            let kept = matches!(status.as_u16(), 307 | 308);
            if ask.nature == Nature::Write && !kept {
                return Err(HubError::Strange("a change is answered with a redirect"));
            }
            if !self.is_home(&next) {
                match ask.elsewhere {
                    Elsewhere::Refuse => {
                        return Err(HubError::Strange("it sends us to another host"));
                    }
                    Elsewhere::Show => return Ok(response),
                    Elsewhere::Follow if url.scheme() == "https" && next.scheme() != "https" => {
                        return Err(HubError::Strange("it sends us to an address without TLS"));
                    }
                    Elsewhere::Follow => {}
                }
            }
            url = next;
        }
        Err(HubError::Strange("it sends us in a circle"))
    }

    /// Whether this is the Hub's own address: the only one that the token goes to.
    pub(super) fn is_home(&self, url: &Url) -> bool {
        Url::parse(&self.endpoint).is_ok_and(|home| home.origin() == url.origin())
    }

    async fn refusal(&self, ask: &Ask, mut response: Response) -> HubError {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk[..chunk.len().min(REFUSAL - body.len())]);
            if body.len() >= REFUSAL {
                break;
            }
        }
        let repo =
            ask.repo.as_ref().map(|(kind, id)| (id.as_str(), super::repo::page(*kind, id, &self.endpoint)));
        HubError::of(status, &headers, &body, &Asked { endpoint: &self.endpoint, repo })
    }
}

/// Where a redirect leads; `None` if this is none.
fn redirect(response: &Response, url: &Url) -> Result<Option<Url>, HubError> {
    if !response.status().is_redirection() {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let location = location.to_str().ok().and_then(|location| url.join(location).ok());
    location
        .filter(|next| matches!(next.scheme(), "http" | "https"))
        .map(Some)
        .ok_or(HubError::Strange("it sends us to something that is no address"))
}

/// The whole of an answer, if it is not larger than `cap`.
async fn whole_of(mut response: Response, cap: u64) -> Result<Whole, HubError> {
    let too_large = || HubError::TooLarge { what: "the Hub's answer".to_owned(), limit: cap };
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    if response.content_length().is_some_and(|length| length > cap) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| HubError::unreachable(&error))? {
        if (body.len() + chunk.len()) as u64 > cap {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Whole { status, headers, body: body.freeze() })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, HubError> {
    serde_json::from_slice(body).map_err(|_| HubError::Strange("it is no JSON of the expected form"))
}

fn cut<T>(mut items: Vec<T>, at_most: usize, more: bool) -> Listed<T> {
    let more = more || items.len() > at_most;
    items.truncate(at_most);
    Listed { items, more }
}

/// The address of the next page in a `Link` header.
fn next_of(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (address, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        let next = rest.split(';').any(|word| matches!(word.trim(), "rel=\"next\"" | "rel=next"));
        next.then(|| address.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_the_link_header() {
        for (link, next) in [
            (r#"<https://h/api?cursor=a>; rel="next""#, Some("https://h/api?cursor=a")),
            (r#"<https://h/1>; rel="prev", <https://h/3>; rel="next""#, Some("https://h/3")),
            (r#"<https://h/1>; rel="last""#, None),
            ("nonsense", None),
        ] {
            assert_eq!(next_of(link).as_deref(), next, "{link}");
        }
    }
}
