//! Who may answer a question, in words. Pure: names come in, and nobody is pinged.

use std::collections::BTreeMap;

use super::markdown::{cut, escape_mrkdwn};
use crate::protocol::Approvers;
use crate::slack::say;

/// Names by id.
pub type ById = BTreeMap<String, String>;

/// Every person and every group that is named.
#[must_use]
pub fn named(approvers: &Approvers) -> (Vec<String>, Vec<String>) {
    match approvers {
        Approvers::Anyone | Approvers::AnyoneBut { .. } => (Vec::new(), Vec::new()),
        Approvers::Listed { people, groups } => {
            (people.iter().map(|person| person.0.clone()).collect(), groups.clone())
        }
        Approvers::All { of } => {
            let (mut people, mut groups) = (Vec::new(), Vec::new());
            for (some, others) in of.iter().map(named) {
                people.extend(some);
                groups.extend(others);
            }
            (people, groups)
        }
    }
}

/// Who may answer, escaped; an id where no name is known.
#[must_use]
pub fn words(approvers: &Approvers, people: &ById, groups: &ById) -> String {
    let name = |id: &str, names: &ById| escape_mrkdwn(names.get(id).map_or(id, String::as_str));
    let said = match approvers {
        Approvers::Anyone => say::ANYONE.to_owned(),
        Approvers::AnyoneBut { .. } => say::ANYONE_ELSE.to_owned(),
        Approvers::Listed { people: listed, groups: members } if listed.is_empty() && members.is_empty() => {
            say::NOBODY.to_owned()
        }
        Approvers::Listed { people: listed, groups: members } => {
            let persons = listed.iter().map(|person| name(person.as_str(), people));
            let groups = members.iter().map(|group| say::members(&name(group, groups)));
            persons.chain(groups).collect::<Vec<_>>().join(", ")
        }
        Approvers::All { of } => {
            say::in_all(&of.iter().map(|each| words(each, people, groups)).collect::<Vec<_>>())
        }
    };
    cut(&said, 600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_may_answer_is_named_and_nobody_is_pinged() {
        let people = ById::from([("U1".to_owned(), "Ann & <Bo>".to_owned())]);
        let groups = ById::from([("S1".to_owned(), "@leads".to_owned())]);
        let listed = Approvers::Listed {
            people: vec!["U1".into(), "U2".into()],
            groups: vec!["S1".to_owned(), "S2".to_owned()],
        };
        assert_eq!(
            words(&listed, &people, &groups),
            "Ann &amp; &lt;Bo&gt;, U2, members of @leads, members of S2"
        );
        let both = Approvers::All { of: vec![listed.clone(), Approvers::AnyoneBut { person: "U1".into() }] };
        assert!(words(&both, &people, &groups).ends_with("members of S2; anyone here except who asked"));
        assert_eq!(named(&both).0, ["U1", "U2"]);
        let nobody = Approvers::Listed { people: Vec::new(), groups: Vec::new() };
        assert_eq!(words(&nobody, &people, &groups), say::NOBODY);
    }
}
