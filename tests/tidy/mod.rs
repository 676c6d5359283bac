//! Rules of the house that a machine can check: the import law, sizes, headers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may import besides `protocol`, its own config section and the single files.
const LAW: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "app",
            "runtime",
            "trace",
            "config",
            "playground",
            "clients::http",
            "messaging",
            "model",
            "slack",
            "store",
        ],
    ),
    ("slack", &["runtime", "clients::slack"]),
    ("supervise", &["runtime", "store", "messaging", "clients"]),
    ("runtime", &["agent", "store"]),
    ("trace", &[]),
    ("tools", &["agent", "clients", "messaging"]),
    ("agent", &["model"]),
    ("messaging", &["store", "clients"]),
    ("model", &["clients::http"]),
    ("store", &[]),
    ("config", &[]),
    ("clients", &[]),
    ("protocol", &[]),
    ("playground", &[]),
    // Not a room: one of the single files, with its longest part in a file of its own.
    ("text", &[]),
];

/// Single files that every room but `protocol` and `playground` may use.
const SINGLE: &[&str] = &["clock", "random", "secret", "text", "telemetry", "lifecycle", "retry"];

/// Files over 400 lines, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// Production code: the file up to its tests, without comment lines.
fn production(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    let name = short(path);
    name.contains("/tests/") || name.ends_with("tests.rs")
}

/// The paths behind every `crate::`, braces opened.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (index, letter) in list.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push(list[start..index].trim().to_owned());
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(list[start..index].trim().to_owned());
                        start = index + 1;
                    }
                    _ => {}
                }
            }
        } else {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
        }
    }
    found
}

#[test]
fn rooms_import_only_what_the_law_allows() {
    let law: BTreeMap<&str, &[&str]> = LAW.iter().copied().collect();
    let mut broken = Vec::new();
    for path in rust_files(&root().join("src")) {
        let name = short(&path);
        let Some(room) =
            name.strip_prefix("src/").and_then(|rest| rest.split_once('/')).map(|(room, _)| room)
        else {
            continue;
        };
        // The composition root may import everything.
        if is_test_file(&path) || room == "app" {
            continue;
        }
        let allowed = law.get(room).unwrap_or_else(|| panic!("{name}: room `{room}` is not in the law"));
        for import in imports(&production(&fs::read_to_string(&path).unwrap())) {
            let first = import.split("::").next().unwrap_or_default();
            let single = SINGLE.contains(&first) && !matches!(room, "protocol" | "playground");
            let own = first == room || first == "clock" || first.is_empty();
            let shared = first == "protocol" && room != "playground"
                || first == "config" && !matches!(room, "protocol" | "playground" | "agent" | "store");
            let lawful =
                allowed.iter().any(|other| import == *other || import.starts_with(&format!("{other}::")));
            if !(single || own || shared || lawful) {
                broken.push(format!("{name} imports crate::{import}"));
            }
        }
    }
    assert!(broken.is_empty(), "the import law is broken:\n{}", broken.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    for folder in ["src", "tests", "benches", "fuzz"] {
        let dir = root().join(folder);
        for path in if dir.is_dir() { rust_files(&dir) } else { Vec::new() } {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("//!"), "{} does not open with a //! header", short(&path));
            let header = text.lines().next().unwrap_or_default();
            assert!(!header.contains("being built"), "{} says that it is being built", short(&path));
        }
    }
}

#[test]
fn files_are_small_or_have_a_reason() {
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        let name = short(&path);
        let excused = LONG_FILES.iter().any(|(file, _)| *file == name);
        assert!(lines <= 400 || excused, "{name} has {lines} lines and no reason in LONG_FILES");
        assert!(lines > 400 || !excused, "{name} is short again: take it out of LONG_FILES");
    }
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("#[allow("), "{} uses allow; say expect with a reason", short(&path));
    }
}

#[test]
fn the_law_reader_reads() {
    let code =
        "use crate::a::b;\nuse crate::{clock::Clock, c::{d, e}};\nfn f() { crate::g::h(); my_crate::x(); }";
    assert_eq!(imports(code), ["a::b", "clock::Clock", "c::{d, e}", "g::h"]);
}

#[test]
fn the_manifest_in_deploy_is_the_one_this_build_needs() {
    use ml_intern::slack::manifest::{Delivery, manifest, to_yaml};
    let kept = fs::read_to_string(root().join("deploy/slack-manifest.yaml")).unwrap();
    let needed = to_yaml(&manifest("ml-intern", &Delivery::Socket));
    assert_eq!(kept, needed, "run `ml-intern manifest > deploy/slack-manifest.yaml`");
}
