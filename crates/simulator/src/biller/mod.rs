//! A simulated biller: its bills and the payments that it recorded.

mod bill;
mod catalogue;
mod notice;
mod options;
mod payment;
mod service;

use std::io;
use std::ops::Deref;
use std::sync::Arc;

pub use bill::{Bill, Detail};
pub use options::{BillerOptions, Personality};
pub use payment::{PayType, Payment};
use service::BillerService;

use crate::server::SimulatedParty;

/// A listening biller. It answers `/kakao/notice`, `/kakao/prepay` and `/kakao/pay-result`, with any path
/// before them (`/base/kakao/notice`). It stops when it is dropped. See [`SimulatedParty`] for its calls and
/// faults.
///
/// Its answers to `prepay` do not depend on payments, so an `E403` is always the gateway's.
#[derive(Debug)]
pub struct Biller {
    party: SimulatedParty,
    service: Arc<BillerService>,
}

impl Biller {
    /// Starts the biller and listens.
    ///
    /// # Errors
    /// If the address cannot be bound or the thread cannot be created.
    pub fn start(options: BillerOptions) -> io::Result<Self> {
        let service = Arc::new(BillerService::new(
            options.code.clone(),
            options.personality,
        ));
        let party = SimulatedParty::start(options.into_settings(), Arc::clone(&service) as Arc<_>)?;
        Ok(Self { party, service })
    }

    /// Returns the biller's code.
    pub fn code(&self) -> &str {
        self.service.code()
    }

    /// Adds or replaces a bill. A bill without month, ordinal and notice key is used for all bills of its
    /// customer that are not set.
    pub fn set_bill(&self, bill: Bill) {
        self.service.catalogue().set(bill);
    }

    /// Removes all bills of this customer, including the default bill.
    pub fn remove_bills(&self, biller_user_key: &str) {
        self.service.catalogue().remove(biller_user_key);
    }

    /// Returns the recorded payments and cancels in order, including duplicates: the newest 1,000,000.
    pub fn payments(&self) -> Vec<Payment> {
        self.service.payments()
    }
}

impl Deref for Biller {
    type Target = SimulatedParty;

    fn deref(&self) -> &SimulatedParty {
        &self.party
    }
}
