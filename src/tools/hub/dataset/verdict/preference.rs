//! Training on preferences: pairs of a better and a worse answer, or single answers with a yes or no.

use super::shape::Shape;
use super::{ANSWERED, ASKED, Fit, Method, Table, Verdict, quoted, renamed, talks};

/// Names of the better answer.
const BETTER: &[&str] =
    &["chosen", "preferred", "accepted", "chosen_response", "response_chosen", "better", "winner"];
/// Names of the worse one.
const WORSE: &[&str] =
    &["rejected", "dispreferred", "rejected_response", "response_rejected", "worse", "loser"];
/// Names of a yes or no to one answer.
const LIKED: &[&str] = &["label", "is_good", "liked", "thumbs_up", "score", "preference"];

/// Direct preference: `chosen` and `rejected`, with `prompt` or with the prompt inside both.
pub(super) fn dpo(table: &Table) -> Verdict {
    pair(table, Method::Dpo)
}

/// A reward model takes the same pairs.
pub(super) fn reward(table: &Table) -> Verdict {
    pair(table, Method::Reward)
}

fn pair(table: &Table, method: Method) -> Verdict {
    let (better, worse) = (table.first(BETTER, talks), table.first(WORSE, talks));
    let (Some(better), Some(worse)) = (better, worse) else {
        let missing = [("chosen", better.is_none()), ("rejected", worse.is_none())];
        let missing = missing.into_iter().filter(|(_, gone)| *gone).map(|(name, _)| name).collect();
        return Verdict::no(method, missing, better.or(worse).map(|it| &it.name), "");
    };
    let uses = [better.name.clone(), worse.name.clone()];
    if better.shape != worse.shape {
        let note = "the two are not of one kind: both must be text, or both conversations";
        return Verdict::no(method, vec!["chosen and rejected of one kind"], uses, note);
    }
    let names = [(better.name.as_str(), "chosen"), (worse.name.as_str(), "rejected")];
    let kind = if better.shape == Shape::Messages { "conversations" } else { "text" };
    let Some(asked) = table.first(ASKED, talks) else {
        let note = format!("{kind}, with the prompt inside both answers");
        return match renamed(&names) {
            None => Verdict::ready(method, uses, &note),
            Some(code) => Verdict::mapped(method, code, uses, &note),
        };
    };
    let uses = [vec![asked.name.clone()], uses.to_vec()].concat();
    if asked.shape != better.shape {
        // One prompt as text beside two conversations: the conversations hold it already.
        let drop = format!("ds = ds.remove_columns([{}])", quoted(&asked.name));
        let code = [renamed(&names), Some(drop)].into_iter().flatten().collect::<Vec<_>>().join("\n");
        let note = format!(
            "`{}` is not of the answers' kind ({kind}); check that they hold the prompt themselves before it is dropped",
            asked.name
        );
        return Verdict::mapped(method, code, uses, &note);
    }
    let note = format!("{kind}, with a prompt of its own");
    match renamed(&[names[0], names[1], (&asked.name, "prompt")]) {
        None => Verdict::ready(method, uses, &note),
        Some(code) => Verdict::mapped(method, code, uses, &note),
    }
}

/// Single answers with a yes or no: `prompt`, `completion` and `label`.
pub(super) fn kto(table: &Table) -> Verdict {
    let method = Method::Kto;
    let asked = table.first(ASKED, talks);
    let answered = table.first(ANSWERED, talks);
    let label = table.first(LIKED, |shape| match shape {
        Shape::Bool | Shape::Whole => true,
        Shape::Class(names) => names.len() == 2,
        _ => false,
    });
    if let (Some(asked), Some(answered), Some(label)) = (asked, answered, label)
        && asked.shape == answered.shape
    {
        let uses = [&asked.name, &answered.name, &label.name];
        let renamed =
            renamed(&[(&asked.name, "prompt"), (&answered.name, "completion"), (&label.name, "label")]);
        let cast = (label.shape != Shape::Bool).then(|| {
            "ds = ds.map(lambda row: {\"good\": row[\"label\"] > 0}, \
             remove_columns=[\"label\"]).rename_column(\"good\", \"label\")"
                .to_owned()
        });
        let note = if cast.is_some() {
            "the label becomes a yes or no: check that more than 0 means good"
        } else {
            ""
        };
        let code: Vec<String> = [renamed, cast].into_iter().flatten().collect();
        return match code.is_empty() {
            true => Verdict::ready(method, uses, note),
            false => Verdict::mapped(method, code.join("\n"), uses, note),
        };
    }
    let paired = dpo(table);
    let before = match paired.fit {
        Fit::Ready => Some(String::new()),
        Fit::Mapped(code) => Some(format!("{code}\n")),
        Fit::No(_) => None,
    };
    if let Some(before) = before {
        let code = format!(
            "from trl import unpair_preference_dataset\n\n{before}ds = unpair_preference_dataset(ds)"
        );
        return Verdict::mapped(method, code, paired.uses, "each pair becomes one good and one bad answer");
    }
    let missing = [
        ("prompt", asked.is_none()),
        ("completion", answered.is_none()),
        ("label (yes or no)", label.is_none()),
    ];
    let missing: Vec<&'static str> =
        missing.into_iter().filter(|(_, gone)| *gone).map(|(name, _)| name).collect();
    let missing = if missing.is_empty() { vec!["prompt and completion of one kind"] } else { missing };
    Verdict::no(method, missing, [asked, answered, label].into_iter().flatten().map(|it| &it.name), "")
}
