//! What billers leave behind whose files are gone: said at the start and at a reload that removes one.

use std::sync::Arc;

use actix_web::rt::task::spawn_blocking;
use ledger::{LeftBehind, Timestamp};
use protocol::BillerCode;

use crate::state::GatewayState;

/// Logs a warning for every biller of these that has undelivered pay-results or links. It runs on a blocking thread:
/// there can be many bills.
pub(super) fn warn_of(shared: &Arc<GatewayState>, removed: Vec<BillerCode>) {
    let ledger = shared.ledger.clone();
    // Nothing waits for the warning.
    drop(spawn_blocking(move || {
        for biller in removed {
            let left = ledger
                .left_behind(biller, Timestamp::now())
                .unwrap_or_default();
            let LeftBehind { undelivered, links } = left;
            if left != LeftBehind::default() {
                tracing::warn!(
                    biller = biller.as_str(),
                    undelivered,
                    links,
                    "a biller that is not registered any more has undelivered pay-results or links"
                );
            }
        }
    }));
}

/// Returns the billers of the ledger that are not registered.
pub(super) fn unregistered(shared: &GatewayState) -> Vec<BillerCode> {
    let registry = shared.registry();
    let known = shared.ledger.known_billers().into_iter();
    known
        .filter(|biller| registry.find(biller.as_str()).is_none())
        .collect()
}
