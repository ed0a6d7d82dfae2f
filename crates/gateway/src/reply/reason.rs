//! The reason of each problem, for the log (contract section 2: every refusal is logged with its reason).

use ledger::LinkRefusal;
use protocol::{Check, Refusal};

use super::problem::{Problem, RefusedSource, UnknownBiller};
use crate::logging::Reason;
use crate::server::EarlyFault;

impl Problem {
    /// Returns why the gateway answers itself.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::AddressNotAllowed(source) => of_source(*source),
            Self::CertificateNotPinned => {
                Reason::in_check(1, "certificate").rule("missing, or not among client_certificates")
            }
            Self::CertificateWithdrawn => {
                Reason::in_check(1, "certificate").rule("no longer accepted by the listener")
            }
            Self::AuthorizationMissing => Reason::in_check(2, "authorization").rule("missing"),
            Self::AuthorizationWrong => {
                Reason::in_check(2, "authorization").rule("not among authorization_sha256")
            }
            Self::AuthorizationTwice => Reason::in_check(2, "authorization").rule("twice"),
            Self::Suspended | Self::UnknownBiller(UnknownBiller::Suspended) => {
                Reason::in_check(2, "suspended")
            }
            Self::UnknownBiller(UnknownBiller::NotRegistered) => {
                Reason::in_check(2, "unknown-biller")
            }
            Self::RateLimited { .. } => Reason::in_check(3, "rate"),
            Self::BodyTooLarge => Reason::in_check(4, "body-too-large"),
            Self::BodyLate => Reason::in_check(4, "body-late"),
            Self::BodyBroken => Reason::in_check(4, "framing").rule("the body ended early"),
            Self::Body(refusal) => of_body(refusal),
            Self::Link(refusal) => of_link(*refusal),
            Self::ErrorBill => Reason::in_check(9, "error-bill"),
            Self::Paid => Reason::in_check(9, "paid"),
            Self::Overload => Reason::in_check(10, "overload"),
            Self::CircuitOpen { .. } => Reason::in_check(10, "circuit"),
            Self::TimedOut => Reason::of("upstream-timeout"),
            Self::NoAnswer => Reason::of("upstream-lost"),
            Self::EmptyAnswer { .. } => Reason::of("upstream-lost").rule("an empty body"),
            Self::BadAnswer { .. } => Reason::of("upstream-not-json"),
            Self::UnknownRoute => Reason::of("unknown-route"),
            Self::WrongMethod => Reason::of("wrong-method"),
            Self::EarlyFault(fault) => of_early_fault(*fault),
            Self::Internal => Reason::of("internal"),
        }
    }
}

const fn of_source(refused: RefusedSource) -> Reason {
    let (source, rule) = match refused {
        RefusedSource::NotAllowed(source) => (source, "not in allow_from"),
        RefusedSource::Malformed(source) => (source, "a malformed X-Forwarded-For"),
        RefusedSource::NoSuchBiller(source) => (source, "no biller has this code"),
    };
    Reason {
        source: Some(source),
        ..Reason::in_check(1, "address").rule(rule)
    }
}

const fn of_body(refusal: &Refusal) -> Reason {
    let (check, token) = match refusal.check {
        Check::Parse => (5, "body-not-json"),
        Check::Type => (5, "member-type"),
        Check::Required => (6, "member-missing"),
        Check::Width => (7, "member-width"),
        Check::Parameters => (8, "parameter"),
    };
    Reason {
        member: refusal.member,
        ..Reason::in_check(check, token).rule(refusal.reason)
    }
}

const fn of_link(refusal: LinkRefusal) -> Reason {
    let token = match refusal {
        LinkRefusal::ErrorBill => "error-bill",
        LinkRefusal::NoticeKeyTaken => "duplicate-notice-key",
        LinkRefusal::NoticeKeyNeeded => "ambiguous-bill",
        LinkRefusal::AlreadyLinked => "already-linked",
        LinkRefusal::NotRegistered => "not-registered",
        LinkRefusal::Unavailable => "ledger",
    };
    Reason::in_check(9, token)
}

const fn of_early_fault(fault: EarlyFault) -> Reason {
    match fault {
        EarlyFault::HeadLate => Reason::of(fault.reason()),
        _ => Reason::of("framing").rule(fault.reason()),
    }
}
