//! A paper as Markdown, as the Hub keeps it, read into sections.
//!
//! Pure. Start at [`read`].

use super::paper::{Paper, Section, split_number};

/// Reads the text. Headings inside code are none.
#[must_use]
pub fn read(text: &str) -> Paper {
    let mut paper = Paper { whole: true, ..Paper::default() };
    let mut current: Option<Section> = None;
    let mut before = String::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        let heading = if fence.is_none() { heading(line) } else { None };
        match heading {
            Some((1, title)) if paper.title.is_empty() && current.is_none() => paper.title = title.to_owned(),
            Some((depth, title)) => {
                paper.sections.extend(current.take());
                let (number, title) = split_number(title);
                let level = depth.saturating_sub(1).max(1);
                current = Some(Section { number, title: title.to_owned(), level, text: String::new() });
            }
            None => {
                let out = current.as_mut().map_or(&mut before, |section| &mut section.text);
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    paper.sections.extend(current);
    for section in &mut paper.sections {
        section.text = section.text.trim().to_owned();
    }
    let summary = paper.sections.iter().position(|it| it.title.eq_ignore_ascii_case("abstract"));
    paper.summary = match summary {
        Some(at) => paper.sections.remove(at).text,
        None => before.trim().to_owned(),
    };
    paper
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let rest = line.trim_start_matches('#');
    let depth = u8::try_from(line.len() - rest.len()).ok().filter(|depth| (1..=6).contains(depth))?;
    let title = rest.strip_prefix(' ')?.trim().trim_end_matches('#').trim();
    (!title.is_empty()).then_some((depth, title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_make_sections_and_code_makes_none() {
        let text = "# DPO\n\nBy A.\n\n## Abstract\n\nWe show.\n\n## 1 Introduction\n\nText.\n```sh\n# no heading\n```\n\
                    ### 1.1 Inner\nMore.\n## References\n";
        let paper = read(text);
        assert_eq!((paper.title.as_str(), paper.summary.as_str()), ("DPO", "We show."));
        let headings: Vec<(String, u8)> = paper.sections.iter().map(|it| (it.heading(), it.level)).collect();
        assert_eq!(
            headings,
            [("1 Introduction".to_owned(), 1), ("1.1 Inner".to_owned(), 2), ("References".to_owned(), 1)]
        );
        assert_eq!(paper.sections[0].text, "Text.\n```sh\n# no heading\n```");
        assert_eq!(read("# DPO\n").title, "DPO");
        assert_eq!(read("just words").summary, "just words");
    }
}
