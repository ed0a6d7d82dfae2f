//! A biller's file.

use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;
use protocol::BillerCode;
use toml::de::DeValue;

use super::identity_change::IdentityChange;
use super::parse::base_url::BaseUrl;
use super::parse::bounds;
use super::parse::document::Document;
use super::parse::section::Section;
use super::parse::sha256::{Digested, Sha256};
use super::parse::spelling::excerpt;
use super::parse::value;
use super::tls::UpstreamTls;
use super::upstream::UpstreamSettings;

/// A biller and its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Biller {
    /// The code in paths, metric labels and bills.
    pub code: BillerCode,
    /// The name for people.
    pub name: String,
    /// Which of its calls are relayed.
    pub status: Status,
    /// The base URL of its three APIs.
    pub base_url: BaseUrl,
    /// Digests of the `Authorization` values that its calls may have; empty: none is accepted.
    pub authorization_sha256: Vec<Sha256>,
    /// Source addresses of its calls; empty: none is allowed.
    pub allow_from: Vec<IpNet>,
    /// Digests of the client certificates (DER) that it may use; empty: not pinned.
    pub client_certificates: Vec<Sha256>,
    /// The most calls to it in flight; pay-results have a separate bound of the same size.
    pub max_in_flight: u32,
    /// Its link calls per second, on average.
    pub requests_per_second: NonZeroU32,
    /// Its link calls at once after a pause.
    pub burst: NonZeroU32,
    /// The most characters of a value in `parameters` of the link APIs.
    pub parameter_max_length: usize,
    /// The members of `parameters` that belong to a bill's identity; each is unique.
    pub identity_parameters: Vec<String>,
    /// When they changed; `None`: a change while bills are paid or linked is refused.
    pub identity_parameters_changed_on: Option<IdentityChange>,
    /// Whether the gateway redelivers pay-results that it has not accepted.
    pub redeliver: Redeliver,
    /// TLS files for connections to it.
    pub tls: UpstreamTls,
}

/// Which calls of a biller are relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Calls of all five APIs.
    Active,
    /// Only pay-results, because they report money that moved.
    Suspended,
}

/// Who redelivers a pay-result that the biller has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeliver {
    /// Only an operator, or Kakao Pay by repeating it.
    Off,
    /// The gateway too, with increasing pauses.
    Backoff,
}

/// A biller's file that was read. The code may be valid although the rest is faulty.
pub(super) struct BillerFile {
    pub(super) path: PathBuf,
    pub(super) code: Option<BillerCode>,
    pub(super) biller: Option<Biller>,
}

impl BillerFile {
    pub(super) fn read(document: &Document<'_>) -> Self {
        let mut section = Section::root(document);
        let code = section.required("code", code);
        if let Some(code) = code {
            warn_if_file_name_differs(&section, code);
        }
        let biller = Biller::read(section, code);
        Self {
            path: document.path().to_path_buf(),
            code,
            biller,
        }
    }
}

impl Biller {
    fn read(mut section: Section<'_>, code: Option<BillerCode>) -> Option<Self> {
        let name = section.optional("name", |value| value::name(value, bounds::NAME_CHARS));
        let status = section.or("status", Status::Active, status);
        let upstream = UpstreamSettings::read(&mut section);
        let authorization_sha256 = section.list("authorization_sha256", bounds::DIGESTS, |value| {
            Sha256::read(value, Digested::Authorization)
        });
        let allow_from = section.list("allow_from", bounds::NETWORKS, value::network);
        let client_certificates = section.list("client_certificates", bounds::DIGESTS, |value| {
            Sha256::read(value, Digested::Certificate)
        });
        let max_in_flight = section.or("max_in_flight", 64, |value| {
            value::count(value, &bounds::IN_FLIGHT)
        });
        let requests_per_second = section.or("requests_per_second", rate(200), |value| {
            value::positive(value, &bounds::RATE)
        });
        let burst = section.or("burst", rate(400), |value| {
            value::positive(value, &bounds::RATE)
        });
        let parameter_max_length = section.or("parameter_max_length", 8, |value| {
            value::count(value, &bounds::PARAMETER_CHARS).map(|count| count as usize)
        });
        let identity_parameters = identity_parameters(&mut section);
        let identity_parameters_changed_on =
            section.optional("identity_parameters_changed_on", IdentityChange::read);
        let redeliver = section.or("redeliver", Redeliver::Off, redeliver);
        for (key, empty) in [
            ("authorization_sha256", authorization_sha256.is_empty()),
            ("allow_from", allow_from.is_empty()),
        ] {
            if empty {
                section.warn(
                    key,
                    "is empty: every link call of this biller will be refused",
                );
            }
        }
        section.finish();
        let (code, upstream) = code.zip(upstream)?;
        Some(Self {
            code,
            name: name.unwrap_or_else(|| code.as_str().to_owned()),
            status,
            base_url: upstream.base_url,
            authorization_sha256,
            allow_from,
            client_certificates,
            max_in_flight,
            requests_per_second,
            burst,
            parameter_max_length,
            identity_parameters,
            identity_parameters_changed_on,
            redeliver,
            tls: upstream.tls,
        })
    }
}

/// Metric labels of Kakao Pay and of unregistered billers.
const RESERVED_CODES: [&str; 2] = ["kakao", "unknown"];

fn code(value: &DeValue<'_>) -> Result<BillerCode, String> {
    let text = value::text(value)?;
    if RESERVED_CODES.contains(&text) {
        return Err(format!("`{text}` is reserved: metrics use it as a label"));
    }
    BillerCode::parse(text).ok_or_else(|| {
        format!(
            "must be 1 to 32 characters of [A-Za-z0-9_-], not `{}`",
            excerpt(text)
        )
    })
}

fn status(value: &DeValue<'_>) -> Result<Status, String> {
    let words = [("active", Status::Active), ("suspended", Status::Suspended)];
    value::choice(value, &words)
}

fn redeliver(value: &DeValue<'_>) -> Result<Redeliver, String> {
    let words = [("off", Redeliver::Off), ("backoff", Redeliver::Backoff)];
    value::choice(value, &words)
}

/// Returns a default rate; `per_second` is above zero.
const fn rate(per_second: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(per_second - 1)
}

fn identity_parameters(section: &mut Section<'_>) -> Vec<String> {
    const KEY: &str = "identity_parameters";
    let names = section.list(KEY, bounds::IDENTITY_PARAMETERS, |value| {
        value::name(value, bounds::NAME_CHARS)
    });
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            section.fault(KEY, format!("names `{}` twice", excerpt(name)));
        }
    }
    names
}

fn warn_if_file_name_differs(section: &Section<'_>, code: BillerCode) {
    let stem = section.document().path().file_stem();
    if stem.is_none_or(|stem| stem != code.as_str()) {
        section.warn(
            "code",
            format!("differs from the file's name: `{code}.toml` would match"),
        );
    }
}
