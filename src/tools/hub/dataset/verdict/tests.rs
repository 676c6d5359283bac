//! Tables of datasets as they are found, and what each method makes of them.

use serde_json::{Value, json};

use super::*;
use crate::clients::dataset_viewer::feature::Feature;

/// A column in short: `s` text, `i` whole number, `b` yes or no, `m` messages, `g` ShareGPT, `c` two classes, `x` other.
fn column(name: &str, kind: char) -> Column {
    let text = || json!({"dtype": "string", "_type": "Value"});
    let value = |kind: &str| json!({"dtype": kind, "_type": "Value"});
    let feature = match kind {
        's' => text(),
        'i' => value("int64"),
        'b' => value("bool"),
        'f' => value("float64"),
        'm' => json!([{"role": text(), "content": text()}]),
        'M' => json!({"feature": {"role": text(), "content": text()}, "_type": "Sequence"}),
        'g' => json!([{"from": text(), "value": text()}]),
        'c' => json!({"names": ["neg", "pos"], "_type": "ClassLabel"}),
        'p' => json!({"_type": "Image"}),
        other => panic!("{other}"),
    };
    Column { name: name.to_owned(), feature: Feature::parse(&feature) }
}

fn table(columns: &str) -> Vec<Column> {
    let pairs = columns.split_whitespace().map(|pair| pair.split_once(':').unwrap());
    pairs.map(|(name, kind)| column(name, kind.chars().next().unwrap())).collect()
}

/// `SFT+` ready, `SFT~` after a mapping, `SFT-` not.
fn short(columns: &str) -> String {
    let signs = verdicts(&table(columns), &[]).into_iter().map(|it| {
        let sign = match it.fit {
            Fit::Ready => '+',
            Fit::Mapped(_) => '~',
            Fit::No(_) => '-',
        };
        format!("{}{sign}", it.method.name().split(' ').next().unwrap())
    });
    signs.collect::<Vec<_>>().join(" ")
}

#[test]
fn datasets_as_they_are_found() {
    for (columns, wanted) in [
        ("messages:m", "SFT+ DPO- KTO- GRPO~ Reward- Classification-"),
        ("messages:M id:s", "SFT+ DPO- KTO- GRPO~ Reward- Classification-"),
        ("prompt:s completion:s", "SFT+ DPO- KTO- GRPO+ Reward- Classification-"),
        ("prompt:m completion:m", "SFT+ DPO- KTO- GRPO+ Reward- Classification-"),
        ("text:s", "SFT+ DPO- KTO- GRPO- Reward- Classification-"),
        ("content:s path:s", "SFT~ DPO- KTO- GRPO- Reward- Classification-"),
        ("conversations:g", "SFT~ DPO- KTO- GRPO- Reward- Classification-"),
        ("conversation:m", "SFT~ DPO- KTO- GRPO~ Reward- Classification-"),
        ("instruction:s input:s output:s text:s", "SFT~ DPO- KTO- GRPO~ Reward- Classification-"),
        ("question:s answer:s", "SFT~ DPO- KTO- GRPO~ Reward- Classification-"),
        ("chosen:s rejected:s", "SFT~ DPO+ KTO~ GRPO- Reward+ Classification-"),
        ("chosen:m rejected:m", "SFT~ DPO+ KTO~ GRPO~ Reward+ Classification-"),
        ("prompt:s chosen:s rejected:s", "SFT~ DPO+ KTO~ GRPO+ Reward+ Classification-"),
        ("prompt:m chosen:m rejected:m", "SFT~ DPO+ KTO~ GRPO+ Reward+ Classification-"),
        ("prompt:s chosen:m rejected:m score_chosen:f", "SFT~ DPO~ KTO~ GRPO+ Reward~ Classification-"),
        ("question:s chosen:s rejected:s", "SFT~ DPO~ KTO~ GRPO~ Reward~ Classification-"),
        (
            "instruction:s chosen_response:s rejected_response:s",
            "SFT- DPO~ KTO~ GRPO~ Reward~ Classification-",
        ),
        ("prompt:s chosen:s rejected:m", "SFT~ DPO- KTO- GRPO+ Reward- Classification-"),
        ("prompt:s completion:s label:b", "SFT+ DPO- KTO+ GRPO+ Reward- Classification-"),
        ("prompt:m completion:m label:b", "SFT+ DPO- KTO+ GRPO+ Reward- Classification-"),
        ("prompt:s response:s label:i", "SFT~ DPO- KTO~ GRPO+ Reward- Classification-"),
        ("prompt:s", "SFT- DPO- KTO- GRPO+ Reward- Classification-"),
        ("problem:s solution:s", "SFT~ DPO- KTO- GRPO~ Reward- Classification-"),
        ("text:s label:c", "SFT+ DPO- KTO- GRPO- Reward- Classification+"),
        ("sentence:s label:c idx:i", "SFT~ DPO- KTO- GRPO- Reward- Classification~"),
        ("review:s sentiment:s", "SFT- DPO- KTO- GRPO- Reward- Classification~"),
        ("premise:s hypothesis:s label:c", "SFT- DPO- KTO- GRPO- Reward- Classification+"),
        ("image:p label:c", "SFT- DPO- KTO- GRPO- Reward- Classification-"),
        ("a:f b:f", "SFT- DPO- KTO- GRPO- Reward- Classification-"),
        ("", "SFT- DPO- KTO- GRPO- Reward- Classification-"),
    ] {
        // A classification needs text that can be told: where it is not certain, it is not ready.
        let got = short(columns);
        let got =
            got.split(' ').zip(wanted.split(' ')).filter(|(got, wanted)| got != wanted).collect::<Vec<_>>();
        assert!(got.is_empty(), "{columns}: {got:?}");
    }
}

