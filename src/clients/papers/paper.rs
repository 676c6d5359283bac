//! A paper that has been read: title, abstract, sections; and finding a section the way people name it.
//!
//! Pure. Start at [`Paper::find`].

/// A paper's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paper {
    /// Its title; perhaps empty.
    pub title: String,
    /// Its abstract; perhaps empty.
    pub summary: String,
    /// Its sections in order, those inside others after them.
    pub sections: Vec<Section>,
    /// Whether all of the page was read.
    pub whole: bool,
}

/// One section without those inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// `3`, `3.1`, `A`, `IV`; none where the paper gives none.
    pub number: Option<String>,
    /// Its title without the number.
    pub title: String,
    /// 1 for a section, 2 for one inside it, and so on; 0 for a part or chapter.
    pub level: u8,
    /// Its own text.
    pub text: String,
}

/// The section that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which it is in [`Paper::sections`].
    pub at: usize,
    /// Others that fit as well.
    pub others: Vec<usize>,
}

impl Section {
    /// Number and title.
    #[must_use]
    pub fn heading(&self) -> String {
        match &self.number {
            Some(number) if self.title.is_empty() => number.clone(),
            Some(number) => format!("{number} {}", self.title),
            None => self.title.clone(),
        }
    }

    fn numbered(&self, wanted: &str) -> bool {
        self.number.as_ref().is_some_and(|number| number.eq_ignore_ascii_case(wanted))
    }
}

impl Paper {
    /// The section that is named so: by its number, its title, a part of its title, or the beginning of its
    /// number, whichever fits first.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<Found> {
        let wanted = normal(wanted);
        let number = bare_number(&wanted);
        if wanted.is_empty() {
            return None;
        }
        let by = |fits: &dyn Fn(&Section) -> bool| -> Option<Found> {
            let mut found = self.sections.iter().enumerate().filter(|(_, it)| fits(it)).map(|(at, _)| at);
            Some(Found { at: found.next()?, others: found.collect() })
        };
        by(&|it| it.numbered(number))
            .or_else(|| by(&|it| normal(&it.title) == wanted || normal(&it.heading()) == wanted))
            .or_else(|| {
                by(&|it| normal(&it.title).contains(&wanted) || normal(&it.heading()).contains(&wanted))
            })
            .or_else(|| {
                // "4" where the paper numbers only 4.1 and 4.2.
                let prefix = format!("{}.", number.to_lowercase());
                let starts = |it: &Section| {
                    it.number.as_ref().is_some_and(|number| number.to_lowercase().starts_with(&prefix))
                };
                by(&starts)
            })
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let sections = self.sections.iter().map(|it| it.text.len() + it.title.len() + 100);
        self.title.len() + self.summary.len() + sections.sum::<usize>()
    }

    /// The section with all that is inside it, headings included.
    #[must_use]
    pub fn text(&self, at: usize) -> String {
        let Some(section) = self.sections.get(at) else { return String::new() };
        let mut out = section.text.clone();
        for inner in self.sections[at + 1..].iter().take_while(|it| it.level > section.level) {
            let marks = "#".repeat(usize::from(inner.level.clamp(2, 6)));
            out.push_str(&format!("\n\n{marks} {}\n\n{}", inner.heading(), inner.text));
        }
        out.trim().to_owned()
    }
}

/// Lower case, single spaces, no marks at the ends.
fn normal(text: &str) -> String {
    let words = text.to_lowercase();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    words.trim_matches(['#', '.', ':', '*', '§', '"', ' ']).to_owned()
}

/// The number in `section 3`, `appendix a` or `§3.1`.
fn bare_number(wanted: &str) -> &str {
    ["section ", "sec. ", "sec ", "appendix ", "chapter ", "part "]
        .iter()
        .find_map(|word| wanted.strip_prefix(word))
        .unwrap_or(wanted)
}

