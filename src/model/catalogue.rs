//! A small kept table of context windows.
//!
//! Owns [`window`]. Never asks a provider; an id that is not here gets [`DEFAULT_WINDOW`].

/// Tokens that are assumed to fit when an id is not in the table.
pub const DEFAULT_WINDOW: u64 = 200_000;

/// Part of the lower-cased model name and its window in tokens; the first match counts.
const WINDOWS: [(&str, u64); 22] = [
    ("claude-opus-4.8", 1_000_000),
    ("claude-opus-4-8", 1_000_000),
    ("claude", 200_000),
    ("gpt-oss", 131_072),
    ("gpt-5", 400_000),
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

/// Tokens that fit into a model's window, by its id.
///
/// Servers of one's own (`ollama/` and the like) decide their window themselves; the table's number is
/// the model's own limit.
#[must_use]
pub fn window(model: &str) -> u64 {
    let name = model.to_ascii_lowercase();
    WINDOWS.iter().find(|(part, _)| name.contains(part)).map_or(DEFAULT_WINDOW, |(_, tokens)| *tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_counts_and_unknown_ids_get_the_default() {
        assert_eq!(window("moonshotai/Kimi-K2.6:novita"), 262_144);
        assert_eq!(window("openai/gpt-oss-120b:cerebras"), 131_072);
        assert_eq!(window("anthropic/claude-opus-4.8:fal-ai"), 1_000_000);
        assert_eq!(window("anthropic/claude-haiku-4-5"), 200_000);
        assert_eq!(window("someone/something"), DEFAULT_WINDOW);
    }
}
