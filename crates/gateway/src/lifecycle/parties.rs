//! Kakao Pay and the billers, built from the configuration. A party whose configuration is unchanged by a reload
//! keeps its connections, circuit, rate limit and calls in flight.

use std::error::Error;
use std::sync::Arc;

use metrics::Metrics;

use super::origins::Origins;
use crate::config::{BaseUrl, Biller, Config, Kakao, UpstreamTls};
use crate::registry::{KakaoParty, RegisteredBiller, Registry, Upstream};
use crate::state::Parties;
use crate::tls::ClientFiles;
use crate::upstream::{Circuit, Party};

/// Metric label of Kakao Pay as an upstream.
const KAKAO: &str = "kakao";

/// Builds all parties; `old` are the current ones.
///
/// # Errors
/// If a TLS file is unusable, or a base URL with an API's path is no valid URI.
pub(super) fn parties(
    settings: &Config,
    billers: Vec<Biller>,
    metrics: &Metrics,
    old: Option<&Parties>,
) -> Result<Parties, Box<dyn Error>> {
    let mut origins = Origins::of(old, metrics.outbound_handshakes());
    let former = old.map(|old| &*old.kakao);
    let kakao = kakao(settings, &settings.kakao, former, &mut origins)?;
    let same_kakao =
        old.is_some_and(|old| Arc::ptr_eq(&old.kakao.upstream.party, &kakao.upstream.party));
    let registered = billers.into_iter().map(|biller| {
        let code = biller.code;
        let former = old.and_then(|old| old.registry.find(code.as_str()));
        let former_upstream = former.map(|former| (&former.settings.base_url, &former.upstream));
        let files = (&biller.base_url, &biller.tls);
        let upstream = upstream(
            settings,
            code.as_str(),
            files,
            former_upstream,
            &mut origins,
        )?;
        if let Some(same) = former.filter(|former| {
            same_kakao
                && former.settings == biller
                && Arc::ptr_eq(&former.upstream.party, &upstream.party)
        }) {
            return Ok(Arc::clone(same));
        }
        let former = former.map(Arc::as_ref);
        let kakao = &kakao.upstream.party;
        Ok(Arc::new(RegisteredBiller::new(
            biller, upstream, kakao, metrics, former,
        )?))
    });
    let registered = registered.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    Ok(Parties {
        kakao: Arc::new(kakao),
        registry: Arc::new(Registry::new(registered)),
        forwarded_for_from: settings.listen.forwarded_for_from().to_vec(),
    })
}

fn kakao(
    settings: &Config,
    kakao: &Kakao,
    old: Option<&KakaoParty>,
    origins: &mut Origins,
) -> Result<KakaoParty, Box<dyn Error>> {
    let former = old.map(|old| (&old.base_url, &old.upstream));
    let files = (&kakao.base_url, &kakao.tls);
    let upstream = upstream(settings, KAKAO, files, former, origins)?;
    Ok(KakaoParty::new(kakao, upstream))
}

/// Returns the upstream at this address with these files: the former one if neither changed, else a new one
/// with the former one's circuit.
fn upstream(
    settings: &Config,
    label: &str,
    (base_url, files): (&BaseUrl, &UpstreamTls),
    former: Option<(&BaseUrl, &Upstream)>,
    origins: &mut Origins,
) -> Result<Upstream, Box<dyn Error>> {
    let files = ClientFiles {
        ca: files.ca.as_deref(),
        certificate: files.certificate.as_deref(),
        private_key: files.private_key.as_deref(),
    };
    let (origin, tls) = origins
        .find(base_url, files)
        .map_err(|fault| format!("{label}: {fault}"))?;
    if let Some((former_url, former)) = former
        && former_url == base_url
        && Arc::ptr_eq(former.party.origin(), &origin)
    {
        return Ok(former.clone());
    }
    let circuit = former.map_or_else(
        || Circuit::new(settings.circuit.failures.get(), settings.circuit.open_for),
        |(_, former)| former.party.circuit().clone(),
    );
    let limit_bytes = settings.limits.answer_body_bytes;
    let prefix = base_url.path_prefix();
    Ok(Upstream {
        party: Arc::new(Party::new(label, origin, prefix, limit_bytes, circuit)),
        tls,
    })
}