/// The number at the beginning of a heading, and the rest: digits with points, after perhaps one letter.
#[must_use]
pub fn split_number(heading: &str) -> (Option<String>, &str) {
    let heading = heading.trim();
    let word = heading.split_whitespace().next().unwrap_or_default();
    let bare = word.trim_end_matches(['.', ':', ')']);
    let digits =
        bare.strip_prefix(|c: char| c.is_ascii_uppercase()).map_or(bare, |rest| rest.trim_start_matches('.'));
    let dotted = !digits.is_empty()
        && digits.split('.').all(|part| !part.is_empty() && part.len() <= 3)
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    // A letter alone is a number only with a point after it: "A. Proofs", not "A proof".
    let letter = bare.len() == 1 && bare != word && bare.bytes().all(|b| b.is_ascii_uppercase());
    if dotted || letter {
        (Some(bare.to_owned()), heading[word.len()..].trim_start())
    } else {
        (None, heading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(number: &str, title: &str, level: u8) -> Section {
        let number = (!number.is_empty()).then(|| number.to_owned());
        Section { number, title: title.to_owned(), level, text: format!("text of {title}") }
    }

    fn paper() -> Paper {
        let sections = vec![
            section("1", "Introduction", 1),
            section("2", "Method", 1),
            section("2.1", "Deriving the objective", 2),
            section("3", "Experiments", 1),
            section("5.1", "Setup of experiments", 2),
            section("", "Acknowledgements", 1),
            section("A", "Proofs", 1),
            section("A.1", "Proof of the objective", 2),
        ];
        Paper { sections, ..Paper::default() }
    }

    #[test]
    fn sections_are_found_the_way_people_name_them() {
        for (wanted, heading, others) in [
            ("2", "2 Method", 0),
            ("2.1", "2.1 Deriving the objective", 0),
            ("§3", "3 Experiments", 0),
            ("Section 3", "3 Experiments", 0),
            ("Appendix A", "A Proofs", 0),
            ("a", "A Proofs", 0),
            ("A.1", "A.1 Proof of the objective", 0),
            ("METHOD", "2 Method", 0),
            ("2 Method", "2 Method", 0),
            ("experiments", "3 Experiments", 0),
            ("objective", "2.1 Deriving the objective", 1),
            ("experim", "3 Experiments", 1),
            ("5", "5.1 Setup of experiments", 0),
            ("acknowledgements", "Acknowledgements", 0),
        ] {
            let paper = paper();
            let found = paper.find(wanted).unwrap_or_else(|| panic!("{wanted}"));
            assert_eq!(paper.sections[found.at].heading(), heading, "{wanted}");
            assert_eq!(found.others.len(), others, "{wanted}");
        }
        for wanted in ["9", "Discussion", "", "#", " "] {
            assert_eq!(paper().find(wanted), None, "{wanted}");
        }
    }

    #[test]
    fn a_section_comes_with_those_inside_it() {
        let text = paper().text(1);
        assert_eq!(text, "text of Method\n\n## 2.1 Deriving the objective\n\ntext of Deriving the objective");
        assert_eq!(paper().text(0), "text of Introduction");
        assert_eq!(paper().text(99), "");
    }

    #[test]
    fn numbers_are_told_from_words() {
        for (heading, number, rest) in [
            ("1 Introduction", Some("1"), "Introduction"),
            ("2.1. Data", Some("2.1"), "Data"),
            ("A.1 Proofs", Some("A.1"), "Proofs"),
            ("B2 More", Some("B2"), "More"),
            ("A. Proofs", Some("A"), "Proofs"),
            ("A proof", None, "A proof"),
            ("2023 in review", None, "2023 in review"),
            ("3D shapes", None, "3D shapes"),
            ("Introduction", None, "Introduction"),
            ("", None, ""),
        ] {
            assert_eq!(split_number(heading), (number.map(str::to_owned), rest), "{heading}");
        }
    }
}
