//! One script of calls, on this machine and in a sandbox: what the model reads is the same.

use ml_intern::agent::tool::Risk;
use serde_json::{Value, json};

use super::Desk;

fn script() -> Vec<(&'static str, Value)> {
    let many: String = (1..=2_500).map(|number| format!("line {number}\n")).collect();
    vec![
        ("write", json!({ "path": "a/b.txt", "content": "one\ntwo\n\nfour" })),
        ("read", json!({ "path": "a/b.txt" })),
        ("read", json!({ "path": "a/b.txt", "offset": 2, "limit": 1 })),
        ("read", json!({ "path": "a/b.txt", "offset": 9 })),
        ("read", json!({ "path": "a/c.txt" })),
        ("read", json!({ "path": "nothing/here.txt" })),
        ("read", json!({ "path": "a" })),
        ("read", json!({ "path": "." })),
        ("write", json!({ "path": "a", "content": "x" })),
        ("edit", json!({ "path": "a/b.txt", "old_str": "two", "new_str": "2" })),
        ("edit", json!({ "path": "a/b.txt", "old_str": "nowhere", "new_str": "2" })),
        ("edit", json!({ "path": "a/none.txt", "old_str": "x", "new_str": "2" })),
        ("bash", json!({ "command": "printf 'changed\\n' > a/b.txt" })),
        ("write", json!({ "path": "a/b.txt", "content": "mine" })),
        ("edit", json!({ "path": "a/b.txt", "old_str": "changed", "new_str": "2" })),
        ("bash", json!({ "command": "printf 'fresh' > unread.txt" })),
        ("write", json!({ "path": "unread.txt", "content": "mine" })),
        ("read", json!({ "path": "a/b.txt" })),
        ("write", json!({ "path": "a/b.txt", "content": "mine\n" })),
        ("bash", json!({ "command": "cat a/b.txt; echo err >&2; exit 3" })),
        ("bash", json!({ "command": "true" })),
        ("bash", json!({ "command": "kill -9 $$" })),
        ("bash", json!({ "command": "echo begun; sleep 30", "timeout": 1 })),
        ("bash", json!({ "command": "basename $(pwd)", "work_dir": "a" })),
        ("bash", json!({ "command": "printf '\\000\\001\\002' > m.bin; printf '' > empty" })),
        ("read", json!({ "path": "m.bin" })),
        ("read", json!({ "path": "empty" })),
        ("write", json!({ "path": "wide", "content": format!("{}\nnext\n", "é".repeat(5_000)) })),
        ("read", json!({ "path": "wide" })),
        ("write", json!({ "path": "long", "content": many })),
        ("read", json!({ "path": "long" })),
        ("read", json!({ "path": "long", "offset": 2_499 })),
        ("write", json!({ "path": "huge", "content": "0123456789\n".repeat(10_000) })),
        ("read", json!({ "path": "huge", "limit": 10_000 })),
        ("write", json!({ "path": "crlf", "content": "one\r\ntwo\r\n" })),
        ("edit", json!({ "path": "crlf", "old_str": "one\ntwo", "new_str": "1\n2" })),
        ("read", json!({ "path": "crlf" })),
        ("write", json!({ "path": "b", "content": "b b\nb\n" })),
        ("edit", json!({ "path": "b", "old_str": "b", "new_str": "X" })),
        ("edit", json!({ "path": "b", "old_str": "b", "new_str": "X", "replace_all": true })),
    ]
}

#[tokio::test]
async fn the_same_calls_give_the_same_texts_here_and_in_a_sandbox() {
    let (here, there) = (Desk::here().await, Desk::new().await);
    there.with_sandbox().await;
    for (tool, arguments) in script() {
        let (one, other) =
            (here.call(tool, arguments.clone()).await, there.call(tool, arguments.clone()).await);
        let shown: String = arguments.to_string().chars().take(120).collect();
        assert_eq!(one.output, other.output, "{tool} {shown}");
        assert_eq!(one.success, other.success, "{tool} {shown}");
    }
    for path in ["/proc/self/environ", "/sys/kernel", "", "~/x", "a\0b"] {
        for desk in [&here, &there] {
            assert!(desk.try_call("read", json!({ "path": path })).await.is_err(), "{path:?}");
        }
    }
}

#[tokio::test]
async fn long_output_is_cut_and_read_on_from_its_file_in_either_place() {
    for desk in [Desk::here().await, Desk::new().await] {
        if desk.tools.iter().any(|tool| tool.spec().name == "sandbox_create") {
            desk.with_sandbox().await;
        }
        let done = desk.call("bash", json!({ "command": "seq 1 20000" })).await;
        assert!(done.output.starts_with("1\n2\n") && done.output.ends_with("19999\n20000"));
        assert!(done.output.chars().count() < 25_400, "{}", done.output.chars().count());
        let file = done.output.split("all of it is in ").nth(1).unwrap().split(", which").next().unwrap();
        let page = desk.call("read", json!({ "path": file, "offset": 19_999 })).await;
        assert_eq!(page.output, " 19999\t19999\n 20000\t20000");
    }
}

#[tokio::test]
async fn what_a_sandbox_asks_and_promises_is_its_own() {
    let desk = Desk::new().await;
    let bash = desk.assess("bash", &json!({ "command": "ls" }));
    assert_eq!(
        bash.risk,
        Risk::Ask {
            reason: "Runs a shell command in the sandbox, which holds a token of the Hub.".to_owned()
        }
    );
    assert_eq!(bash.alike.unwrap().words, "shell commands in this session's sandbox");
    let write = desk.assess("write", &json!({ "path": "/app/x.py", "content": "x" }));
    assert_eq!((write.risk, write.title.as_str()), (Risk::Free, "Write x.py (1 line)"));
    assert_eq!(
        desk.assess("read", &json!({ "path": "/etc/hosts" })).risk,
        Risk::Free,
        "it is not this machine"
    );
    let outside = Risk::Ask { reason: "It changes the machine outside of /app.".to_owned() };
    for path in ["/etc/hosts", "../x", "/app/../etc/hosts", "/application/x"] {
        assert_eq!(desk.assess("write", &json!({ "path": path, "content": "x" })).risk, outside, "{path}");
        let edit = json!({ "path": path, "old_str": "x", "new_str": "y" });
        assert_eq!(desk.assess("edit", &edit).risk, outside, "{path}");
    }
    let description = desk.tool("bash").spec().description;
    assert!(description.contains("240 if left out, 1200 at most"), "{description}");
    assert!(!description.contains("no tokens"), "{description}");
    let too_long = desk.tool("bash").assess(&json!({ "command": "x", "timeout": 1_201 }), &desk.place());
    assert!(too_long.unwrap_err().to_string().contains("1200 seconds at most"));
    for tool in ["bash", "read", "write", "edit"] {
        let arguments = match tool {
            "bash" => json!({ "command": "ls" }),
            "read" => json!({ "path": "x" }),
            "write" => json!({ "path": "x", "content": "y" }),
            _ => json!({ "path": "x", "old_str": "y", "new_str": "z" }),
        };
        let done = desk.call(tool, arguments).await;
        assert_eq!(
            done.output, "There is no sandbox in this session yet. Call `sandbox_create` first.",
            "nothing is made on anybody's account unasked"
        );
    }
    assert!(desk.hub.lines().is_empty());
}
