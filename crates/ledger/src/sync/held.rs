//! What the shared state holds of one bill, as bytes and as what they mean.

use bytes::Bytes;
use protocol::Bill;

use super::answer::Answer;
use super::keys::{CANONICAL, FAMILY, NOTICE_KEY, keys};
use super::seal::{Opened, Seal};
use crate::node::Epoch;
use crate::node::decision::DecisionInput;
use crate::state::codec::{Decoder, Unreadable};
use crate::state::horizon::Horizon;
use crate::state::owners::Owners;
use crate::{BillGroup, BillState, Digests, Fact, KeptAnswer, MessageDigest, Stamp};

/// The values of a bill's keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) family: BillGroup,
    pub(crate) owners: Owners,
    /// The answer with which the pay-result that was asked for was accepted.
    pub(crate) accepted: Option<KeptAnswer>,
    /// The pay-result of the same canonical form that was accepted first.
    pub(super) accepted_as: Option<MessageDigest>,
    /// That answer is large, and kept apart.
    pub(super) is_apart: bool,
    /// A value had no valid checksum.
    pub(super) has_invalid: bool,
    /// When it was asked for, in the life of the marks.
    pub(crate) epoch: Epoch,
    raw: Vec<Option<Bytes>>,
}

/// Reads what the key of an accepted pay-result holds.
pub(super) fn answer(value: &Bytes) -> Result<Answer, Unreadable> {
    Answer::read(value)
}

impl Held {
    /// Reads values in the order of the keys: family, notice key where the bill has one; where a pay-result was
    /// asked for, its answer, and what was accepted in its canonical form where it has one.
    pub(super) fn read(
        bill: &Bill,
        message: Option<&Digests>,
        raw: Vec<Option<Bytes>>,
        (horizon, seal): (&Horizon, &Seal),
    ) -> Result<Self, Unreadable> {
        let horizon = Some(horizon);
        let mut held = Self::default();
        let biller = bill.biller_code();
        for (key, value) in keys(bill, message).into_iter().zip(&raw) {
            let Some(value) = value else {
                continue;
            };
            let Opened { content, is_valid } = seal.open(biller.as_str(), key, value);
            held.has_invalid |= !is_valid;
            match key.kind {
                FAMILY => {
                    held.family = BillGroup::from_bytes(&content, bill, horizon)?;
                    if !is_valid {
                        // Nothing is paid, and nothing is cancelled, on the word of somebody without the key.
                        held.family.drop_payments();
                    }
                }
                NOTICE_KEY => held.owners = Owners::from_bytes(&content, bill, horizon)?,
                // Without a valid checksum nobody is known to have accepted anything.
                _ if !is_valid => {}
                CANONICAL => {
                    let mut decoder = Decoder::new(&content)?;
                    held.accepted_as = Some(MessageDigest::decode(&mut decoder)?);
                    decoder.finish()?;
                }
                _ => match self::answer(&content)? {
                    Answer::Beside(answer) => held.accepted = Some(answer),
                    Answer::Apart => held.is_apart = true,
                },
            }
        }
        held.raw = raw;
        Ok(held)
    }

    /// What this node and the shared state know, together.
    pub(crate) fn join(&self, local: &DecisionInput<'_>) -> Self {
        let mut joined = Self {
            raw: Vec::new(),
            ..self.clone()
        };
        if let Some(family) = local.bill_group {
            joined.family.merge(family);
        }
        if let Some(owners) = local.owners {
            joined.owners.merge(owners);
        }
        joined
    }

    /// Folds one more fact of the bill in.
    pub(crate) fn fold(&mut self, fact: &Fact) {
        self.family.entry(&fact.bill).fold(fact);
        if fact.kind.concerns_link() && !fact.bill.biller_notice_key().is_empty() {
            self.owners.fold(fact);
        }
    }

    /// Returns the latest stamp of what is held of the bill; the default stamp where nothing is.
    pub(crate) fn latest(&self, bill: &Bill) -> Stamp {
        let state = self.family.get(bill).map(BillState::latest);
        state.unwrap_or_default().max(self.owners.latest(bill))
    }

    /// For decisions.
    pub(crate) const fn decision_input(&self) -> DecisionInput<'_> {
        DecisionInput {
            bill_group: Some(&self.family),
            owners: Some(&self.owners),
        }
    }

    /// What the first `keys` keys hold; a key that was not asked for is taken to be absent.
    pub(super) fn values(&self, keys: usize) -> Vec<Option<&[u8]>> {
        (0..keys).map(|key| self.raw.get(key)?.as_deref()).collect()
    }
}
