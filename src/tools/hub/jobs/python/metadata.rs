//! The dependencies that a script names itself, in its own block of comments (PEP 723).

/// What stands in the list `dependencies` of the script's block; nothing if it has none.
pub(super) fn dependencies(source: &str) -> Vec<String> {
    let Some(block) = block(source) else { return Vec::new() };
    let Some(list) = list(&block) else { return Vec::new() };
    strings(list)
}

/// The block's TOML, without the marks of its comments.
fn block(source: &str) -> Option<String> {
    let mut lines = source.lines().skip_while(|line| line.trim_end() != "# /// script").skip(1);
    let mut block = String::new();
    for line in &mut lines {
        if line.trim_end() == "# ///" {
            return Some(block);
        }
        let rest = line.strip_prefix('#')?;
        block.push_str(rest.strip_prefix(' ').unwrap_or(rest));
        block.push('\n');
    }
    None
}

/// What stands between the brackets of `dependencies = [ … ]` at the top level.
fn list(block: &str) -> Option<&str> {
    let mut at = 0;
    for line in block.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with('[') {
            return None;
        }
        if let Some(rest) = trimmed.strip_prefix("dependencies")
            && let Some(rest) = rest.trim_start().strip_prefix('=')
            && let Some(rest) = rest.trim_start().strip_prefix('[')
        {
            return Some(&block[at + (line.len() - rest.len())..]);
        }
        at += line.len();
    }
    None
}

/// The strings of a list up to its end; comments are skipped.
fn strings(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut letters = list.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ']' => break,
            '#' => letters.by_ref().take_while(|c| *c != '\n').for_each(drop),
            quote @ ('"' | '\'') => found.push(letters.by_ref().take_while(|c| *c != quote).collect()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_its_own_dependencies() {
        let script = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n\
                      #   \"requests<3\", # for ] nothing\n#   'rich[all]',\n# ]\n#\n# [tool.uv]\n# x = []\n# ///\nimport requests\n";
        assert_eq!(dependencies(script), ["requests<3", "rich[all]"]);
        for none in [
            "import x\n",
            "# /// script\n# dependencies = [\"x\"]\n",
            "# /// script\n# requires-python = \"3\"\n# ///\n",
            "# /// script\n# [tool.x]\n# dependencies = [\"x\"]\n# ///\n",
            "# /// script\ndependencies = ['x']\n# ///\n",
        ] {
            assert_eq!(dependencies(none), Vec::<String>::new(), "{none}");
        }
    }
}
