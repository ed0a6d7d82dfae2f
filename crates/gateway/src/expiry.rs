//! When the certificates end that the gateway uses or is shown: for metrics, and for the log.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use foldhash::{HashMap, HashMapExt as _, HashSet};
use ledger::Timestamp;
use metrics::{CertificateExpiry, CertificateUse};
use tokio::time::{Instant, interval};

use crate::registry::Upstream;
use crate::state::{GatewayState, Parties};
use crate::tls::{EXPIRES_SOON, moment};

/// How often the certificates are looked at: what a server shows in a handshake is told soon after it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How often the log tells of the same end.
const TELL_EVERY: Duration = Duration::from_hours(1);

/// The most lines of one look. Thousands of billers may have certificates of their own.
const LINES_MAX: usize = 50;

/// The most parties that one line names.
const PARTIES_MAX: usize = 5;

/// The party of the public listener's certificates.
const PUBLIC: &str = "public";

/// The party of the certificates for Redis.
const REDIS: &str = "redis";

/// Returns the end of every certificate that is in use now: those of files, and of each upstream's server the one
/// that it showed last.
pub fn certificates<'a>(shared: &GatewayState, parties: &'a Parties) -> Vec<CertificateExpiry<'a>> {
    let mut found = Vec::new();
    let mut add = |party: &'a str, usage, not_after: Option<i64>| {
        found.extend(not_after.map(|not_after| CertificateExpiry {
            party,
            usage,
            not_after,
        }));
    };
    if let Some(tls) = shared.tls.get() {
        let tls = tls.current();
        add(PUBLIC, CertificateUse::Server, tls.certificate_not_after);
        add(PUBLIC, CertificateUse::Ca, tls.client_ca_not_after);
    }
    for (usage, not_after) in shared.redis_certificates.get().into_iter().flatten() {
        add(REDIS, *usage, Some(*not_after));
    }
    let billers = parties.registry.billers().map(|biller| &biller.upstream);
    for Upstream { party, tls } in billers.chain([&parties.kakao.upstream]) {
        let Some(tls) = tls else { continue };
        add(
            party.label(),
            CertificateUse::Client,
            tls.certificate_not_after,
        );
        add(party.label(), CertificateUse::Ca, tls.ca_not_after);
        add(
            party.label(),
            CertificateUse::Server,
            party.origin().server_not_after(),
        );
    }
    found
}

/// Starts to log, at once and then every hour, which certificates have expired or end soon.
pub fn start(shared: Arc<GatewayState>) {
    rt::spawn(async move {
        let mut looks = interval(LOOK_EVERY);
        let mut told = Told::default();
        loop {
            looks.tick().await;
            let parties = shared.parties();
            let ends = ending(&certificates(&shared, &parties), now());
            told.tell(ends, Instant::now());
        }
    });
}

/// The parties whose certificates for one use end at one time: many may share a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    usage: CertificateUse,
    not_after: i64,
    seconds_left: i64,
    parties: Vec<String>,
}

/// Returns the ends that have come or will come soon, the first first.
fn ending(certificates: &[CertificateExpiry<'_>], now: i64) -> Vec<End> {
    let soon = i64::try_from(EXPIRES_SOON.as_secs()).unwrap_or(i64::MAX);
    let mut by_end: HashMap<(i64, CertificateUse), Vec<String>> = HashMap::new();
    for certificate in certificates {
        if certificate.not_after.saturating_sub(now) < soon {
            let key = (certificate.not_after, certificate.usage);
            by_end
                .entry(key)
                .or_default()
                .push(certificate.party.to_owned());
        }
    }
    let mut ends: Vec<End> = by_end
        .into_iter()
        .map(|((not_after, usage), parties)| End {
            usage,
            not_after,
            seconds_left: not_after.saturating_sub(now),
            parties,
        })
        .collect();
    ends.sort_by_key(|end| (end.not_after, end.usage));
    ends
}

/// What the log was told, and when.
#[derive(Default)]
struct Told(HashMap<(i64, CertificateUse), Instant>);

impl Told {
    fn tell(&mut self, ends: Vec<End>, now: Instant) {
        let current: HashSet<_> = ends.iter().map(|end| (end.not_after, end.usage)).collect();
        self.0.retain(|key, _| current.contains(key));
        let is_due = |end: &End| {
            let told = self.0.get(&(end.not_after, end.usage));
            told.is_none_or(|told| now.saturating_duration_since(*told) >= TELL_EVERY)
        };
        let due: Vec<End> = ends.into_iter().filter(is_due).collect();
        if let Some(more) = due.len().checked_sub(LINES_MAX + 1) {
            tracing::warn!(
                more = more + 1,
                "further certificates end soon: see the metrics"
            );
        }
        for (at, end) in due.into_iter().enumerate() {
            self.0.insert((end.not_after, end.usage), now);
            if at < LINES_MAX {
                end.log();
            }
        }
    }
}

impl End {
    fn log(&self) {
        let named = self.parties.iter().take(PARTIES_MAX).map(String::as_str);
        let mut parties = named.collect::<Vec<_>>().join(", ");
        if let Some(more) = self.parties.len().checked_sub(PARTIES_MAX + 1) {
            // Writing into a string never fails.
            let _ = write!(parties, " and {} more", more + 1);
        }
        let not_after = moment(self.not_after);
        let usage = self.usage.as_str();
        if self.seconds_left < 0 {
            tracing::error!(parties, usage, not_after, "a certificate has expired");
        } else {
            let days_left = self.seconds_left / 86_400;
            tracing::warn!(
                parties,
                usage,
                not_after,
                days_left,
                "a certificate expires soon"
            );
        }
    }
}

fn now() -> i64 {
    Timestamp::now().millis() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn expiry(party: &str, usage: CertificateUse, days: i64) -> CertificateExpiry<'_> {
        CertificateExpiry {
            party,
            usage,
            not_after: days * DAY,
        }
    }

    #[test]
    fn only_what_ends_within_three_weeks_is_told_and_shared_ends_are_one() {
        let certificates = [
            expiry("public", CertificateUse::Server, 121),
            expiry("B0001", CertificateUse::Ca, 120),
            expiry("B0002", CertificateUse::Ca, 120),
            expiry("kakao", CertificateUse::Client, 99),
        ];
        let ends = ending(&certificates, 100 * DAY);
        let shown: Vec<_> = ends
            .iter()
            .map(|end| (end.parties.join(" "), end.seconds_left / DAY))
            .collect();
        assert_eq!(
            shown,
            [("kakao".to_owned(), -1), ("B0001 B0002".to_owned(), 20)]
        );
    }

    #[test]
    fn the_same_end_is_told_once_an_hour_and_what_is_gone_is_forgotten() {
        let end = |days| ending(&[expiry("B0001", CertificateUse::Server, days)], 100 * DAY);
        let mut told = Told::default();
        let begin = Instant::now();
        let mut tell_at = |ends, after| {
            told.tell(ends, begin + after);
            told.0.clone()
        };
        let first = tell_at(end(101), Duration::ZERO);
        assert_eq!(tell_at(end(101), TELL_EVERY / 2), first);
        assert_ne!(tell_at(end(101), TELL_EVERY), first);
        let renewed = tell_at(end(102), TELL_EVERY);
        assert_eq!(renewed.len(), 1);
        assert!(tell_at(end(200), TELL_EVERY).is_empty());
    }
}
