//! A copy of a pay-result that another node delivers at this moment waits for its end, as it does on one node.

use std::time::Duration;

use super::Ledger;
use super::reported::Reported;
use crate::Digests;
use crate::sync::{Held, Share};

/// It is looked so often whether the other node is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// And so often at most: the other node's lease has long expired then, unless it took others since.
const LOOKS_MAX: usize = 300;

impl Ledger {
    /// Returns what Redis holds of a bill and of a pay-result, once no other node that runs delivers the pay-result;
    /// `None` where Redis cannot be reached.
    pub(super) async fn read_once_delivered(
        &self,
        share: &Share,
        report: &Reported,
        message: &Digests,
    ) -> Option<Held> {
        let mut held = share.read(&report.bill, Some(message)).await.ok()?;
        for _ in 0..LOOKS_MAX {
            if !share.is_delivered_elsewhere(&held) {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            held = share.read(&report.bill, Some(message)).await.ok()?;
        }
        Some(held)
    }
}
