//! Every sentence that the bot says in Slack. Never formats data that others wrote without escaping it.

use std::time::Duration;

use super::present::markdown::escape_mrkdwn;
use crate::protocol::Usage;

mod jobs;
mod questions;
mod tokens;
pub use jobs::*;
pub use questions::*;
pub use tokens::*;

/// Titles and buttons.
pub const REJECT_TITLE: &str = "Reject";
/// On the button of the rejecting modal.
pub const REJECT_SUBMIT: &str = "Reject";
/// Above the reason.
pub const REJECT_LABEL: &str = "What should the agent know or do instead?";
/// Title of the editing modal.
pub const EDIT_TITLE: &str = "Edit and approve";
/// On the button of the editing modal.
pub const EDIT_SUBMIT: &str = "Approve edited";
/// Leaves a modal.
pub const MODAL_CLOSE: &str = "Cancel";
/// Leaves a modal that has nothing to send.
pub const MODAL_DONE: &str = "Close";
/// A question that was settled meanwhile.
pub const NO_LONGER_WAITING: &str =
    "This question is no longer waiting: it was answered, it expired, or the conversation went on.";
/// An edit that leaves nothing.
pub const EMPTY_EDIT: &str = "There is nothing left to run. Reject it instead.";
/// Arguments of the wrong kind.
pub const NOT_AN_OBJECT: &str = "The arguments must be a JSON object: { … }.";
/// A click by somebody who may not answer.
pub const NOT_AN_APPROVER: &str = "You are not among the people who may answer this.";
/// A modal that could not be opened.
pub const MODAL_FAILED: &str = "The form could not be opened in time. Please press the button again.";
/// A command without a session.
pub const NOTHING_HERE: &str = "Nothing is going on here yet. Mention me with a request to begin.";
/// Something could not be kept.
pub const NOT_SAVED: &str = "I could not save that just now. Please try again in a moment.";
/// After feedback.
pub const THANKS: &str = "Thanks, noted.";
/// After a slash command with a request.
pub const STARTED: &str = "On it, in the thread below.";
/// The command could not post.
pub const CANNOT_POST: &str = "I cannot post in this channel. Invite me first: `/invite @ml-intern`.";
/// Shown while working.
pub const WORKING: &str = "is working on it…";
/// Lines that Slack shows in turn while working.
pub const LOADING: [&str; 4] =
    ["Reading the request…", "Thinking…", "Working through the steps…", "Checking the results…"];
/// The approval buttons.
pub const APPROVE: &str = "Approve";
/// Allows what is alike, too.
pub const APPROVE_SESSION: &str = "Approve for this session";
/// Opens the editing modal.
pub const EDIT: &str = "Edit";
/// Opens the rejecting modal.
pub const REJECT: &str = "Reject";
/// Stops the turn.
pub const STOP: &str = "Stop";
/// Tries again.
pub const RETRY: &str = "Retry";
/// Feedback.
pub const HELPED: &str = "Good answer";
/// Feedback.
pub const DID_NOT_HELP: &str = "Bad answer";
/// The model said nothing.
pub const NO_ANSWER: &str = "Done. (The model gave no closing words.)";
/// What a stream says when an attempt is repeated.
pub const STARTING_OVER: &str = "\n\n_The connection to the model was lost; starting this part over._\n\n";
/// What a half-written answer says when the process ends under it.
pub const RESTARTING: &str =
    "\n\n_I am being restarted here. I go on in a new message, from the start of this part._";
/// Where a long answer goes on.
pub const REST_IN_FILE: &str = "_The whole answer is in the attached file `answer.md`._";
/// Where the whole of a long command is.
pub const WHOLE_IN_FILE: &str = "Cut here; the whole text is in the attached file.";
/// A long text on a card that is settled.
pub const CUT: &str = "Cut here.";
/// The whole could not be attached.
pub const WHOLE_NOT_ATTACHED: &str = "Cut here; press Edit to read all of it.";

