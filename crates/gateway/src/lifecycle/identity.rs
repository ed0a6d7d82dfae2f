//! Changes of a biller's `identity_parameters`, which would make its paid bills payable again.
//!
//! The journal keeps which parameters are in force. A change while bills are paid or registered needs a date in the
//! biller's file; a date counts for one change.

use std::collections::HashMap;
use std::fmt;

use ledger::{IdentityInForce, IdentityUse, JournalError, Ledger, Timestamp};
use protocol::BillerCode;

use crate::config::{Biller, IdentityChange};

/// A change that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefusedChange {
    biller: BillerCode,
    in_force: Vec<String>,
    configured: Vec<String>,
    bills: u64,
    has_spent_date: bool,
}

impl fmt::Display for RefusedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (self.in_force.join(", "), self.configured.join(", "));
        let a_date = if self.has_spent_date {
            "another date, for this one was of the change before"
        } else {
            "the date of the change"
        };
        write!(
            f,
            "{}: identity_parameters: must stay [{old}] and not become [{new}]: {} bills are paid or linked with the old \
             ones, and paid ones could be paid again; or give `identity_parameters_changed_on` {a_date}",
            self.biller, self.bills
        )
    }
}

/// The identity parameters of all billers, judged.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Changes that are refused.
    pub(super) refused: Vec<RefusedChange>,
    /// Parameters that come into force.
    new: Vec<IdentityInForce>,
}

impl Judged {
    /// Compares the billers' files with what is in force. A biller whose change is refused gets the old parameters, one
    /// whose change was taken the moment of it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn of(
        ledger: &Ledger,
        billers: &mut [Biller],
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let in_force = ledger.identities_in_force()?;
        let in_force: HashMap<BillerCode, IdentityInForce> = in_force
            .into_iter()
            .map(|known| (known.biller, known))
            .collect();
        let mut judged = Self::default();
        for biller in billers {
            let known = in_force.get(&biller.code);
            judged.judge(ledger, biller, known, now)?;
        }
        Ok(judged)
    }

    fn judge(
        &mut self,
        ledger: &Ledger,
        biller: &mut Biller,
        in_force: Option<&IdentityInForce>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let mut names = biller.identity_parameters.clone();
        names.sort_unstable();
        let change = biller.identity_parameters_changed_on.as_mut();
        let changed_on = change.as_ref().map_or("", |change| &change.on).to_owned();
        let taken = |since| IdentityInForce {
            biller: biller.code,
            names: names.clone(),
            changed_on: changed_on.clone(),
            since,
        };
        let Some(in_force) = in_force else {
            // Nothing is known of a change: only the date in the file says when one was.
            self.new.push(taken(Timestamp::default()));
            if let Some(change) = change {
                change.take_effect_by(now);
            }
            return Ok(());
        };
        if in_force.names == names {
            block_payments_of_before(biller, in_force, now);
            return Ok(());
        }
        let bills = bills_with_another_identity(
            &ledger.identities_of(biller.code, now)?,
            &in_force.names,
            &names,
        );
        let is_dated = !changed_on.is_empty() && changed_on != in_force.changed_on;
        if bills == 0 || is_dated {
            tracing::warn!(
                biller = biller.code.as_str(), bills, old = ?in_force.names, new = ?names,
                "identity parameters change; payments of before still block their bills"
            );
            let new = taken(now);
            block_payments_of_before(biller, &new, now);
            self.new.push(new);
            return Ok(());
        }
        self.refused.push(RefusedChange {
            biller: biller.code,
            in_force: in_force.names.clone(),
            configured: names,
            bills,
            has_spent_date: !changed_on.is_empty(),
        });
        biller.identity_parameters.clone_from(&in_force.names);
        block_payments_of_before(biller, in_force, now);
        Ok(())
    }

    /// Keeps what comes into force.
    pub(super) fn keep(self, ledger: &Ledger) {
        if !self.new.is_empty() {
            ledger.keep_identities(self.new);
        }
    }
}

/// Lets payments of before the last change block their bills by the other members, whatever the biller's file says of
/// that change now.
fn block_payments_of_before(biller: &mut Biller, in_force: &IdentityInForce, now: Timestamp) {
    let change = &mut biller.identity_parameters_changed_on;
    if in_force.since > Timestamp::default() {
        let taken = IdentityChange::taken(in_force.changed_on.clone(), in_force.since);
        *change = Some(taken);
    } else if let Some(change) = change {
        change.take_effect_by(now);
    }
}

/// Returns the number of bills whose identity may be another one with the new parameters: all of them where one is
/// added, those that have a value of it where one is removed.
fn bills_with_another_identity(uses: &[IdentityUse], old: &[String], new: &[String]) -> u64 {
    let is_grown = new.iter().any(|name| !old.contains(name));
    let has_lost = |one: &&IdentityUse| one.names.iter().any(|name| !new.contains(name));
    let affected = uses.iter().filter(|one| is_grown || has_lost(one));
    affected.map(|one| one.bills).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_count_if_their_identity_may_be_another_one() {
        let names = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let uses = [("", 3), ("unit", 20), ("floor unit", 100)];
        let uses = uses.map(|(text, bills)| IdentityUse {
            names: names(text),
            bills,
        });
        for (old, new, bills) in [
            ("floor unit", "unit", 100),
            ("floor unit", "", 120),
            ("floor unit", "floor", 120),
            ("unit", "floor", 123),
            ("unit", "floor unit", 123),
            ("", "unit", 123),
        ] {
            let found = bills_with_another_identity(&uses, &names(old), &names(new));
            assert_eq!(found, bills, "{old} to {new}");
        }
        assert_eq!(bills_with_another_identity(&[], &[], &names("unit")), 0);
    }
}
