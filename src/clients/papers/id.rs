//! The id of a paper on arXiv, however people write it.
//!
//! Nothing that is not such an id becomes part of an address. Start at [`ArxivId::parse`].

use std::fmt;

/// A paper's id: `2305.18290` or `cs/0112017`, and perhaps a version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArxivId {
    bare: String,
    version: Option<u32>,
}

impl ArxivId {
    /// Reads an id, or an address of arXiv, ar5iv, alphaXiv or the Hub that holds one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['<', '>', '"', '`']);
        let plain = address(text).unwrap_or(text);
        let plain = plain.split(['?', '#']).next().unwrap_or_default();
        let lower = plain.to_ascii_lowercase();
        let plain = ["arxiv:", "10.48550/arxiv."]
            .iter()
            .find(|prefix| lower.starts_with(**prefix))
            .map_or(plain, |prefix| &plain[prefix.len()..])
            .trim();
        let plain = plain.trim_end_matches('/');
        let plain = [".pdf", ".md", ".html"].iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(plain);
        let (bare, version) = match plain.rsplit_once('v') {
            Some((bare, version))
                if is_digits(version, 1, 3) && bare.ends_with(|c: char| c.is_ascii_digit()) =>
            {
                (bare, Some(version.parse().ok()?))
            }
            _ => (plain, None),
        };
        (is_new(bare) || is_old(bare)).then(|| Self { bare: bare.to_owned(), version })
    }

    /// The id without its version.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.bare
    }

    /// Where people find the paper on arXiv.
    #[must_use]
    pub fn page(&self) -> String {
        format!("https://arxiv.org/abs/{self}")
    }

    /// Where people find it as PDF.
    #[must_use]
    pub fn pdf(&self) -> String {
        format!("https://arxiv.org/pdf/{self}")
    }
}

impl fmt::Display for ArxivId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bare)?;
        self.version.map_or(Ok(()), |version| write!(f, "v{version}"))
    }
}

/// What follows the kind of page in an address.
fn address(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let (host, path) = rest.split_once('/')?;
    if !host.contains('.') || host.starts_with("10.") {
        return None;
    }
    if matches!(host, "doi.org" | "dx.doi.org") {
        return Some(path);
    }
    ["abs/", "pdf/", "html/", "papers/", "format/", "list/", "overview/"]
        .iter()
        .find_map(|kind| path.strip_prefix(kind))
}

fn is_digits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// `YYMM.NNNN` or `YYMM.NNNNN`.
fn is_new(text: &str) -> bool {
    text.split_once('.').is_some_and(|(month, number)| is_digits(month, 4, 4) && is_digits(number, 4, 5))
}

/// `archive/YYMMNNN` or `archive.SC/YYMMNNN`.
fn is_old(text: &str) -> bool {
    let Some((archive, number)) = text.split_once('/') else { return false };
    let (archive, class) = archive.split_once('.').map_or((archive, None), |(one, two)| (one, Some(two)));
    let archive =
        (2..=10).contains(&archive.len()) && archive.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let class = class.is_none_or(|class| class.len() == 2 && class.bytes().all(|b| b.is_ascii_alphabetic()));
    archive && class && is_digits(number, 7, 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_however_they_are_written() {
        for (text, wanted) in [
            ("2305.18290", "2305.18290"),
            (" 2305.18290v3 ", "2305.18290v3"),
            ("arXiv:2305.18290", "2305.18290"),
            ("https://arxiv.org/abs/2305.18290v2", "2305.18290v2"),
            ("https://arxiv.org/pdf/2305.18290.pdf", "2305.18290"),
            ("arxiv.org/html/2305.18290v1#S3", "2305.18290v1"),
            ("https://huggingface.co/papers/2305.18290", "2305.18290"),
            ("https://ar5iv.labs.arxiv.org/html/2305.18290", "2305.18290"),
            ("https://doi.org/10.48550/arXiv.2305.18290", "2305.18290"),
            ("10.48550/arXiv.2305.18290", "2305.18290"),
            ("0704.0001", "0704.0001"),
            ("cs/0112017", "cs/0112017"),
            ("https://arxiv.org/abs/cs/0112017v1", "cs/0112017v1"),
            ("math.GT/0309136", "math.GT/0309136"),
            ("hep-th/9901001v3", "hep-th/9901001v3"),
        ] {
            assert_eq!(ArxivId::parse(text).map(|id| id.to_string()).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(ArxivId::parse("hep-th/9901001v3").unwrap().bare(), "hep-th/9901001");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "dpo",
            "2305",
            "2305.1",
            "2305.182901",
            "../2305.18290",
            "2305.18290/../x",
            "cs/011201",
            "CS/0112017",
            "https://example.org/2305.18290x",
            "2305.18290v",
            "a/b/0112017",
            "2305.18290v1234",
            "v1",
            "１２34.56789",
        ] {
            assert_eq!(ArxivId::parse(text), None, "{text}");
        }
    }
}
