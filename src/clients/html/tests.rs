//! Pages whole, odd and hostile.

use super::*;

fn parse(page: &str) -> Tree {
    Tree::parse(page.as_bytes(), &CancellationToken::new()).unwrap()
}

fn text(page: &str) -> String {
    let tree = parse(page);
    tree.text(tree.root())
}

#[test]
fn text_comes_without_what_is_not_read() {
    for (page, wanted) in [
        ("<p>a &amp; b &lt;c&gt; &#233;</p>", "a & b <c> é"),
        ("<title>T</title><script>if (a < b) { x('</p>') }</script><p>x", "Tx"),
        ("a<style>p { color: red }</style>b<svg><text>no</text></svg>c", "abc"),
        ("<math alttext=\"x\"><mi>x</mi></math>y", "y"),
        ("<math><mi>x</mi></math>y", "xy"),
        ("<p>one<p>two<br>three</div></p>", "onetwothree"),
        ("", ""),
    ] {
        assert_eq!(text(page), wanted, "{page}");
    }
}

#[test]
fn a_formula_that_never_ends_does_not_swallow_the_next_section() {
    assert_eq!(text("<p>a<math alttext=x><mi>lost<section><h2>Next</h2>b</section>"), "aNextb");
    assert_eq!(text("<section>a<svg><g>lost</section>b"), "ab");
}

#[test]
fn elements_are_found_by_class_in_order() {
    let tree = parse("<div class='a b' id=one><i class=b>x</i></div><p class=\"b\">y</p>");
    let found: Vec<String> = tree.all(tree.root(), |it| it.is("b")).map(|id| tree.text(id)).collect();
    assert_eq!(found, ["x", "x", "y"]);
    let first = tree.find(tree.root(), |it| it.name() == "div").unwrap();
    assert_eq!(tree.element(first).unwrap().attribute("id"), Some("one"));
    assert_eq!(tree.children(tree.root()).count(), 2);
}

#[test]
fn hostile_pages_end_soon_and_within_limits() {
    let deep = "<div>".repeat(200_000) + "bottom";
    assert_eq!(text(&deep), "bottom");
    let ends = "<div>".repeat(DEPTH) + &"</x></span>".repeat(200_000) + "z";
    assert_eq!(text(&ends), "z");
    let wide = parse(&"<b></b>".repeat(NODES + 10));
    assert!(!wide.is_whole() && wide.nodes.len() == NODES, "{}", wide.nodes.len());
    let odd = Tree::parse(&[0xff, b'<', 0, b'a', 0xc3, b'>', b'<', b'!'], &CancellationToken::new());
    assert!(odd.is_ok());
    assert_eq!(text("<p attr='never ends"), "");
}

#[test]
fn a_stop_ends_the_work() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert_eq!(Tree::parse(b"<p>x</p>", &cancel).err(), Some(Stopped));
}
