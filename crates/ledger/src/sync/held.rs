//! A [`Held`] is what Redis holds of one bill, as bytes and decoded.

use bytes::Bytes;
use protocol::Bill;

use super::answer::Answer;
use super::keys::{
    BILL, CANONICAL, GROUP, IDENTITIES, KeySet, MESSAGE, NOTICE_KEY, OLD_GROUP, OLD_NOTICE_KEY,
    keys,
};
use super::old_values::OldValues;
use super::seal::{Opened, Seal};
use crate::node::decision::DecisionInput;
use crate::node::{Epoch, LinkKey, Local};
use crate::state::bill_state::BillValue;
use crate::state::codec::{Decoder, Unreadable};
use crate::state::horizon::Horizon;
use crate::state::owners::Owners;
use crate::state::paid_identities::PaidIdentities;
use crate::{
    Author, BillGroup, BillState, BillView, Digests, Fact, KeptAnswer, MessageDigest,
    RegisteredBills, Stamp, Timestamp,
};

/// A `Held` is the decoded values of a bill's keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// `None`: nothing is known of the bill.
    pub(crate) state: Option<BillState>,
    /// The registered bills that differ in their notice keys only.
    pub(super) in_group: RegisteredBills,
    /// Those with the bill's notice key.
    pub(super) with_notice_key: RegisteredBills,
    /// Paid bills that may differ in their identity parameters only.
    pub(super) identities: PaidIdentities,
    /// What nodes of before read.
    pub(super) old: OldValues,
    /// The answer with which the pay-result that was asked for was accepted.
    pub(crate) accepted: Option<KeptAnswer>,
    /// The pay-result of the same canonical form that was accepted first.
    pub(super) accepted_as: Option<MessageDigest>,
    /// Who delivers that pay-result at this moment.
    pub(super) delivered_by: Option<Author>,
    /// That answer is large, and stored separately.
    pub(super) is_separate: bool,
    /// A value had no valid checksum.
    pub(super) has_invalid: bool,
    /// The epoch of the marks in which it was asked for.
    pub(crate) epoch: Epoch,
    /// Which values were asked for.
    pub(super) key_set: KeySet,
    raw: Vec<Option<Bytes>>,
}

/// Reads what the key of an accepted pay-result holds.
pub(super) fn answer(value: &Bytes) -> Result<Answer, Unreadable> {
    Answer::read(value)
}

impl Held {
    /// Returns whether the bill's own value was asked for and is not there.
    pub(crate) fn is_missing(&self) -> bool {
        self.raw.first().is_some_and(Option::is_none)
    }

    /// Reads values in the order of the keys.
    pub(super) fn read(
        bill: &Bill,
        message: Option<&Digests>,
        (key_set, raw): (KeySet, Vec<Option<Bytes>>),
        (horizon, seal): (&Horizon, &Seal),
    ) -> Result<Self, Unreadable> {
        let mut held = Self {
            key_set,
            ..Self::default()
        };
        let biller = bill.biller_code();
        for (key, value) in keys(bill, message, key_set).into_iter().zip(&raw) {
            let Some(value) = value else {
                continue;
            };
            let opened = seal.open(biller.as_str(), key, value);
            held.has_invalid |= !opened.is_valid;
            held.read_value(bill, key.kind, &opened, horizon)?;
        }
        if key_set.has_old {
            held.take_in_old_values(bill);
        }
        held.raw = raw;
        Ok(held)
    }

