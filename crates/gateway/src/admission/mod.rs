//! Checks 1 to 4 (contract section 2), one file per check: source address and client certificate,
//! authorization, rate limit (`registry/rate.rs`), body size.

pub mod address;
pub mod authorization;
pub mod body;
mod certificate;

use std::net::IpAddr;
use std::sync::Arc;

use actix_http::HttpMessage as _;
use actix_web::http::header::HeaderValue;
use ipnet::IpNet;
use protocol::{Api, Caller};

use crate::registry::RegisteredBiller;
use crate::reply::{Problem, RefusedSource, UnknownBiller};
use crate::server::IncomingRequest;
use crate::state::Parties;

/// A call that passed checks 1 to 3.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The biller that the call names.
    pub biller: Arc<RegisteredBiller>,
    /// The `Authorization` value of a link call, which is relayed to Kakao Pay.
    pub authorization: Option<HeaderValue>,
}

/// Applies checks 1 to 3 in the contract's order. `biller` is the registered biller that the request names.
///
/// # Errors
/// The [`Problem`] of the first check that fails.
pub fn admit(
    api: Api,
    parties: &Parties,
    biller: Option<&Arc<RegisteredBiller>>,
    incoming: &IncomingRequest,
) -> Result<Admitted, Problem> {
    match api.caller() {
        Caller::Biller => admit_biller(parties, biller, incoming),
        Caller::KakaoPay => admit_kakao(api, parties, biller, incoming),
    }
}

fn admit_biller(
    parties: &Parties,
    biller: Option<&Arc<RegisteredBiller>>,
    incoming: &IncomingRequest,
) -> Result<Admitted, Problem> {
    // An unknown biller has no `allow_from`, so no address is allowed.
    let Some(biller) = biller else {
        let source = source(parties, incoming)?;
        return Err(Problem::AddressNotAllowed(RefusedSource::NoSuchBiller(
            source,
        )));
    };
    require_source(parties, incoming, &biller.settings.allow_from)?;
    certificate::check(&incoming.connection, &biller.settings.client_certificates)?;
    if !biller.is_active() {
        return Err(Problem::Suspended);
    }
    let accepted = &biller.settings.authorization_sha256;
    let authorization = authorization::authorize(incoming.request.headers(), accepted)?.clone();
    biller.rate.admit()?;
    Ok(Admitted {
        biller: Arc::clone(biller),
        authorization: Some(authorization),
    })
}

fn admit_kakao(
    api: Api,
    parties: &Parties,
    biller: Option<&Arc<RegisteredBiller>>,
    incoming: &IncomingRequest,
) -> Result<Admitted, Problem> {
    let kakao = &parties.kakao;
    require_source(parties, incoming, &kakao.allow_from)?;
    certificate::check(&incoming.connection, &kakao.client_certificates)?;
    let biller = biller.ok_or(Problem::UnknownBiller(UnknownBiller::NotRegistered))?;
    // A pay-result reports money that moved, so it is relayed to a suspended biller too.
    if !biller.is_active() && api != Api::PayResult {
        return Err(Problem::UnknownBiller(UnknownBiller::Suspended));
    }
    Ok(Admitted {
        biller: Arc::clone(biller),
        authorization: None,
    })
}

fn require_source(
    parties: &Parties,
    incoming: &IncomingRequest,
    allowed: &[IpNet],
) -> Result<(), Problem> {
    let source = source(parties, incoming)?;
    if address::contains(allowed, source) {
        Ok(())
    } else {
        Err(Problem::AddressNotAllowed(RefusedSource::NotAllowed(
            source,
        )))
    }
}

/// Returns the source address of a request.
///
/// # Errors
/// [`Problem::AddressNotAllowed`] if what a proxy says of it is malformed.
pub fn source(parties: &Parties, incoming: &IncomingRequest) -> Result<IpAddr, Problem> {
    let (client, headers) = (incoming.connection.client(), incoming.request.headers());
    address::source(client, headers, &parties.forwarded_for_from)
        .map_err(Problem::AddressNotAllowed)
}
