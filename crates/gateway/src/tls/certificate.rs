//! What a certificate says of itself: names, dates, kind.

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::UnixTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;

/// A certificate that ends within this time is told of: parties need days to exchange new ones.
pub const EXPIRES_SOON: Duration = Duration::from_hours(21 * 24);

/// The most names of a certificate that a text lists.
const NAMES_MAX: usize = 8;

/// The most characters of one name in a text. A peer's certificate may hold any text.
const NAME_CHARS_MAX: usize = 100;

/// The facts of a certificate that diagnostics need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertificateFacts {
    /// The begin of its validity, in seconds since 1970.
    pub(super) not_before: i64,
    /// The end of its validity, in seconds since 1970.
    pub(super) not_after: i64,
    /// Whom it names, such as `CN=bill.example`.
    pub(super) subject: String,
    /// Who issued it.
    pub(super) issuer: String,
    /// The host names and addresses that it is for.
    pub(super) names: Vec<String>,
    /// Whether it is marked as an authority's (`CA:TRUE`).
    pub(super) is_ca: bool,
    /// Whether subject and issuer are the same.
    pub(super) is_self_issued: bool,
    /// The version of X.509. Before version 3 there are no extensions, and so no names of servers.
    pub(super) version: u32,
    /// Whether it may be a server's: it lists no purposes, or this one.
    pub(super) may_be_a_server: bool,
}

impl CertificateFacts {
    /// Reads a certificate in DER form; `None` if it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let purposes = certificate.extended_key_usage().ok().flatten();
        Some(Self {
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            subject: distinguished(certificate.subject()),
            issuer: distinguished(certificate.issuer()),
            names: names(&certificate),
            is_ca: certificate.is_ca(),
            is_self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            // Versions are counted from 0.
            version: certificate.version().0 + 1,
            may_be_a_server: purposes.is_none_or(|list| list.value.any || list.value.server_auth),
        })
    }
}

/// Returns the end of a certificate's validity, in seconds since 1970; `None` if it cannot be parsed.
pub(super) fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// Returns a time for people: `2026-11-30T00:00:00Z`.
pub fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "a time beyond the year 9999".to_owned(),
        |at| at.to_string(),
    )
}

/// Returns a time of the TLS library for people.
pub(super) fn unix_moment(time: UnixTime) -> String {
    moment(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

fn distinguished(name: &X509Name<'_>) -> String {
    let text = printable(&name.to_string());
    if text.is_empty() {
        "(no name)".to_owned()
    } else {
        text
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(list)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(printable(name)),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    let names = list.value.general_names.iter().filter_map(name);
    names.take(NAMES_MAX).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    let sixteen = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(sixteen).to_string())
}

/// Returns a peer's text on one line, with control characters escaped and long text cut.
pub(super) fn printable(text: &str) -> String {
    let cut = text.chars().take(NAME_CHARS_MAX);
    cut.flat_map(|character| {
        let is_plain = !character.is_control() && character != '"';
        let escaped = (!is_plain).then(|| character.escape_default());
        let plain = is_plain.then_some(character);
        escaped.into_iter().flatten().chain(plain)
    })
    .collect()
}
