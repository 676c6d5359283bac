//! What is made of catalogues, good and bad.

use serde_json::json;

use super::*;

fn price(input: u64, output: u64) -> Price {
    Price { input, output, cached: None, cache_write: None }
}

fn listing() -> Listing {
    let body = json!({"object": "list", "data": [
        {"id": "org/Model", "providers": [
            {"provider": "novita", "status": "live", "context_length": 200_000,
             "pricing": {"input": 0.6, "output": 2.2}, "supports_tools": true},
            {"provider": "fal-ai", "status": "live", "context_length": 131_072,
             "pricing": {"input": "0.9", "output": "$1.5"}, "supports_tools": true},
            {"provider": "old", "status": "error", "context_length": 8_192,
             "pricing": {"input": 9.0, "output": 9.0}, "supports_tools": false},
        ]},
        {"id": "org/half-known", "providers": [
            {"provider": "a", "status": "live", "context_length": 1000, "pricing": {"input": 1, "output": 1}},
            {"provider": "b", "status": "live", "supports_tools": true},
        ]},
        {"id": "org/gone", "providers": [{"provider": "a", "status": "error", "context_length": 4_096}]},
        {"id": "org/empty"},
        {"id": "local", "max_model_len": 32_768},
        {"id": "llama", "meta": {"n_ctx_train": 131_072, "n_ctx": 4_096}},
        {"no id": true}, "nonsense",
    ]});
    Listing::read(body.to_string().as_bytes()).unwrap()
}

#[test]
fn a_tag_picks_its_provider_and_otherwise_the_worst_of_the_live_ones_counts() {
    let listing = listing();
    let facts = |id: &str, tag| listing.find(id).unwrap().facts(tag);
    let table = [
        ("org/Model", Some("novita"), Some(200_000), Some(price(600_000, 2_200_000)), Some(true)),
        ("org/model", Some("FAL-AI"), Some(131_072), Some(price(900_000, 1_500_000)), Some(true)),
        ("org/Model", Some("old"), Some(8_192), Some(price(9_000_000, 9_000_000)), Some(false)),
        ("org/Model", Some("nobody"), Some(131_072), None, None),
        ("org/Model", Some("fastest"), Some(131_072), Some(price(900_000, 2_200_000)), Some(true)),
        ("org/Model", Some("cheapest"), Some(131_072), Some(price(900_000, 2_200_000)), Some(true)),
        ("org/Model", None, Some(131_072), Some(price(900_000, 2_200_000)), Some(true)),
        ("org/half-known", None, Some(1_000), None, None),
        ("org/half-known", Some("a"), Some(1_000), Some(price(1_000_000, 1_000_000)), None),
        ("org/gone", None, Some(4_096), None, None),
        ("org/empty", None, None, None, None),
        ("local", None, Some(32_768), None, None),
        ("llama", None, Some(4_096), None, None),
    ];
    for (id, tag, window, price, tools) in table {
        assert_eq!(facts(id, tag), Listed { window, price, tools }, "{id} {tag:?}");
    }
    assert!(listing.find("org/other").is_none());
}

#[test]
fn nonsense_is_unknown_and_never_nothing() {
    for (value, expected) in [
        (json!(0.6), Some(600_000)),
        (json!("1,000.5"), Some(1_000_500_000)),
        (json!(0), Some(0)),
        (json!(0.000_000_01), Some(1)),
        (json!(-1), None),
        (json!("NaN"), None),
        (json!("inf"), None),
        (json!("free"), None),
        (json!(null), None),
        (json!(1e12), None),
        (json!({}), None),
    ] {
        assert_eq!(micros(&value), expected, "{value}");
    }
    for (value, expected) in
        [(json!(0), None), (json!(-5), None), (json!("128000"), Some(128_000)), (json!(1e300), None)]
    {
        assert_eq!(tokens(Some(&value)), expected, "{value}");
    }
    for body in ["", "<html>", "{}", r#"{"data": 3}"#] {
        assert_eq!(Listing::read(body.as_bytes()), None, "{body}");
    }
    assert_eq!(Listing::read(br#"{"data": []}"#), Some(Listing::default()));
}
