//! Reading: the text of one file, a piece at a time.

use super::Checked;
use crate::clients::hub::{Hub, Span};
use crate::protocol::ToolOutcome;
use crate::tools::hub::HubKit;
use crate::tools::hub::repo_words::{bytes, fenced, told};

/// Characters that are shown if the model does not say.
const USUAL: usize = 50_000;
/// Characters of what stands above and around the text.
const HEAD: usize = 1_000;

/// Characters that one call shows at most.
pub(super) fn most(kit: &HubKit) -> usize {
    USUAL.min(kit.output_cap.saturating_sub(HEAD)).max(1)
}

pub(super) async fn read(hub: &Hub, at: &Checked, path: &str, (offset, most): (u64, usize)) -> ToolOutcome {
    let repo = &at.repo;
    // A character is at most four bytes, and the first may be cut.
    let span = Span { from: offset, at_most: most.saturating_mul(4).saturating_add(4) };
    let piece = match hub.read_file((repo, &at.revision), path, span).await {
        Ok(piece) => piece,
        Err(crate::clients::hub::HubError::Refused { status: 416, .. }) => {
            return ToolOutcome::failed(format!("{path} of {repo} ends before byte {offset}."));
        }
        Err(error) => return told(&error, repo),
    };
    let size = piece.total.map_or_else(|| "size unknown".to_owned(), bytes);
    let page = hub.file_page((repo, &at.revision), path);
    let Some((skipped, text)) = text(&piece.bytes, offset, piece.more) else {
        return ToolOutcome::done(format!(
            "{path} of {repo} at {}: binary ({size}), not shown.\n{page}",
            at.revision
        ));
    };
    let end = text.char_indices().nth(most).map_or(text.len(), |(at, _)| at);
    let shown = &text[..end];
    let next = offset + skipped + shown.len() as u64;
    let cut = piece.more || end < text.len() || skipped as usize + text.len() < piece.bytes.len();
    let note = match (offset, cut) {
        (0, false) => String::new(),
        (_, false) => format!(", bytes {offset} to its end"),
        (_, true) => format!(", bytes {offset} to {next}: it goes on at `offset` {next}"),
    };
    let body = if shown.is_empty() { "(empty)".to_owned() } else { fenced(shown) };
    ToolOutcome::done(format!("{path} of {repo} at {} ({size}{note}).\n{page}\n\n{body}", at.revision))
}

/// The bytes as text, after those of a character that was cut at the beginning; `None` if they are none.
fn text(bytes: &[u8], offset: u64, goes_on: bool) -> Option<(u64, &str)> {
    let skipped =
        if offset == 0 { 0 } else { bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count() };
    let bytes = &bytes[skipped..];
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Only a character that was cut at the end is forgiven.
        Err(error) if goes_on && error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some((skipped as u64, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_were_cut_are_no_binary() {
        let all = "aé漢x".as_bytes();
        for (from, to, goes_on, is) in [
            (0, all.len(), false, Some((0, "aé漢x"))),
            (0, 2, true, Some((0, "a"))),
            (0, 2, false, None),
            (2, all.len(), false, Some((1, "漢x"))),
            (4, 6, true, Some((2, ""))),
        ] {
            assert_eq!(text(&all[from..to], from as u64, goes_on), is, "{from}..{to}");
        }
        assert_eq!(text(b"a\0b", 0, false), None);
        assert_eq!(text(&[0xff, 0xfe, b'a'], 0, true), None);
    }
}
