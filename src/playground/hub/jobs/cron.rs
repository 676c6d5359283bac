//! When a schedule comes round next: five fields of cron in UTC, or one of the `@` words. Pure.

use jiff::civil::{Date, Weekday};
use jiff::{ToSpan, tz::TimeZone};

use crate::clock::Timestamp;

/// Years that are searched for the next time; enough for the 29th of February on a Monday.
const YEARS: i16 = 30;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A schedule that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Vec<i8>,
    months: Vec<i8>,
    weekdays: Vec<i8>,
    /// In cron a day matches if either of two restricted fields does.
    either: bool,
}

impl Schedule {
    /// Reads it; `None` if it is no schedule, or one that never comes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return None };
        let mut weekdays = field(weekday, (0, 7), &DAYS, 0)?;
        // Both 0 and 7 are Sunday.
        weekdays.iter_mut().for_each(|it| *it %= 7);
        let schedule = Self {
            minutes: field(minute, (0, 59), &[], 0)?,
            hours: field(hour, (0, 23), &[], 0)?,
            days: field(day, (1, 31), &[], 1)?,
            months: field(month, (1, 12), &MONTHS, 1)?,
            weekdays,
            either: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        schedule.after(Timestamp(0)).is_some().then_some(schedule)
    }

    /// The first moment after this one that the schedule names.
    pub(super) fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let from = jiff::Timestamp::from_millisecond(moment.0).ok()?.to_zoned(TimeZone::UTC).datetime();
        let from = from.with().second(0).subsec_nanosecond(0).build().ok()?.checked_add(1.minute()).ok()?;
        let last = from.date().year().checked_add(YEARS)?;
        let mut date = from.date();
        let mut earliest = Some(from.time());
        while date.year() < last {
            if self.falls_on(date) {
                for (&hour, &minute) in
                    self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)))
                {
                    let at = date.at(hour, minute, 0, 0);
                    if earliest.is_none_or(|it| at.time() >= it) {
                        return Some(Timestamp(
                            at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond(),
                        ));
                    }
                }
            }
            earliest = None;
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn falls_on(&self, date: Date) -> bool {
        let weekday = match date.weekday() {
            Weekday::Sunday => 0,
            other => other.to_monday_one_offset(),
        };
        let (day, weekday) = (self.days.contains(&date.day()), self.weekdays.contains(&weekday));
        self.months.contains(&date.month()) && if self.either { day || weekday } else { day && weekday }
    }
}

/// One field: stars, numbers, names, ranges, steps and lists of them. Sorted.
fn field(text: &str, (low, high): (i8, i8), names: &[&str], first: i8) -> Option<Vec<i8>> {
    let number = |word: &str| -> Option<i8> {
        let named = names.iter().position(|name| word.eq_ignore_ascii_case(name));
        let value = match named {
            Some(index) => i8::try_from(index).ok()?.checked_add(first)?,
            None => word.parse().ok()?,
        };
        (low..=high).contains(&value).then_some(value)
    };
    let mut found = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|it| *it > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (number(from)?, number(to)?),
            // `5/15` means from 5 on.
            None if step > 1 => (number(range)?, high),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return None;
        }
        found.extend((from..=to).step_by(step));
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn schedules_come_round_when_cron_says() {
        // A Sunday.
        let now = at("2026-11-22T10:00:00Z");
        for (schedule, next) in [
            ("@hourly", "2026-11-22T11:00:00Z"),
            ("@daily", "2026-11-23T00:00:00Z"),
            ("@weekly", "2026-11-29T00:00:00Z"),
            ("@monthly", "2026-12-01T00:00:00Z"),
            ("@annually", "2027-01-01T00:00:00Z"),
            ("0 9 * * 1", "2026-11-23T09:00:00Z"),
            ("0 9 * * MON", "2026-11-23T09:00:00Z"),
            ("*/15 * * * *", "2026-11-22T10:15:00Z"),
            ("0 10 * * 0", "2026-11-29T10:00:00Z"),
            ("30 8 1,15 * *", "2026-12-01T08:30:00Z"),
            // Either field of the day will do when both are given.
            ("0 0 13 * fri", "2026-11-27T00:00:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("5/20 22-23 * * *", "2026-11-22T22:05:00Z"),
        ] {
            let parsed = Schedule::parse(schedule).unwrap_or_else(|| panic!("{schedule}"));
            assert_eq!(parsed.after(now), Some(at(next)), "{schedule}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "",
            "@never",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "0 0 30 2 *",
            "a b c d e",
        ] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
