//! Which files a pattern names, as the Hub's own client reads it.

/// A pattern: an exact path, a folder (`logs/`), or with `*`, `?` and `[a-z]`. `*` also goes over `/`.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let folder = pattern.strip_suffix('/').is_some();
    let whole = if folder { format!("{pattern}*") } else { pattern.to_owned() };
    let (pattern, path): (Vec<char>, Vec<char>) = (whole.chars().collect(), path.chars().collect());
    fits(&pattern, &path)
}

/// Linear in the length of the path for each star: no pattern makes it explode.
fn fits(pattern: &[char], path: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < path.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
            continue;
        }
        if let Some(next) = one(pattern, p, path[t]) {
            (p, t) = (next, t + 1);
            continue;
        }
        let Some((at, from)) = star else { return false };
        star = Some((at, from + 1));
        (p, t) = (at + 1, from + 1);
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

/// Where the pattern goes on, if its next part takes this letter.
fn one(pattern: &[char], p: usize, letter: char) -> Option<usize> {
    match pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => {
            let first = p + 1 + usize::from(pattern.get(p + 1) == Some(&'!'));
            // A bracket that comes first stands for itself; one that never closes is a plain letter.
            let end = (first + 1..pattern.len()).find(|at| pattern[*at] == ']');
            let Some(end) = end else { return (letter == '[').then_some(p + 1) };
            let set = &pattern[first..end];
            let mut found = false;
            let mut at = 0;
            while at < set.len() {
                if at + 2 < set.len() && set[at + 1] == '-' {
                    found |= (set[at]..=set[at + 2]).contains(&letter);
                    at += 3;
                } else {
                    found |= set[at] == letter;
                    at += 1;
                }
            }
            (found != (first == p + 2)).then_some(end + 1)
        }
        same if *same == letter => Some(p + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_what_the_official_client_means() {
        for (pattern, path, is) in [
            ("README.md", "README.md", true),
            ("README.md", "a/README.md", false),
            ("*.tmp", "a/b/x.tmp", true),
            ("*.tmp", "x.tmpl", false),
            ("logs/", "logs/a/b.txt", true),
            ("logs/", "logs.txt", false),
            ("logs", "logs/a", false),
            ("*", "a/b", true),
            ("data/*-0000?.parquet", "data/train-00003.parquet", true),
            ("a[0-9].txt", "a7.txt", true),
            ("a[!0-9].txt", "a7.txt", false),
            ("a[!0-9].txt", "ax.txt", true),
            ("a[b", "a[b", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxcxxb", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, path), is, "{pattern} {path}");
        }
        let long = "a".repeat(5_000);
        assert!(!matches(&format!("{}b", "*a".repeat(200)), &long));
    }
}
