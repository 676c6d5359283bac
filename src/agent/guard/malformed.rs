//! Counts calls of one tool in a row that could not be understood.
//!
//! Pure. Only calls count: what people or the loop said in between does not break a row.

use crate::protocol::Streak;

/// This many in a row are worth a word.
const WORTH_A_WORD: u32 = 2;

/// Whether a call could be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The tool exists and took its arguments.
    Good,
    /// The tool does not exist, or could not take them.
    Malformed,
}

/// Counts one more call.
pub fn count(streak: &mut Streak, tool: &str, form: Form) {
    match form {
        Form::Good => *streak = Streak::default(),
        Form::Malformed if streak.tool == tool => streak.length += 1,
        Form::Malformed => *streak = Streak { tool: tool.to_owned(), length: 1, told: 0 },
    }
}

/// Whether the model is to be told now: once for every length that the row reaches.
pub fn is_due(streak: &mut Streak) -> bool {
    let due = streak.length >= WORTH_A_WORD && streak.length > streak.told;
    if due {
        streak.told = streak.length;
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_malformed_calls() {
        let bad = |tool| (tool, Form::Malformed);
        let good = |tool| (tool, Form::Good);
        type Row<'a> = (&'a str, &'a [(&'a str, Form)], Option<(&'a str, u32)>);
        let table: [Row<'_>; 8] = [
            ("1: two of one tool", &[bad("write"), bad("write")], Some(("write", 2))),
            ("2: one only", &[bad("write")], None),
            ("2: two tools", &[bad("write"), bad("edit")], None),
            ("2: a good one in between", &[bad("write"), good("write"), bad("write")], None),
            ("2: a good one of another tool in between", &[bad("write"), good("read"), bad("write")], None),
            ("three", &[bad("write"), bad("write"), bad("write")], Some(("write", 3))),
            ("it ended well", &[bad("write"), bad("write"), good("write")], None),
            ("another begins", &[bad("a"), bad("a"), bad("b"), bad("b")], Some(("b", 2))),
        ];
        for (row, calls, expected) in table {
            let mut streak = Streak::default();
            for (tool, form) in calls {
                count(&mut streak, tool, *form);
            }
            let due = is_due(&mut streak).then_some((streak.tool.as_str(), streak.length));
            assert_eq!(due, expected, "{row}");
            assert!(!is_due(&mut streak), "{row}: the same length is told once");
        }
    }
}
