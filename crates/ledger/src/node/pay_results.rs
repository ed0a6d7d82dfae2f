//! A biller's pay-results that are under way, and its accepted answers that the journal does not have yet.

use std::sync::Arc;

use foldhash::HashMap;
use protocol::CanonicalDigest;
use tokio::sync::watch;

use crate::{Digests, KeptAnswer, MessageDigest};

/// What memory knows of pay-results, by their bytes and by their canonical form.
#[derive(Debug, Default)]
pub(super) struct PayResults {
    /// The answers of billers that accepted a pay-result, until the journal has them.
    accepted: HashMap<MessageDigest, Arc<KeptAnswer>>,
    accepted_as: HashMap<CanonicalDigest, MessageDigest>,
    /// Pay-results that this node relays; bounded by the allowance in flight.
    under_way: HashMap<MessageDigest, watch::Receiver<()>>,
    /// The same by canonical form.
    forms_under_way: HashMap<CanonicalDigest, watch::Receiver<()>>,
}

/// Whether a pay-result may be claimed, as far as memory says.
#[derive(Debug)]
pub(super) enum InMemory {
    /// The biller accepted it, and the journal does not have the answer yet.
    Accepted(MessageDigest, Arc<KeptAnswer>),
    /// A copy is under way.
    UnderWay(watch::Receiver<()>),
    /// It is under way from now on; the sender's end wakes its copies.
    Taken(watch::Sender<()>),
}

impl PayResults {
    /// Takes a pay-result, unless it was accepted or is under way, in whatever spelling.
    pub(super) fn take(&mut self, message: &Digests) -> InMemory {
        let spelled = |canonical| self.accepted_as.get(canonical).copied();
        let other = message.canonical.as_ref().and_then(spelled);
        let candidates = [Some(message.bytes), other].into_iter().flatten();
        for digest in candidates {
            if let Some(answer) = self.accepted.get(&digest) {
                return InMemory::Accepted(digest, Arc::clone(answer));
            }
        }
        let form = |canonical| self.forms_under_way.get(canonical);
        let same_bytes = self.under_way.get(&message.bytes);
        if let Some(wait) = same_bytes.or_else(|| message.canonical.as_ref().and_then(form)) {
            return InMemory::UnderWay(wait.clone());
        }
        let (wake, wait) = watch::channel(());
        if let Some(canonical) = message.canonical {
            self.forms_under_way.insert(canonical, wait.clone());
        }
        self.under_way.insert(message.bytes, wait);
        InMemory::Taken(wake)
    }

    /// A pay-result is not under way any more.
    pub(super) fn give_back(&mut self, message: &Digests) {
        self.under_way.remove(&message.bytes);
        if let Some(canonical) = &message.canonical {
            self.forms_under_way.remove(canonical);
        }
    }

    /// The biller accepted a pay-result; the journal does not have the answer yet.
    pub(super) fn accept(&mut self, message: Digests, answer: Arc<KeptAnswer>) {
        self.accepted.insert(message.bytes, answer);
        if let Some(canonical) = message.canonical {
            self.accepted_as.entry(canonical).or_insert(message.bytes);
        }
    }

    /// The journal has committed the answer to a pay-result.
    pub(super) fn answer_committed(&mut self, message: &Digests) {
        self.accepted.remove(&message.bytes);
        if let Some(canonical) = &message.canonical
            && self.accepted_as.get(canonical) == Some(&message.bytes)
        {
            self.accepted_as.remove(canonical);
        }
    }
}
