//! Whose money pays, over the store's ledger: which accounts, with which limits, until when.
//!
//! Owns [`LedgerPurse`]. Days and months begin in the zone of the budgets. Never decides what to do when
//! there is not enough.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::agent::purse::{Payers, Pledge, Purse, PurseError, Standing, Wish};
use crate::clock::Clock;
use crate::config::{BudgetsConfig, Limits};
use crate::protocol::{Account, Balance, Period, Reservation, Reserved, Scope, SessionKey, Usd};
use crate::store::{Ledger, StoreError};

/// The purse of one process.
pub struct LedgerPurse<L: ?Sized> {
    ledger: Arc<L>,
    budgets: BudgetsConfig,
    zone: TimeZone,
    clock: Clock,
}

/// An account that pays, and when it begins anew.
struct Paying {
    account: Account,
    limit: Option<u64>,
    resets: Option<String>,
}

impl<L: Ledger + ?Sized> LedgerPurse<L> {
    /// A purse over this ledger with these budgets.
    ///
    /// # Errors
    /// When `budgets.time_zone` is no time zone.
    pub fn new(ledger: Arc<L>, budgets: BudgetsConfig, clock: Clock) -> anyhow::Result<Self> {
        let zone = TimeZone::get(&budgets.time_zone)
            .with_context(|| format!("budgets.time_zone: {:?} is no time zone", budgets.time_zone))?;
        Ok(Self { ledger, budgets, zone, clock })
    }

    fn paying(&self, payers: &Payers) -> Vec<Paying> {
        let budgets = &self.budgets;
        let mut paying = vec![Paying {
            account: Account { scope: Scope::Session(payers.session.clone()), period: Period::Whole },
            limit: budgets.session_usd.map(|limit| limit.0),
            resets: None,
        }];
        if let Some(person) = &payers.person {
            let limits = budgets.people.get(person.as_str()).unwrap_or(&budgets.person);
            paying.extend(self.by_time(&Scope::Person(person.clone()), limits));
        }
        if let Some(channel) = &payers.channel {
            let limits = budgets.channels.get(channel).unwrap_or(&budgets.channel);
            paying.extend(self.by_time(&Scope::Channel(channel.clone()), limits));
        }
        paying.extend(self.by_time(&Scope::Team, &budgets.team));
        paying
    }

    fn reservation(&self, wish: &Wish, paying: &[Paying]) -> Reservation {
        Reservation {
            id: wish.id.clone(),
            session: wish.payers.session.clone(),
            purpose: wish.purpose.clone(),
            amount: wish.amount,
            accounts: paying.iter().map(|paying| (paying.account.clone(), paying.limit)).collect(),
            at: self.clock.now(),
        }
    }

    fn by_time(&self, scope: &Scope, limits: &Limits) -> [Paying; 2] {
        let now =
            jiff::Timestamp::from_millisecond(self.clock.now().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let today = now.to_zoned(self.zone.clone()).date();
        let paying = |period, limit: Option<Usd>, next: Option<Date>| Paying {
            account: Account { scope: scope.clone(), period },
            limit: limit.map(|limit| limit.0),
            resets: next.and_then(|day| self.beginning(day)),
        };
        [
            paying(Period::Day(today.to_string()), limits.day_usd, today.tomorrow().ok()),
            paying(
                Period::Month(today.strftime("%Y-%m").to_string()),
                limits.month_usd,
                today.last_of_month().tomorrow().ok(),
            ),
        ]
    }

    /// When a day begins, in words that name the zone.
    fn beginning(&self, day: Date) -> Option<String> {
        let begins: Zoned = day.to_zoned(self.zone.clone()).ok()?;
        Some(begins.strftime("%Y-%m-%d %H:%M %Z").to_string())
    }
}

fn failed(error: StoreError) -> PurseError {
    PurseError(error.to_string())
}

impl Paying {
    fn standing(self, balance: Balance) -> Standing {
        Standing { account: self.account, limit: self.limit, balance, resets: self.resets }
    }
}

#[async_trait]
impl<L: Ledger + ?Sized> Purse for LedgerPurse<L> {
    async fn reserve(&self, wish: &Wish) -> Result<Pledge, PurseError> {
        let paying = self.paying(&wish.payers);
        let reservation = self.reservation(wish, &paying);
        match self.ledger.reserve(reservation).await.map_err(failed)? {
            Reserved::Held => Ok(Pledge::Held),
            Reserved::Over { account, limit, balance } => {
                let of_it = paying.into_iter().find(|paying| paying.account == account);
                let resets = of_it.and_then(|paying| paying.resets);
                Ok(Pledge::Short(Standing { account, limit: Some(limit), balance, resets }))
            }
        }
    }

    async fn settle(&self, id: &str, cost: u64) -> Result<(), PurseError> {
        self.ledger.settle(id, cost).await.map_err(failed)
    }

    async fn release(&self, id: &str) -> Result<(), PurseError> {
        self.ledger.unreserve(id).await.map_err(failed)
    }

    async fn spend(&self, wish: &Wish) -> Result<(), PurseError> {
        let paying = self.paying(&wish.payers);
        self.ledger.spend(self.reservation(wish, &paying)).await.map_err(failed)
    }

    async fn open(&self, session: &SessionKey) -> Result<Vec<Reservation>, PurseError> {
        self.ledger.open_reservations(session).await.map_err(failed)
    }

    async fn standing(&self, payers: &Payers) -> Result<Vec<Standing>, PurseError> {
        let paying = self.paying(payers);
        let accounts: Vec<Account> = paying.iter().map(|paying| paying.account.clone()).collect();
        let balances = self.ledger.balances(&accounts).await.map_err(failed)?;
        Ok(paying.into_iter().zip(balances).map(|(paying, balance)| paying.standing(balance)).collect())
    }
}

#[cfg(test)]
#[path = "purse_tests.rs"]
mod tests;
