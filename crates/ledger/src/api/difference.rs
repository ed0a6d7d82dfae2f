//! Has the shared state got what this node knows: its bills, and its billers' kept answers?

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::{Bill, BillerCode};

use super::Ledger;
use crate::redis::OutOfReach;
use crate::sync::{Lag, Share};
use crate::{JournalError, MessageDigest, Stamp};

/// Facts whose bills, or kept answers, are compared with the shared state in one go.
const BATCH: usize = 512;

/// What is looked at a second time at most, because a call may have been in the middle of it.
const SECOND_LOOK_BOUND: usize = 10_000;

/// After this time a call that was under way has shared its facts.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(2);

/// What Redis lacks of this node's journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedisDifference {
    /// Bills that Redis does not have.
    pub missing: u64,
    /// Bills of which Redis lacks facts.
    pub behind: u64,
    /// Bills whose value cannot be read: it is damaged, or a later version wrote it.
    pub unreadable: u64,
    /// Accepted pay-results without a readable kept answer. An answer that another node kept for the
    /// same pay-result counts: the first one stays.
    pub answers_missing: u64,
}

/// What could not be found at the first look.
#[derive(Debug, Default)]
struct Lacking {
    bills: Vec<Bill>,
    answers: Vec<(BillerCode, MessageDigest)>,
}

/// Why a comparison ended early.
pub(super) enum Halt {
    OutOfReach(OutOfReach),
    Journal(JournalError),
}

impl From<OutOfReach> for Halt {
    fn from(out: OutOfReach) -> Self {
        Self::OutOfReach(out)
    }
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl RedisDifference {
    /// Returns whether Redis has everything.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    fn count(&mut self, lag: Lag) {
        match lag {
            Lag::Missing => self.missing += 1,
            Lag::Behind => self.behind += 1,
            Lag::Unreadable => self.unreadable += 1,
        }
    }
}

impl Ledger {
    /// Compares everything in the journal with the shared state; what falls short is looked at
    /// twice, for a call may have been in the middle of it.
    pub(super) async fn difference(&self, share: &Share) -> Result<RedisDifference, Halt> {
        let mut difference = RedisDifference::default();
        let mut lacking = Lacking::default();
        self.look_at_bills(share, &mut lacking, &mut difference)
            .await?;
        self.look_at_answers(share, &mut lacking, &mut difference)
            .await?;
        lacking.bills.sort_unstable();
        lacking.bills.dedup();
        if !lacking.bills.is_empty() || !lacking.answers.is_empty() {
            tokio::time::sleep(SECOND_LOOK_AFTER).await;
        }
        for bills in lacking.bills.chunks(BATCH) {
            let lagging = self.lagging(share, bills.to_vec()).await?;
            for (_, lag) in &lagging {
                difference.count(*lag);
            }
        }
        for answers in lacking.answers.chunks(BATCH) {
            let still = unanswered(share, answers.to_vec()).await?;
            difference.answers_missing += still.len() as u64;
        }
        Ok(difference)
    }

    /// Returns the time of a stamp from which on Redis keeps values: what is older may have expired.
    fn kept_since(&self, share: &Share) -> i64 {
        Stamp::time_of(self.node.now().minus(share.keep().values))
    }

    async fn look_at_bills(
        &self,
        share: &Share,
        lacking: &mut Lacking,
        difference: &mut RedisDifference,
    ) -> Result<(), Halt> {
        let (mut after, since) = (0, self.kept_since(share));
        loop {
            let (last, bills) = self
                .read_journal(move |reader| reader.bills_after((after, since), BATCH))
                .await?;
            let Some(last) = last else { return Ok(()) };
            after = last;
            for (bill, lag) in self.lagging(share, bills).await? {
                if lacking.bills.len() < SECOND_LOOK_BOUND {
                    lacking.bills.push(bill);
                } else {
                    difference.count(lag);
                }
            }
        }
    }

    async fn look_at_answers(
        &self,
        share: &Share,
        lacking: &mut Lacking,
        difference: &mut RedisDifference,
    ) -> Result<(), Halt> {
        let (mut after, since) = (0, self.kept_since(share));
        loop {
            let accepted = self
                .read_journal(move |reader| reader.accepted_after((after, since), BATCH))
                .await?;
            let Some((last, ..)) = accepted.last() else {
                return Ok(());
            };
            after = *last;
            let answers = accepted
                .into_iter()
                .map(|(_, biller, message)| (biller, message.bytes))
                .collect();
            for one in unanswered(share, answers).await? {
                if lacking.answers.len() < SECOND_LOOK_BOUND {
                    lacking.answers.push(one);
                } else {
                    difference.answers_missing += 1;
                }
            }
        }
    }

    async fn lagging(&self, share: &Share, bills: Vec<Bill>) -> Result<Vec<(Bill, Lag)>, Halt> {
        let mut billers: BTreeMap<BillerCode, Vec<Bill>> = BTreeMap::new();
        for bill in bills {
            billers.entry(bill.biller_code()).or_default().push(bill);
        }
        let mut all = Vec::new();
        for (biller, bills) in billers {
            let mut residents = Vec::with_capacity(bills.len());
            for bill in &bills {
                residents.push(self.node.resident(bill).await?);
            }
            let lagging = share.lagging(biller, &residents).await?;
            let named = lagging
                .into_iter()
                .filter_map(|(place, lag)| Some((bills.get(place)?.clone(), lag)));
            all.extend(named);
        }
        Ok(all)
    }
}

/// Of these accepted pay-results, those of which the shared state has no kept answer.
async fn unanswered(
    share: &Share,
    answers: Vec<(BillerCode, MessageDigest)>,
) -> Result<Vec<(BillerCode, MessageDigest)>, Halt> {
    let mut billers: BTreeMap<BillerCode, Vec<MessageDigest>> = BTreeMap::new();
    for (biller, message) in answers {
        billers.entry(biller).or_default().push(message);
    }
    let mut all = Vec::new();
    for (biller, messages) in billers {
        let lacking = share.without_answer(biller, &messages).await?;
        all.extend(lacking.into_iter().map(|message| (biller, message)));
    }
    Ok(all)
}
