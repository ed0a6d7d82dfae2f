//! The servers that the parties are at, each once, so that parties at the same one, secured by the same files,
//! can share connections, as the billers behind one relay agency do.

use std::error::Error;
use std::iter::once;
use std::sync::Arc;

use foldhash::HashMap;

use crate::config::{BaseUrl, Scheme};
use crate::state::Parties;
use crate::tls::{ClientFiles, ClientTls, Fingerprint, TlsFault};
use crate::upstream::Origin;

/// Where an origin is, and what its connections are secured with.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    host: String,
    port: u16,
    /// The files where it is `https`; `None` for `http`.
    tls: Option<Fingerprint>,
}

/// The origins of the parties that serve now, and of those that are being built.
#[derive(Default)]
pub(super) struct Origins {
    origins: HashMap<Place, Arc<Origin>>,
    /// What the same files have come to: most parties trust the same authorities.
    tls: HashMap<Fingerprint, ClientTls>,
}

impl Origins {
    /// Those of the parties that serve now.
    pub(super) fn of(parties: Option<&Parties>) -> Self {
        let mut origins = Self::default();
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
            let place = place(base_url, upstream.tls.as_ref());
            let origin = Arc::clone(upstream.party.origin());
            origins.origins.insert(place, origin);
        }
        origins
    }

    /// The origin of a base URL, secured by these files if it is `https`, and what they came to.
    ///
    /// # Errors
    ///
    /// A file that cannot be used, or a host that cannot stand in a `Host` header.
    pub(super) fn find(
        &mut self,
        base_url: &BaseUrl,
        files: ClientFiles<'_>,
    ) -> Result<(Arc<Origin>, Option<ClientTls>), Box<dyn Error>> {
        let tls = match base_url.scheme() {
            Scheme::Http => None,
            Scheme::Https => Some(self.tls(files).map_err(|fault| format!("tls: {fault}"))?),
        };
        let place = place(base_url, tls.as_ref());
        if let Some(origin) = self.origins.get(&place) {
            return Ok((Arc::clone(origin), tls));
        }
        let config = tls.as_ref().map(|tls| Arc::clone(&tls.config));
        let origin = Arc::new(Origin::new(base_url, config)?);
        self.origins.insert(place, Arc::clone(&origin));
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

fn place(base_url: &BaseUrl, tls: Option<&ClientTls>) -> Place {
    Place {
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
    fn parties_at_one_place_have_one_origin_and_the_same_files_one_verifier() {
        let mut origins = Origins::default();
        let mut find = |url: &str| {
            let url = BaseUrl::parse(url).unwrap();
            origins.find(&url, ClientFiles::default()).unwrap()
        };
        let (clear, no_tls) = find("http://relay.example:8080/b1");
        assert!(no_tls.is_none());
        assert!(Arc::ptr_eq(&clear, &find("http://RELAY.example:8080/b2").0));
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
            assert!(!Arc::ptr_eq(&clear, other), "{other:?}");
        }
        assert!(!Arc::ptr_eq(&secured, &beside));
        assert!(Arc::ptr_eq(&tls.unwrap().config, &same_tls.unwrap().config));
    }
}