    fn read_value(
        &mut self,
        bill: &Bill,
        kind: &str,
        opened: &Opened,
        horizon: &Horizon,
    ) -> Result<(), Unreadable> {
        let (content, is_valid, horizon) = (&opened.content, opened.is_valid, Some(horizon));
        match kind {
            BILL => {
                let mut state = BillValue::from_bytes(content, horizon)?;
                if !is_valid {
                    // Nothing is paid, and nothing is cancelled, because of a value that was written without the key.
                    state.drop_payments();
                }
                self.state = Some(state);
            }
            GROUP => self.in_group = RegisteredBills::from_bytes(content, bill, horizon)?,
            NOTICE_KEY => {
                self.with_notice_key = RegisteredBills::from_bytes(content, bill, horizon)?;
            }
            OLD_GROUP => {
                self.old.group = BillGroup::from_bytes(content, bill, horizon)?;
                if !is_valid {
                    self.old.group.drop_payments();
                }
            }
            OLD_NOTICE_KEY => self.old.owners = Owners::from_bytes(content, bill, horizon)?,
            // Without a valid checksum it is not known that anything was paid, or accepted.
            _ if !is_valid => {}
            IDENTITIES => self.identities = PaidIdentities::from_bytes(content, bill)?,
            CANONICAL => {
                let mut decoder = Decoder::new(content)?;
                self.accepted_as = Some(MessageDigest::decode(&mut decoder)?);
                decoder.finish()?;
            }
            MESSAGE => match self::answer(content)? {
                Answer::Inline(answer) => self.accepted = Some(answer),
                Answer::Separate => self.is_separate = true,
            },
            _ => {}
        }
        Ok(())
    }

    fn take_in_old_values(&mut self, bill: &Bill) {
        if let Some(old) = self.old.state(bill) {
            self.state.get_or_insert_default().merge(old);
        }
        self.old
            .fold_others(bill, &mut self.in_group, &mut self.with_notice_key);
    }

    /// Joins what this node and Redis know of the bill.
    pub(crate) fn join(&self, bill: &Bill, local: &Local) -> Self {
        let mut joined = Self {
            raw: Vec::new(),
            ..self.clone()
        };
        let question = joined.question_mut(bill);
        for (other, state) in local.others() {
            question.fold_link(other, state.link());
        }
        if let Some(state) = local.state() {
            joined.state.get_or_insert_default().merge(state);
        }
        joined.take_state_in(bill);
        joined
    }

    /// Folds one more fact of the bill in.
    pub(crate) fn fold(&mut self, fact: &Fact) {
        self.state.get_or_insert_default().fold(fact);
        self.take_state_in(&fact.bill);
    }

    /// Takes the bill's state in where it is a part of an answer.
    fn take_state_in(&mut self, bill: &Bill) {
        let Some(state) = &self.state else {
            return;
        };
        if self.key_set.has_links {
            self.in_group.fold_link(bill, state.link());
            if !bill.biller_notice_key().is_empty() {
                self.with_notice_key.fold_link(bill, state.link());
            }
        }
        if bill.identity_parameters().next().is_some() && state.payments().is_some() {
            self.identities.add(bill);
        }
        if self.key_set.has_old {
            self.old.merge(bill, state);
        }
    }

    fn question_mut(&mut self, bill: &Bill) -> &mut RegisteredBills {
        match LinkKey::of(bill) {
            LinkKey::Notice(_) => &mut self.with_notice_key,
            LinkKey::Group(_) => &mut self.in_group,
        }
    }

    /// Returns whether this says all that the other says.
    pub(super) fn has_all_of(&self, other: &Self) -> bool {
        self.state == other.state
            && self.in_group == other.in_group
            && self.with_notice_key == other.with_notice_key
            && self.identities == other.identities
    }

    /// Returns the latest stamp of what is held of the bill; the default stamp where nothing is.
    pub(crate) fn latest(&self) -> Stamp {
        self.state
            .as_ref()
            .map(BillState::latest)
            .unwrap_or_default()
    }

    /// Returns whether the bill is paid, and whether it is an error bill.
    pub(crate) fn view(&self, now: Timestamp) -> BillView {
        let state = self.state.as_ref();
        state.map_or(BillView::NOTHING, |state| BillView::of(state, now))
    }

    /// Returns what a decision about the bill's link reads.
    pub(crate) fn decision_input(&self, bill: &Bill) -> DecisionInput<'_> {
        DecisionInput {
            state: self.state.as_ref(),
            others: Some(match LinkKey::of(bill) {
                LinkKey::Notice(_) => &self.with_notice_key,
                LinkKey::Group(_) => &self.in_group,
            }),
        }
    }

    /// Returns what the first `keys` keys hold; a key that was not asked for is taken to be absent.
    pub(super) fn values(&self, keys: usize) -> Vec<Option<&[u8]>> {
        (0..keys).map(|key| self.raw.get(key)?.as_deref()).collect()
    }
}
