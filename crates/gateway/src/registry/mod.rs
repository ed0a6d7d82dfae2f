//! The registered parties: billers, each with its limits, and Kakao Pay.

mod in_flight;
mod rate;

use std::sync::Arc;

use actix_web::http::uri::InvalidUri;
use foldhash::HashMap;
use ipnet::IpNet;
use metrics::{BillerSeries, Metrics};
use protocol::{BillerCode, Rules};

use crate::config::{BaseUrl, Biller, Kakao, Sha256, Status};
use crate::tls::ClientTls;
use crate::upstream::{ApiEndpoint, Party};

pub use self::in_flight::{InFlight, InFlightPermit};
pub use self::rate::RateLimit;

/// A registered biller: settings, limits, time series and upstream.
#[derive(Debug)]
pub struct RegisteredBiller {
    /// The biller's configuration file.
    pub settings: Biller,
    /// The rate limit of link calls.
    pub rate: Arc<RateLimit>,
    /// The bulkhead of all calls but pay-results.
    pub in_flight: InFlight,
    /// The bulkhead of pay-results, of the same size.
    pub pay_results_in_flight: InFlight,
    /// The biller's time series.
    pub series: Arc<BillerSeries>,
    /// The upstream of `notice`, `prepay` and `pay_result`.
    pub upstream: Upstream,
    /// The upstream paths of the five APIs.
    pub endpoints: Endpoints,
}

/// A party as an upstream, with its TLS settings.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The HTTP client's view of the party.
    pub party: Arc<Party>,
    /// `None` for plain HTTP.
    pub tls: Option<ClientTls>,
}

/// The upstream endpoints of the five APIs for one biller (contract section 1).
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// At Kakao Pay.
    pub link_create: ApiEndpoint,
    /// At Kakao Pay.
    pub link_recreate: ApiEndpoint,
    /// At the biller, like the next two.
    pub notice: ApiEndpoint,
    /// 납부 가능 조회.
    pub prepay: ApiEndpoint,
    /// 납부 결과 전달.
    pub pay_result: ApiEndpoint,
}

impl Endpoints {
    fn of(code: BillerCode, kakao: &Party, biller: &Party) -> Result<Self, InvalidUri> {
        let links = "/external/inquiry-payment/one-time/url";
        Ok(Self {
            link_create: kakao.endpoint(&format!("{links}/{code}"))?,
            link_recreate: kakao.endpoint(&format!("{links}/re/{code}"))?,
            notice: biller.endpoint("/kakao/notice")?,
            prepay: biller.endpoint("/kakao/prepay")?,
            pay_result: biller.endpoint("/kakao/pay-result")?,
        })
    }
}

impl RegisteredBiller {
    /// Registers a biller. Calls in flight of `former`, the same biller before a reload, count against the
    /// new bounds.
    ///
    /// # Errors
    /// If a base URL with an API's path is no valid URI.
    pub fn new(
        settings: Biller,
        upstream: Upstream,
        kakao: &Party,
        metrics: &Metrics,
        former: Option<&Self>,
    ) -> Result<Self, InvalidUri> {
        let most = settings.max_in_flight;
        let bound = |former: Option<&InFlight>| {
            former.map_or_else(|| InFlight::new(most), |former| former.with_bound(most))
        };
        Ok(Self {
            endpoints: Endpoints::of(settings.code, kakao, &upstream.party)?,
            rate: rate(&settings, former),
            in_flight: bound(former.map(|former| &former.in_flight)),
            pay_results_in_flight: bound(former.map(|former| &former.pay_results_in_flight)),
            series: metrics.biller(settings.code),
            upstream,
            settings,
        })
    }

    /// Returns the biller's code.
    pub const fn code(&self) -> BillerCode {
        self.settings.code
    }

    /// Returns whether the biller's status is `active`.
    pub fn is_active(&self) -> bool {
        self.settings.status == Status::Active
    }

    /// Returns the parsing rules that the biller's file sets.
    pub fn rules(&self) -> Rules<'_> {
        Rules {
            parameter_max_length: self.settings.parameter_max_length,
            identity_parameters: &self.settings.identity_parameters,
        }
    }
}

/// Returns the biller's rate limit. A reload that leaves the quota unchanged keeps the used-up tokens.
fn rate(settings: &Biller, former: Option<&RegisteredBiller>) -> Arc<RateLimit> {
    let quota = |settings: &Biller| (settings.requests_per_second, settings.burst);
    match former {
        Some(former) if quota(&former.settings) == quota(settings) => Arc::clone(&former.rate),
        _ => Arc::new(RateLimit::new(settings.requests_per_second, settings.burst)),
    }
}

/// All registered billers, by code.
#[derive(Debug, Default)]
pub struct Registry {
    billers: HashMap<BillerCode, Arc<RegisteredBiller>>,
}

impl Registry {
    /// Returns a registry of these billers.
    pub fn new(billers: impl IntoIterator<Item = Arc<RegisteredBiller>>) -> Self {
        let billers = billers
            .into_iter()
            .map(|biller| (biller.code(), biller))
            .collect();
        Self { billers }
    }

    /// Returns the biller with exactly this code; `None` if none is registered or the code is malformed.
    pub fn find(&self, code: &str) -> Option<&Arc<RegisteredBiller>> {
        self.billers.get(&BillerCode::parse(code)?)
    }

    /// Returns all billers, in no particular order.
    pub fn billers(&self) -> impl Iterator<Item = &Arc<RegisteredBiller>> {
        self.billers.values()
    }
}

/// Kakao Pay as a caller and as an upstream.
#[derive(Debug)]
pub struct KakaoParty {
    /// `kakao.allow_from`.
    pub allow_from: Vec<IpNet>,
    /// `kakao.client_certificates`; empty: not pinned.
    pub client_certificates: Vec<Sha256>,
    /// `kakao.base_url`.
    pub base_url: BaseUrl,
    /// The upstream of the link calls.
    pub upstream: Upstream,
}

impl KakaoParty {
    /// Returns Kakao Pay as configured.
    pub fn new(settings: &Kakao, upstream: Upstream) -> Self {
        Self {
            allow_from: settings.allow_from.clone(),
            client_certificates: settings.client_certificates.clone(),
            base_url: settings.base_url.clone(),
            upstream,
        }
    }
}
