//! The registered billers, each with everything that is bounded per biller.

use std::sync::Arc;

use actix_web::http::uri::InvalidUri;
use foldhash::HashMap;
use ipnet::IpNet;
use metrics::{BillerSeries, Metrics};
use protocol::{BillerCode, Rules};

use crate::admission::in_flight::InFlight;
use crate::admission::rate::RateLimit;
use crate::config::{BaseUrl, Biller, Kakao, Sha256, Status};
use crate::tls::ClientTls;
use crate::upstream::{Endpoint, Party};

/// A biller as the configuration registers it, with its limits, its series and its upstream.
#[derive(Debug)]
pub struct RegisteredBiller {
    /// What the biller's file says.
    pub settings: Biller,
    /// Its link calls per second.
    pub rate: Arc<RateLimit>,
    /// Its calls in flight, all but pay-results.
    pub in_flight: InFlight,
    /// Its pay-results in flight: an allowance of its own, of the same size.
    pub pay_results_in_flight: InFlight,
    /// Its time series.
    pub series: Arc<BillerSeries>,
    /// Where Kakao Pay's calls for it go.
    pub upstream: Upstream,
    /// Where on its upstream, and on Kakao Pay's, each API is.
    pub endpoints: Endpoints,
}

/// A party as an upstream, and the TLS files it was made with.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where calls go.
    pub party: Arc<Party>,
    /// `None` for plain HTTP.
    pub tls: Option<ClientTls>,
}

/// The addresses of the five APIs as one biller's calls are relayed (contract section 1).
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// At Kakao Pay.
    pub link_create: Endpoint,
    /// At Kakao Pay.
    pub link_recreate: Endpoint,
    /// At the biller, like the next two.
    pub notice: Endpoint,
    /// 납부 가능 조회.
    pub prepay: Endpoint,
    /// 납부 결과 전달.
    pub pay_result: Endpoint,
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
    /// A biller that has just been read from its file. Calls that are in flight for `former`, the
    /// same biller before a reload, count against the new bounds.
    ///
    /// # Errors
    /// When a base URL cannot carry the APIs' paths.
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

    /// Its code.
    pub const fn code(&self) -> BillerCode {
        self.settings.code
    }

    /// Whether it may call, and be asked for notices and prepays.
    pub fn is_active(&self) -> bool {
        self.settings.status == Status::Active
    }

    /// What the guide leaves to the biller.
    pub fn rules(&self) -> Rules<'_> {
        Rules {
            parameter_max_length: self.settings.parameter_max_length,
            identity_parameters: &self.settings.identity_parameters,
        }
    }
}

/// A biller's quota; a reload that does not change it gives nobody a fresh burst.
fn rate(settings: &Biller, former: Option<&RegisteredBiller>) -> Arc<RateLimit> {
    let quota = |settings: &Biller| (settings.requests_per_second, settings.burst);
    match former {
        Some(former) if quota(&former.settings) == quota(settings) => Arc::clone(&former.rate),
        _ => Arc::new(RateLimit::new(settings.requests_per_second, settings.burst)),
    }
}

/// All billers, by code.
#[derive(Debug, Default)]
pub struct Registry {
    billers: HashMap<BillerCode, Arc<RegisteredBiller>>,
}

impl Registry {
    /// A registry of these billers.
    pub fn new(billers: impl IntoIterator<Item = Arc<RegisteredBiller>>) -> Self {
        let billers = billers
            .into_iter()
            .map(|biller| (biller.code(), biller))
            .collect();
        Self { billers }
    }

    /// The biller with exactly this code; `None` for a code that no biller can have, too.
    pub fn find(&self, code: &str) -> Option<&Arc<RegisteredBiller>> {
        self.billers.get(&BillerCode::parse(code)?)
    }

    /// Every biller.
    pub fn billers(&self) -> impl Iterator<Item = &Arc<RegisteredBiller>> {
        self.billers.values()
    }
}

/// Kakao Pay as a caller and as an upstream.
#[derive(Debug)]
pub struct KakaoParty {
    /// Where its calls come from.
    pub allow_from: Vec<IpNet>,
    /// The client certificates that are pinned for it; none: not pinned.
    pub client_certificates: Vec<Sha256>,
    /// Where it is, as its section of the configuration says.
    pub base_url: BaseUrl,
    /// Where link calls go.
    pub upstream: Upstream,
}

impl KakaoParty {
    /// From the configuration.
    pub fn new(settings: &Kakao, upstream: Upstream) -> Self {
        Self {
            allow_from: settings.allow_from.clone(),
            client_certificates: settings.client_certificates.clone(),
            base_url: settings.base_url.clone(),
            upstream,
        }
    }
}
