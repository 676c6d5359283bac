//! A kept table of windows and prices, for makers whose own service tells neither.
//!
//! Written down on 2026-11-25 from public pages and, for older models, from memory; it may be wrong, and `budgets.prices` in the
//! configuration wins over it. Never asks anybody. Start at [`price_and_window`] and [`window`].

use crate::protocol::Price;

use super::provider::Home;

/// One model: the beginning of its name, its window in tokens, and prices in thousandths of a dollar per
/// million tokens: prompt, completion, prompt read from the cache, prompt written to it.
///
/// Where a maker charges more above some length, the window given here ends at that length, so that
/// the price is always the one that is paid.
type Row = (&'static str, u64, [u64; 4]);

/// Anthropic. Writing to the cache is for five minutes.
const CLAUDE: [Row; 15] = [
    ("claude-opus-4-8", 1_000_000, [5_000, 25_000, 500, 6_250]),
    ("claude-opus-4-7", 1_000_000, [5_000, 25_000, 500, 6_250]),
    ("claude-opus-4-6", 1_000_000, [5_000, 25_000, 500, 6_250]),
    ("claude-opus-4-5", 200_000, [5_000, 25_000, 500, 6_250]),
    ("claude-opus-4-1", 200_000, [15_000, 75_000, 1_500, 18_750]),
    ("claude-opus-4-0", 200_000, [15_000, 75_000, 1_500, 18_750]),
    ("claude-opus-4", 200_000, [15_000, 75_000, 1_500, 18_750]),
    ("claude-sonnet-4-6", 1_000_000, [3_000, 15_000, 300, 3_750]),
    ("claude-sonnet-4-5", 200_000, [3_000, 15_000, 300, 3_750]),
    ("claude-sonnet-4-0", 200_000, [3_000, 15_000, 300, 3_750]),
    ("claude-sonnet-4", 200_000, [3_000, 15_000, 300, 3_750]),
    ("claude-3-7-sonnet", 200_000, [3_000, 15_000, 300, 3_750]),
    ("claude-haiku-4-5", 200_000, [1_000, 5_000, 100, 1_250]),
    ("claude-3-5-haiku", 200_000, [800, 4_000, 80, 1_000]),
    ("claude-3-haiku", 200_000, [250, 1_250, 30, 300]),
];

/// OpenAI. Writing to the cache costs what reading the prompt costs.
const GPT: [Row; 20] = [
    ("gpt-5.5-pro", 272_000, [30_000, 180_000, 30_000, 30_000]),
    ("gpt-5.5", 272_000, [5_000, 30_000, 500, 5_000]),
    ("gpt-5.4-pro", 272_000, [30_000, 180_000, 30_000, 30_000]),
    ("gpt-5.4-mini", 272_000, [750, 4_500, 75, 750]),
    ("gpt-5.4-nano", 272_000, [200, 1_250, 20, 200]),
    ("gpt-5.4", 272_000, [2_500, 15_000, 250, 2_500]),
    ("gpt-5.2", 272_000, [1_750, 14_000, 175, 1_750]),
    ("gpt-5.1", 272_000, [1_250, 10_000, 125, 1_250]),
    ("gpt-5-pro", 272_000, [15_000, 120_000, 15_000, 15_000]),
    ("gpt-5-mini", 272_000, [250, 2_000, 25, 250]),
    ("gpt-5-nano", 272_000, [50, 400, 5, 50]),
    ("gpt-5", 272_000, [1_250, 10_000, 125, 1_250]),
    ("gpt-4.1-mini", 1_047_576, [400, 1_600, 100, 400]),
    ("gpt-4.1-nano", 1_047_576, [100, 400, 25, 100]),
    ("gpt-4.1", 1_047_576, [2_000, 8_000, 500, 2_000]),
    ("gpt-4o-mini", 128_000, [150, 600, 75, 150]),
    ("gpt-4o", 128_000, [2_500, 10_000, 1_250, 2_500]),
    ("o4-mini", 200_000, [1_100, 4_400, 275, 1_100]),
    ("o3-mini", 200_000, [1_100, 4_400, 550, 1_100]),
    ("o3", 200_000, [2_000, 8_000, 500, 2_000]),
];

/// Gemini.
const GEMINI: [Row; 6] = [
    ("gemini-3.1-pro", 200_000, [2_000, 12_000, 200, 2_000]),
    ("gemini-3-pro", 200_000, [2_000, 12_000, 200, 2_000]),
    ("gemini-3-flash", 1_048_576, [500, 3_000, 50, 500]),
    ("gemini-2.5-pro", 200_000, [1_250, 10_000, 125, 1_250]),
    ("gemini-2.5-flash-lite", 1_048_576, [100, 400, 10, 100]),
    ("gemini-2.5-flash", 1_048_576, [300, 2_500, 30, 300]),
];

/// Part of a lower-cased model name and its window in tokens; the first match counts. For open models,
/// when their provider's catalogue does not answer, and for servers of one's own.
const WINDOWS: [(&str, u64); 22] = [
    ("claude-opus-4.8", 1_000_000),
    ("claude-opus-4-8", 1_000_000),
    ("claude", 200_000),
    ("gpt-oss", 131_072),
    ("gpt-5", 272_000),
    ("gpt-4.1", 1_047_576),
    ("gpt-4o", 128_000),
    ("gemini", 1_048_576),
    ("gemma-3", 131_072),
    ("kimi-k2", 262_144),
    ("minimax-m2", 196_608),
    ("minimax-m1", 1_000_000),
    ("glm-5", 202_752),
    ("glm-4", 131_072),
    ("deepseek-v4", 1_000_000),
    ("deepseek", 131_072),
    ("qwen3-coder", 262_144),
    ("qwen3", 131_072),
    ("qwen2.5", 32_768),
    ("llama-4", 1_000_000),
    ("llama-3", 131_072),
    ("mistral", 131_072),
];

/// What the table has of a maker's own model, by the name that goes on the wire. A dated or `latest`
/// form of a name is that model; any other longer name is another model, of which nothing is known.
pub(super) fn price_and_window(home: Home, name: &str) -> Option<(Price, u64)> {
    let rows: &[Row] = match home {
        Home::Anthropic => &CLAUDE,
        Home::OpenAi => &GPT,
        Home::Gemini => &GEMINI,
        Home::Router | Home::Local(_) => return None,
    };
    let plain = |name: &str| name.to_ascii_lowercase().replace('.', "-");
    let name = plain(name);
    let (_, window, [input, output, cached, cache_write]) =
        rows.iter().find(|(start, ..)| name.strip_prefix(&plain(start)).is_some_and(is_an_edition))?;
    let micros = |thousandths: u64| thousandths * 1_000;
    let price = Price {
        input: micros(*input),
        output: micros(*output),
        cached: Some(micros(*cached)),
        cache_write: Some(micros(*cache_write)),
    };
    Some((price, *window))
}

/// `""`, `-latest`, `-preview`, `-preview-05-06`, `-20250929`, `-2024-08-06`, `-001`; never `-8` or `-mini`.
fn is_an_edition(rest: &str) -> bool {
    let mut parts = rest.split('-');
    if parts.next() != Some("") {
        return false;
    }
    let digits = |part: &str| part.chars().all(|letter| letter.is_ascii_digit()) && !part.is_empty();
    let begins_well = match parts.next() {
        None | Some("latest" | "preview") => true,
        Some(part) => part.len() >= 3 && digits(part),
    };
    begins_well && parts.all(|part| part == "preview" || digits(part))
}

/// The window of a model of which only a part of its name is known; `None` if not even that.
pub(super) fn window(id: &str) -> Option<u64> {
    let name = id.to_ascii_lowercase();
    WINDOWS.iter().find(|(part, _)| name.contains(part)).map(|(_, tokens)| *tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_of_a_model_is_that_model_and_a_longer_name_is_another() {
        let input = |home, name| price_and_window(home, name).map(|(price, _)| price.input);
        for (home, name, expected) in [
            (Home::Anthropic, "claude-opus-4-8", Some(5_000_000)),
            (Home::Anthropic, "claude-opus-4.8", Some(5_000_000)),
            (Home::Anthropic, "claude-opus-4-20250514", Some(15_000_000)),
            (Home::Anthropic, "claude-haiku-4-5-20251001", Some(1_000_000)),
            (Home::Anthropic, "claude-3-7-sonnet-latest", Some(3_000_000)),
            (Home::Anthropic, "claude-opus-4-9", None),
            (Home::Anthropic, "claude-opus-5", None),
            (Home::OpenAi, "gpt-5.5", Some(5_000_000)),
            (Home::OpenAi, "gpt-5", Some(1_250_000)),
            (Home::OpenAi, "gpt-5.9", None),
            (Home::OpenAi, "gpt-5.5-codex", None),
            (Home::OpenAi, "gpt-4o-2024-08-06", Some(2_500_000)),
            (Home::OpenAi, "gpt-4o-mini", Some(150_000)),
            (Home::Gemini, "gemini-2.5-flash-lite", Some(100_000)),
            (Home::Gemini, "gemini-3-pro-preview", Some(2_000_000)),
            (Home::Gemini, "gemini-2.5-pro-preview-05-06", Some(1_250_000)),
            (Home::Router, "claude-opus-4-8", None),
            (Home::Local("ollama"), "gpt-5", None),
        ] {
            assert_eq!(input(home, name), expected, "{name}");
        }
    }

    #[test]
    fn no_row_hides_another() {
        for (home, rows) in
            [(Home::Anthropic, &CLAUDE[..]), (Home::OpenAi, &GPT[..]), (Home::Gemini, &GEMINI[..])]
        {
            for (name, window, [input, ..]) in rows {
                let (price, found) = price_and_window(home, name).unwrap();
                assert_eq!((price.input, found), (input * 1_000, *window), "{name}");
            }
        }
    }

    #[test]
    fn windows_of_open_models_go_by_parts_of_the_name() {
        assert_eq!(window("moonshotai/Kimi-K2.6:novita"), Some(262_144));
        assert_eq!(window("openai/gpt-oss-120b:cerebras"), Some(131_072));
        assert_eq!(window("anthropic/claude-haiku-4-5"), Some(200_000));
        assert_eq!(window("someone/something"), None);
    }
}
