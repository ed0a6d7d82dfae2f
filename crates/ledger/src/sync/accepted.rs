//! Which pay-result the biller accepted, by its bytes or by its canonical form.

use protocol::Bill;

use super::{Held, Share};
use crate::{Digests, KeptAnswer, MessageDigest};

impl Share {
    /// The pay-result that the biller accepted with the same values, and its answer: the one that was asked for,
    /// else one in another spelling, which takes another round trip.
    pub(crate) async fn accepted(
        &self,
        bill: &Bill,
        held: Option<&Held>,
        message: &Digests,
    ) -> Option<(MessageDigest, KeptAnswer)> {
        let held = held?;
        if let Some(answer) = &held.accepted {
            return Some((message.bytes, answer.clone()));
        }
        let other = held.accepted_as.filter(|other| *other != message.bytes)?;
        // Boxed: copies in another spelling are rare.
        let held = Box::pin(self.read(bill, Some(&other.into()))).await.ok()?;
        Some((other, held.accepted?))
    }
}