/// The list of commands.
pub const HELP: &str = "Tell me what you need, in plain words: I plan, write code, run it, and ask before anything risky.\n\n\
*In a thread*\n\
`stop` or `!stop` stop what I am doing · `!status` how this session stands · `!model [role] [id]` list or change the models · \
`!effort [level]` reasoning effort · `!yolo on [dollars]|off` run without asking, up to a sum · `!usage` what was spent · `!runs [words]` what was trained and measured in this channel, and what it cost · `!undo` drop the last request · \
`!compact` shorten the history · `!new` start over here · `!retry` try a failed request again · \
`!resume` go on with a request that was cut off · `!sessions [words]` what was talked about in this channel · \
`!resume ID` go on with it in this new thread · `!fork [number]` go on from here (or from an earlier request) in a new thread · `!help` this list\n\n\
*In a direct message*\n\
`!token hf_…` work with your own Hugging Face account when you ask me · `!token` whose account that is now · `!token remove` forget it\n\n\
*Anywhere*\n\
`/ml-intern <request>` opens a thread here · `/ml-intern runs [words]` · `/ml-intern help`";

/// A command that does not exist.
#[must_use]
pub fn unclear(command: &str) -> String {
    format!("I do not know what to do with `{}`.\n\n{HELP}", command.replace('`', "'"))
}

/// The answer to `/ml-intern status`.
#[must_use]
pub fn here(user: &str) -> String {
    format!(
        "I am here and listening. Mention <@{user}> with a request, or say `!status` in a thread of mine."
    )
}

/// Why somebody may not talk to us.
#[must_use]
pub fn refusal(why: super::access::Refusal) -> &'static str {
    use super::access::Refusal;
    match why {
        Refusal::Channel => "Sorry, I am not set up to work in this channel.",
        Refusal::Person => {
            "Sorry, I may only work for certain people here, and you are not on the list. Ask whoever runs me."
        }
        Refusal::External => "Sorry, I may not work for people of other organisations.",
    }
}

/// Above a message that opens a thread by slash command. Both must be escaped; a name, for a mention
/// would ping the person who just typed it.
#[must_use]
pub fn asked(name: &str, text: &str) -> String {
    format!("*{name}* asked: {text}")
}

/// The label of one input of the editing modal.
#[must_use]
pub fn edit_label(title: &str, part: usize, parts: usize) -> String {
    if parts > 1 { format!("{title} (part {} of {parts})", part + 1) } else { title.to_owned() }
}

/// A text that no modal can hold.
#[must_use]
pub fn too_long_to_edit(title: &str) -> String {
    format!("“{title}” is too long to edit here. Reject it and say what to change.")
}

/// Arguments that are not JSON.
#[must_use]
pub fn not_json(error: &str) -> String {
    format!("This is not valid JSON: {error}")
}

/// The headline of a card. `count` calls are asked about.
#[must_use]
pub fn may_i(count: usize) -> String {
    if count == 1 { "May I run this?".to_owned() } else { format!("May I run these {count}?") }
}

/// The headline of a question about money. `what` must be escaped.
#[must_use]
pub fn go_on(what: &str) -> String {
    format!(":moneybag: *{what}?*")
}

/// The worst-case cost, in micro-dollars.
#[must_use]
pub fn at_most(cost: u64) -> String {
    format!("Costs at most {}.", money(cost))
}

/// What approving for the session allows.
#[must_use]
pub fn allows(words: &str) -> String {
    format!("From now on in this session I will not ask again for: {words}.")
}

/// A moment as Slack shows it in each reader's own time.
#[must_use]
pub fn date(seconds: i64) -> String {
    let fallback = jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{fallback}>")
}

/// The quiet line under an answer.
#[must_use]
pub fn footer(elapsed_ms: u64, steps: u32, usage: &Usage) -> String {
    let mut parts = vec![duration(Duration::from_millis(elapsed_ms))];
    parts.push(if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") });
    if usage.total_tokens() > 0 {
        parts.push(format!("{} tokens", thousands(usage.total_tokens())));
    }
    if usage.unpriced > 0 {
        parts.push(format!(
            "{} and {} of unknown price",
            money(usage.cost),
            crate::text::count(usize::try_from(usage.unpriced).unwrap_or(usize::MAX), "call")
        ));
    } else if usage.cost > 0 {
        parts.push(money(usage.cost));
    }
    parts.join(" · ")
}

/// Micro-dollars as people read them.
#[must_use]
pub fn money(micros: u64) -> String {
    let cents = micros / 10_000;
    if cents == 0 && micros > 0 {
        return "under $0.01".to_owned();
    }
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// A duration in the two largest units.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => "under 1 s".to_owned(),
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

fn thousands(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{}.{}k", number / 1_000, number / 100 % 10),
        _ => format!("{}.{}M", number / 1_000_000, number / 100_000 % 10),
    }
}

/// Somebody stopped the turn. `name` must be escaped.
#[must_use]
pub fn interrupted(name: Option<&str>) -> String {
    name.map_or_else(|| "Stopped.".to_owned(), |name| format!("Stopped by {name}."))
}

/// The turn failed. Both texts must be escaped.
#[must_use]
pub fn failed(error: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!(":warning: {error}\n{hint}"),
        None => format!(":warning: {error}"),
    }
}

