//! One biller, as its file describes it.

use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;
use protocol::BillerCode;
use toml::de::DeValue;

use super::base_url::BaseUrl;
use super::bounds;
use super::document::Document;
use super::section::Section;
use super::sha256::Sha256;
use super::spelling::printable;
use super::tls::UpstreamTls;
use super::upstream::UpstreamSettings;
use super::value;

/// A biller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Biller {
    /// The code in routes, labels and identities of bills.
    pub code: BillerCode,
    /// What people call it.
    pub name: String,
    /// Whether it takes part.
    pub status: Status,
    /// Under which its three APIs are found.
    pub base_url: BaseUrl,
    /// Digests of the `Authorization` values that its calls may carry; empty admits none.
    pub authorization_sha256: Vec<Sha256>,
    /// From where its calls may come; empty admits nobody.
    pub allow_from: Vec<IpNet>,
    /// Digests of the DER certificates that it may show; empty: not pinned.
    pub client_certificates: Vec<Sha256>,
    /// Calls to it at once.
    pub max_in_flight: u32,
    /// Its own calls per second, sustained.
    pub requests_per_second: NonZeroU32,
    /// Its own calls at once after a pause.
    pub burst: NonZeroU32,
    /// Characters of a value in `parameters` of the link APIs.
    pub parameter_max_length: usize,
    /// Members of `parameters` that belong to a bill's identity; no name twice.
    pub identity_parameters: Vec<String>,
    /// Whether a pay-result that it did not accept is delivered again by the gateway itself.
    pub redeliver: Redeliver,
    /// How to trust it as an upstream.
    pub tls: UpstreamTls,
}

/// Whether a biller takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All five APIs.
    Active,
    /// Only pay-results are still relayed: money moved.
    Suspended,
}

/// Who delivers a pay-result again that the biller did not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeliver {
    /// Only an operator, or Kakao Pay by sending it again.
    Off,
    /// The gateway too, with growing pauses.
    Backoff,
}

/// What could be read of a biller's file: its code may be known where the rest is faulty.
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
            warn_if_named_otherwise(&section, code);
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
        let authorization_sha256 =
            section.list("authorization_sha256", bounds::DIGESTS, Sha256::read);
        let allow_from = section.list("allow_from", bounds::NETWORKS, value::network);
        let client_certificates =
            section.list("client_certificates", bounds::DIGESTS, Sha256::read);
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
            redeliver,
            tls: upstream.tls,
        })
    }
}

/// Labels of metrics that stand for Kakao Pay, and for billers that are not registered.
const TAKEN: [&str; 2] = ["kakao", "unknown"];

fn code(value: &DeValue<'_>) -> Result<BillerCode, String> {
    let text = value::text(value)?;
    if TAKEN.contains(&text) {
        return Err(format!(
            "`{text}` is no biller's: metrics use it as a label of their own"
        ));
    }
    BillerCode::parse(text).ok_or_else(|| {
        format!(
            "must be 1 to 32 characters of [A-Za-z0-9_-], not `{}`",
            printable(text)
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

/// A default rate, which is above zero.
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
            section.fault(KEY, format!("names `{}` twice", printable(name)));
        }
    }
    names
}

fn warn_if_named_otherwise(section: &Section<'_>, code: BillerCode) {
    let stem = section.document().path().file_stem();
    if stem.is_none_or(|stem| stem != code.as_str()) {
        section.warn(
            "code",
            format!("differs from the file's name: `{code}.toml` is easier to find"),
        );
    }
}
