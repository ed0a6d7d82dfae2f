//! What the admin API's handlers share.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use protocol::BillerCode;

use super::refusal::Refusal;
use crate::registry::RegisteredBiller;
use crate::state::Worker;

/// The worker of the ops listener, with its own upstream connections.
#[derive(Clone, Debug)]
pub(in crate::ops) struct AdminContext(pub(in crate::ops) Rc<Worker>);

impl AdminContext {
    pub(super) const fn worker(&self) -> &Rc<Worker> {
        &self.0
    }

    pub(super) fn ledger(&self) -> &ledger::Ledger {
        &self.0.shared().ledger
    }

    /// Returns the registered biller with this code.
    pub(super) fn biller(&self, code: &str) -> Result<Arc<RegisteredBiller>, Refusal> {
        let registry = self.0.shared().registry();
        registry.find(code).cloned().ok_or_else(|| {
            Refusal::not_found(
                "unknown_biller",
                "no biller with this code is registered at this gateway",
            )
        })
    }
}

impl AdminContext {
    /// Parses a biller's code; the biller need not be known.
    pub(super) fn code(text: &str) -> Result<BillerCode, Refusal> {
        BillerCode::parse(text).ok_or_else(|| {
            Refusal::bad_request("a biller's code is 1 to 32 characters of [A-Za-z0-9_-]")
        })
    }

    /// Returns the code of a biller that is registered, or of which this node knows something: what a removed biller
    /// has left can still be looked at and closed.
    pub(super) fn known_biller(&self, code: &str) -> Result<BillerCode, Refusal> {
        match BillerCode::parse(code) {
            Some(code) if self.ledger().knows_biller(code) => Ok(code),
            _ => self.biller(code).map(|biller| biller.code()),
        }
    }
}

impl FromRequest for AdminContext {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // `ops::serve` registers it with every application.
        let context = request.app_data::<Self>().cloned();
        ready(context.ok_or_else(|| Refusal::internal().into()))
    }
}
