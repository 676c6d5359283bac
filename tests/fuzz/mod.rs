//! The invariants of `fuzz/`, on inputs that proptest makes up: bounded, so that every build runs them.

use proptest::prelude::*;

#[path = "../../fuzz/invariants.rs"]
mod invariants;

/// Bytes, and text made of what parsers care about.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..24),
        "\\PC{0,16}".prop_map(String::into_bytes),
        proptest::sample::select(vec![
            "HF_TOKEN", "=", ": ", "\"", "\\\"", "'", "\n", " ", "Bearer ", "://", "@", "sk-", "hf_", "xoxb-",
            "AKIA", "[REDACTED]", "pl@nted", "/model ", "!fork ", "<@U0>", "{", "}", "[", "]", "null", "1e999",
            "{\"command\":", "\"timeout\":-1", "{\"type\":\"user\",\"message\":{\"content\":\"x\"}}\n",
            "{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"content\":[{\"type\":\"tool_use\",\"id\":\"c\",\"name\":\"t\",\"input\":{}}]}}\n",
            "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c\",\"content\":\"r\"}]}}\n",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn redaction_holds(data in input()) {
        invariants::redaction(&data);
    }

    #[test]
    fn arguments_are_read_or_refused(data in input()) {
        invariants::arguments(&data);
    }

    #[test]
    fn commands_are_read_or_refused(data in input()) {
        invariants::commands(&data);
    }

    #[test]
    fn traces_are_read_or_refused(data in input()) {
        invariants::traces(&data);
    }
}
