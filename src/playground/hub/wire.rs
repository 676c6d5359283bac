//! Small parts of the Hub's wire forms: times, addresses, queries, pages with `Link`.
//!
//! Never knows of repos. Start at [`Query`] and [`page`].

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::errors::{HubError, header_value};
use super::shared::Hub;
use crate::clock::Timestamp;

/// `2026-11-25T20:00:00.000Z`.
pub fn iso(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{}.{:03}Z", moment.strftime("%Y-%m-%dT%H:%M:%S"), at.0.rem_euclid(1000))
}

/// One segment of an address.
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// The pairs of a query or of a form, in order and repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(pub Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`.
    pub fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|it| !it.is_empty());
        Self(
            pairs
                .map(|it| it.split_once('=').unwrap_or((it, "")))
                .map(|(a, b)| (decoded(a), decoded(b)))
                .collect(),
        )
    }

    /// The first value of a name, if it is not empty.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().filter(|it| !it.is_empty())
    }

    /// All values of a name; `name[]` counts as `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(it, _)| it.strip_suffix("[]").unwrap_or(it) == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on: `1`, `true`, `True`.
    pub fn on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|it| matches!(it, "1" | "true" | "True"))
    }

    /// A number of at least `least`.
    ///
    /// # Errors
    /// It is none, or too small.
    pub fn number(&self, name: &str, least: usize) -> Result<Option<usize>, HubError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => Err(HubError::bad(format!("\"{name}\" must be a number of at least {least}"))),
        }
    }

    fn with(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(it, _)| it != name);
        let pairs = kept.map(|(a, b)| format!("{}={}", encoded(a), encoded(b)));
        pairs.chain([format!("{name}={}", encoded(value))]).collect::<Vec<_>>().join("&")
    }
}

/// Undoes percent-encoding; what is not UTF-8 becomes U+FFFD.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let code = raw.get(at + 1..at + 3).and_then(|it| hex::decode(it).ok()).filter(|_| raw[at] == b'%');
        match code {
            Some(code) => {
                bytes.extend(code);
                at += 3;
            }
            None => {
                bytes.push(if raw[at] == b'+' { b' ' } else { raw[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl FromRequestParts<Hub> for Query {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, _: &Hub) -> Result<Self, HubError> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

/// One page of `all`, as JSON, with a `Link` to the next one. `most` is the page's size.
///
/// # Errors
/// The cursor is not one of ours.
pub fn page(address: &str, query: &Query, all: Vec<Value>, most: usize) -> Result<Response, HubError> {
    let begin = match query.get("cursor") {
        None => 0,
        Some(cursor) => uncursor(cursor).ok_or_else(|| HubError::bad("Invalid cursor"))?,
    };
    let left = all.len().saturating_sub(begin);
    let items: Vec<Value> = all.into_iter().skip(begin).take(most.max(1)).collect();
    let next = begin + items.len();
    let more = left > items.len();
    let mut response = Json(items).into_response();
    if more {
        let link = format!("<{address}?{}>; rel=\"next\"", query.with("cursor", &cursor(next)));
        response.headers_mut().insert(header::LINK, header_value(&link));
    }
    Ok(response)
}

// Opaque, so that nobody counts on its being a number.
fn cursor(at: usize) -> String {
    hex::encode(format!("after:{at}"))
}

fn uncursor(text: &str) -> Option<usize> {
    let plain = hex::decode(text).ok()?;
    std::str::from_utf8(&plain).ok()?.strip_prefix("after:")?.parse().ok()
}

/// Text of a header; empty if it is not there.
pub fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

/// A JSON body.
///
/// # Errors
/// It is none.
pub fn json_body(body: &[u8]) -> Result<Value, HubError> {
    serde_json::from_slice(body).map_err(|error| HubError::bad(format!("The body is not JSON: {error}")))
}

/// A text field of a JSON body that must be there.
///
/// # Errors
/// It is missing, or no text.
pub fn text_field<'a>(body: &'a Value, name: &str) -> Result<&'a str, HubError> {
    let text = body[name].as_str().filter(|it| !it.is_empty());
    text.ok_or_else(|| HubError::bad(format!("\"{name}\" is required")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_with_repeats_and_brackets() {
        let query = Query::read("filter=a&filter=task%3Ab&expand[]=x+y&flag=true&n=7");
        assert_eq!(query.all("filter").collect::<Vec<_>>(), ["a", "task:b"]);
        assert_eq!(query.get("expand"), Some("x y"));
        assert!(query.on("flag") && !query.on("other"));
        assert_eq!(query.number("n", 1).unwrap(), Some(7));
        assert!(query.number("n", 8).is_err());
    }

    #[test]
    fn times_are_written_as_the_hub_writes_them() {
        assert_eq!(iso(Timestamp(1_764_104_713_042)), "2025-11-25T21:05:13.042Z");
    }

    #[test]
    fn pages_link_to_the_next() {
        let all: Vec<Value> = (0..5).map(Value::from).collect();
        let first = page("http://h/api", &Query::read("search=a%20b"), all.clone(), 2).unwrap();
        let link = first.headers()[header::LINK].to_str().unwrap().to_owned();
        assert!(
            link.starts_with("<http://h/api?search=a%20b&cursor=") && link.ends_with("rel=\"next\""),
            "{link}"
        );
        let query = link.split(['?', '>']).nth(1).unwrap();
        assert!(
            page("x", &Query::read(query), all.clone(), 3).unwrap().headers().get(header::LINK).is_none()
        );
        assert!(page("x", &Query::read("cursor=zz"), all, 3).is_err());
    }
}