#[test]
fn mappings_are_code_that_does_what_it_says() {
    let mut out = String::new();
    for columns in [
        "question:s answer:s",
        "instruction:s input:s output:s",
        "conversations:g",
        "dialogue:m",
        "prompt:s chosen:m rejected:m",
        "instruction:s chosen_response:s rejected_response:s",
        "prompt:s response:s is_good:i",
        "review:s sentiment:s",
        "od\"d:s label:c",
    ] {
        out.push_str(&format!("=== {columns}\n"));
        for verdict in verdicts(&table(columns), &[]) {
            if let Fit::Mapped(code) = verdict.fit {
                out.push_str(&format!("# {} ({})\n{code}\n", verdict.method.name(), verdict.note));
            }
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_is_missing_is_named() {
    let verdicts = verdicts(&table("prompt:s rejected:s"), &[]);
    let missing = |method: Method| match &verdicts.iter().find(|it| it.method == method).unwrap().fit {
        Fit::No(missing) => missing.join("; "),
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(Method::Dpo), "chosen");
    assert_eq!(missing(Method::Kto), "completion; label (yes or no)");
    assert_eq!(missing(Method::Classification), "label (a class for each row)");
    assert_eq!(missing(Method::Sft), "messages, or prompt and completion, or text");
}

#[test]
fn rows_tell_where_columns_do_not() {
    let unknown = Column { name: "messages".to_owned(), feature: Feature::Other("Json".to_owned()) };
    let row = json!({"messages": [{"role": "user", "content": "hi"}]});
    let Value::Object(row) = row else { panic!() };
    assert_eq!(verdicts(std::slice::from_ref(&unknown), &[row])[0].fit, Fit::Ready);
    assert!(matches!(verdicts(&[unknown], &[])[0].fit, Fit::No(_)));
}

#[test]
fn ten_thousand_columns_are_judged_soon() {
    let columns: Vec<Column> = (0..10_000).map(|at| column(&format!("c{at}"), 's')).collect();
    let began = std::time::Instant::now();
    assert_eq!(verdicts(&columns, &[]).len(), 6);
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
}
