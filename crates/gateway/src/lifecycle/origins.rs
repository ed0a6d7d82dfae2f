//! The origins of all parties, one per server and set of TLS files, so that parties at the same server (billers
//! behind one relay agency) share connections.

use std::error::Error;
use std::iter::once;
use std::sync::Arc;

use foldhash::HashMap;
use metrics::HandshakeFailures;

use crate::config::{BaseUrl, Scheme};
use crate::state::Parties;
use crate::tls::{ClientFiles, ClientTls, Fingerprint, TlsFault};
use crate::upstream::Origin;

/// Identity of an origin.
#[derive(PartialEq, Eq, Hash)]
struct OriginKey {
    host: String,
    port: u16,
    /// Fingerprint of the TLS files; `None` for `http`.
    tls: Option<Fingerprint>,
}

/// The origins of the current parties and of those under construction.
#[derive(Default)]
pub(super) struct Origins {
    known: HashMap<OriginKey, Arc<Origin>>,
    /// TLS settings by their files: most parties trust the same authorities.
    tls: HashMap<Fingerprint, ClientTls>,
    /// Where failed handshakes of new origins are counted.
    failures: Option<HandshakeFailures>,
}

impl Origins {
    /// Returns the origins of the current parties. Failed handshakes of new ones are counted in `failures`.
    pub(super) fn of(parties: Option<&Parties>, failures: HandshakeFailures) -> Self {
        let mut origins = Self {
            failures: Some(failures),
            ..Self::default()
        };
        let Some(parties) = parties else {
            return origins;
        };
        let kakao = (&parties.kakao.base_url, &parties.kakao.upstream);
        let billers = parties.registry.billers();
        let billers = billers.map(|biller| (&biller.settings.base_url, &biller.upstream));
        for (base_url, upstream) in once(kakao).chain(billers) {
            if let Some(tls) = &upstream.tls {
                origins.tls.insert(tls.fingerprint, tls.clone());
            }
            let key = key(base_url, upstream.tls.as_ref());
            let origin = Arc::clone(upstream.party.origin());
            origins.known.insert(key, origin);
        }
        origins
    }

    /// Returns the origin of a base URL, with the TLS settings of `files` for `https`.
    ///
    /// # Errors
    /// If a file is unusable, or the host is not allowed in a `Host` header.
    pub(super) fn find(
        &mut self,
        base_url: &BaseUrl,
        files: ClientFiles<'_>,
    ) -> Result<(Arc<Origin>, Option<ClientTls>), Box<dyn Error>> {
        let tls = match base_url.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(self.tls(files).map_err(|fault| format!("tls: {fault}"))?),
        };
        let key = key(base_url, tls.as_ref());
        if let Some(origin) = self.known.get(&key) {
            return Ok((Arc::clone(origin), tls));
        }
        let config = tls.as_ref().map(|tls| Arc::clone(&tls.config));
        let origin = Arc::new(Origin::counting(base_url, config, self.failures.clone())?);
        self.known.insert(key, Arc::clone(&origin));
        Ok((origin, tls))
    }

    fn tls(&mut self, files: ClientFiles<'_>) -> Result<ClientTls, TlsFault> {
        let pems = files.read()?;
        let fingerprint = pems.fingerprint();
        if let Some(tls) = self.tls.get(&fingerprint) {
            return Ok(tls.clone());
        }
        let tls = pems.tls()?;
        self.tls.insert(fingerprint, tls.clone());
        Ok(tls)
    }
}

fn key(base_url: &BaseUrl, tls: Option<&ClientTls>) -> OriginKey {
    OriginKey {
        host: base_url.host().to_owned(),
        port: base_url.port(),
        tls: tls.map(|tls| tls.fingerprint),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parties_at_one_server_share_an_origin_and_the_same_files_a_verifier() {
        let mut origins = Origins::default();
        let mut find = |url: &str| {
            let url = BaseUrl::parse(url).unwrap();
            origins.find(&url, ClientFiles::default()).unwrap()
        };
        let (plain, no_tls) = find("http://relay.example:8080/b1");
        assert!(no_tls.is_none());
        assert!(Arc::ptr_eq(&plain, &find("http://RELAY.example:8080/b2").0));
        let (secured, tls) = find("https://relay.example:8080/b1");
        let (beside, same_tls) = find("https://relay.example:8081/b1");
        assert!(Arc::ptr_eq(
            &secured,
            &find("https://relay.example:8080/b2").0
        ));
        for other in [
            &secured,
            &beside,
            &find("http://relay.example:8081/b1").0,
            &find("http://other.example:8080/b1").0,
        ] {
            assert!(!Arc::ptr_eq(&plain, other), "{other:?}");
        }
        assert!(!Arc::ptr_eq(&secured, &beside));
        assert!(Arc::ptr_eq(&tls.unwrap().config, &same_tls.unwrap().config));
    }
}
