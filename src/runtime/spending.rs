//! What was spent, as lines of label and value: the answer to `!usage` and `/usage`. Start at [`tell`].

use crate::agent::purse::{Payers, Standing};
use crate::agent::{Agent, Session};
use crate::protocol::money::dollars;
use crate::protocol::{Event, Operation, Period, Scope, Usage};

/// What was spent in this session, and by whoever asks.
pub(super) async fn tell(agent: &Agent, session: &Session, operation: &Operation) -> Event {
    let payers = Payers { person: Some(operation.actor.id.clone()), ..Payers::of(session) };
    match agent.purse.standing(&payers).await {
        Ok(standing) => lines(&session.head.usage, &standing, &operation.actor.name),
        Err(error) => {
            tracing::error!(session = %session.head.key, %error, "what was spent could not be read");
            let text = "What was spent could not be read just now. Please try again in a moment.".to_owned();
            Event::PrivateLine { to: operation.actor.id.clone(), text }
        }
    }
}

/// The lines about a session and the accounts that pay for what this person asks there.
fn lines(usage: &Usage, standing: &[Standing], who: &str) -> Event {
    let mut lines: Vec<(String, String)> = Vec::new();
    for account in standing {
        let label = match &account.account.scope {
            Scope::Session(_) => "This session".to_owned(),
            Scope::Person(_) => who.to_owned(),
            Scope::Channel(_) => "This channel".to_owned(),
            Scope::Team => "Everybody".to_owned(),
        };
        let value = value(account);
        match lines.last_mut() {
            // One line per payer: today, then this month.
            Some((last, values)) if *last == label => values.push_str(&format!(" · {value}")),
            _ => lines.push((label, value)),
        }
    }
    lines.push(("Tokens here".to_owned(), tokens(usage)));
    if usage.unpriced > 0 {
        let calls = crate::text::count(usize::try_from(usage.unpriced).unwrap_or(usize::MAX), "call");
        lines.push((
            "Unknown price".to_owned(),
            format!("{calls} here; what they cost is in none of these sums"),
        ));
    }
    Event::Spending { lines }
}

/// What a session spent, in one line.
pub(super) fn spent(usage: &Usage) -> String {
    if usage.unpriced == 0 {
        return dollars(usage.cost);
    }
    let calls = crate::text::count(usize::try_from(usage.unpriced).unwrap_or(usize::MAX), "call");
    format!("{} and {calls} of unknown price", dollars(usage.cost))
}

fn value(account: &Standing) -> String {
    let mut text = dollars(account.balance.spent);
    match account.account.period {
        Period::Whole => {}
        Period::Day(_) => text.push_str(" today"),
        Period::Month(_) => text.push_str(" this month"),
    }
    let mut notes = Vec::new();
    if account.balance.reserved > 0 {
        notes.push(format!("{} set aside", dollars(account.balance.reserved)));
    }
    if let Some(limit) = account.limit {
        notes.push(format!("limit {}", dollars(limit)));
    }
    if !notes.is_empty() {
        text.push_str(&format!(" ({})", notes.join(", ")));
    }
    text
}

fn tokens(usage: &Usage) -> String {
    let mut text = format!("{} in", usage.input_tokens);
    if let Some(share) = (usage.cached_tokens.min(usage.input_tokens) * 100).checked_div(usage.input_tokens)
        && share > 0
    {
        text.push_str(&format!(" ({share} % read from the cache)"));
    }
    text.push_str(&format!(", {} out", usage.output_tokens));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Account, Balance};

    #[test]
    fn every_payer_has_one_line_with_limits_and_what_is_set_aside() {
        let standing = |scope, period, limit, spent, reserved| Standing {
            account: Account { scope, period },
            limit,
            balance: Balance { spent, reserved },
            resets: None,
        };
        let day = || Period::Day("2026-11-25".into());
        let month = || Period::Month("2026-11".into());
        let person = || Scope::Person("U1".into());
        let standing = [
            standing(Scope::Session("s".into()), Period::Whole, None, 520_000, 100_000),
            standing(person(), day(), Some(5_000_000), 520_000, 0),
            standing(person(), month(), None, 3_200_000, 0),
            standing(Scope::Team, day(), None, 0, 0),
            standing(Scope::Team, month(), Some(100_000_000), 4_000, 0),
        ];
        let usage = Usage {
            input_tokens: 200,
            cached_tokens: 150,
            output_tokens: 7,
            unpriced: 2,
            ..Usage::default()
        };
        let Event::Spending { lines } = lines(&usage, &standing, "Alice") else { panic!() };
        let drawn: Vec<String> = lines.iter().map(|(label, value)| format!("{label}: {value}")).collect();
        assert_eq!(
            drawn,
            [
                "This session: $0.52 ($0.10 set aside)",
                "Alice: $0.52 today (limit $5.00) · $3.20 this month",
                "Everybody: $0.00 today · under $0.01 this month (limit $100.00)",
                "Tokens here: 200 in (75 % read from the cache), 7 out",
                "Unknown price: 2 calls here; what they cost is in none of these sums",
            ]
        );
    }
}