/// The history was shortened.
#[must_use]
pub fn compacted(old: u64, new: u64) -> String {
    format!("Shortened the history: about {} tokens became {}.", thousands(old), thousands(new))
}

/// The last request was dropped.
#[must_use]
pub fn undone(removed: u64) -> String {
    if removed == 0 {
        "There was nothing to undo.".to_owned()
    } else {
        "The last request is forgotten, and all that followed it.".to_owned()
    }
}

/// The session started over.
#[must_use]
pub fn started_over(dropped: u64) -> String {
    if dropped == 0 {
        "Nothing was said here yet; ready when you are.".to_owned()
    } else {
        "Started over: everything before this is forgotten.".to_owned()
    }
}

/// An interrupted turn goes on, or there was none.
#[must_use]
pub fn resumed(restored: u64) -> String {
    if restored == 0 {
        "There was nothing to resume.".to_owned()
    } else {
        "Going on from where it was left.".to_owned()
    }
}

/// A session without a title.
pub const UNTITLED: &str = "a conversation";
/// Where a fork is.
pub const FORKED_HERE: &str = "a new thread in this channel";
/// A session that is not there, or that this person may not see: the two read the same.
pub const NOT_YOURS: &str =
    "There is no conversation with this id that you may go on with. `!sessions` lists those that you may.";
/// More than one session begins so.
pub const AMBIGUOUS: &str = "More than one conversation has an id that begins so. Give more of it.";

/// A session that is this one.
pub const THIS_ONE: &str = "That is this conversation.";

/// One line of a list of sessions.
#[must_use]
pub fn session_line(session: &crate::runtime::Listed, link: Option<&str>) -> String {
    let title = crate::text::redact(session.title.as_deref().unwrap_or(UNTITLED), &[]);
    let title = escape_mrkdwn(&title).replace('|', "¦");
    let title = link.map_or_else(|| format!("*{title}*"), |link| format!("<{link}|{title}>"));
    let turns = crate::text::count(usize::try_from(session.turns).unwrap_or(usize::MAX), "request");
    format!("• {title} · {turns} · {} · `{}`", date(session.updated_at.seconds()), session.key)
}

/// The sessions of this channel.
#[must_use]
pub fn sessions(lines: &[String]) -> String {
    if lines.is_empty() {
        return "There is no such conversation in this channel.".to_owned();
    }
    format!("{}\n`!resume ID` goes on with one in a new thread.", lines.join("\n"))
}

/// The message that opens the thread of a fork. `title` must be escaped.
#[must_use]
pub fn fork_of(title: &str, link: Option<&str>) -> String {
    // A title must not end the link that it stands in.
    let title = title.replace('|', "¦");
    match link {
        Some(link) => format!(":twisted_rightwards_arrows: Fork of <{link}|{title}>"),
        None => format!(":twisted_rightwards_arrows: Fork of {title}"),
    }
}

/// The conversation also goes on elsewhere. `place` must be escaped.
#[must_use]
pub fn forked(place: &str, link: Option<&str>) -> String {
    match link {
        Some(link) => format!("Forked: this also goes on in <{link}|{place}>."),
        None => format!("Forked: this also goes on in {place}."),
    }
}

/// The session cannot go on. `reason` must be escaped.
#[must_use]
pub fn terminated(reason: &str) -> String {
    format!(":warning: This session cannot go on: {reason}")
}

/// The title over the plan while working.
#[must_use]
pub fn plan_title(done: usize, all: usize) -> String {
    if all == 0 { "Working".to_owned() } else { format!("Plan: {done} of {all} done") }
}

/// Calls that no longer fit the list of tasks.
#[must_use]
pub fn more_calls(count: usize) -> String {
    format!("and {count} more calls")
}
