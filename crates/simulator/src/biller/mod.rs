//! A biller: bills, whether they can be paid, and payments taken.

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

use crate::server::StandIn;

/// A biller that listens. It answers `/kakao/notice`, `/kakao/prepay` and `/kakao/pay-result`, also
/// below a path of its own (`/base/kakao/notice`), and stops when dropped. See [`StandIn`] for its
/// calls and faults.
///
/// Whether a bill was paid plays no part in what it answers to `prepay`: an `E403` that a caller gets
/// is then the gateway's.
#[derive(Debug)]
pub struct Biller {
    stand_in: StandIn,
    service: Arc<BillerService>,
}

impl Biller {
    /// Listens.
    ///
    /// # Errors
    /// If the address cannot be bound, or no thread can be had.
    pub fn start(options: BillerOptions) -> io::Result<Self> {
        let service = Arc::new(BillerService::new(
            options.code.clone(),
            options.personality,
        ));
        let stand_in = StandIn::start(options.into_settings(), Arc::clone(&service) as Arc<_>)?;
        Ok(Self { stand_in, service })
    }

    /// Its biller code.
    pub fn code(&self) -> &str {
        self.service.code()
    }

    /// Adds or replaces a bill. One with neither month, ordinal nor notice key stands for all bills of
    /// its customer that are not set themselves.
    pub fn set_bill(&self, bill: Bill) {
        self.service.catalogue().set(bill);
    }

    /// From now on this customer has only bills that are set after this.
    pub fn remove_bills(&self, biller_user_key: &str) {
        self.service.catalogue().remove(biller_user_key);
    }

    /// The payments and cancels it took, in order, copies included: the newest 1,000,000.
    pub fn payments(&self) -> Vec<Payment> {
        self.service.payments()
    }
}

impl Deref for Biller {
    type Target = StandIn;

    fn deref(&self) -> &StandIn {
        &self.stand_in
    }
}
