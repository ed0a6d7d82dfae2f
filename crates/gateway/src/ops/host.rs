//! The check of the `Host` header. A page of a stranger whose name leads to this machine (DNS rebinding) cannot read
//! the ops listener: its browser sends the stranger's name.

use std::net::{Ipv4Addr, Ipv6Addr};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::http::uri::Authority;
use actix_web::middleware::Next;
use actix_web::web;

use super::admin::Refusal;

/// `ops.hosts`: the names by which the listener may be reached, in small letters.
#[derive(Debug)]
pub(super) struct AllowedHosts(pub(super) Vec<String>);

/// Middleware that refuses requests for another host.
pub(super) async fn require(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let allowed = request
        .app_data::<web::Data<AllowedHosts>>()
        .ok_or_else(Refusal::internal)?;
    // Only HTTP/1.0 gets here without the header. No browser does, but a balancer's health check may.
    let named = request.headers().get(HOST).map(|host| {
        let host = host.to_str().ok()?;
        host.parse::<Authority>().ok()
    });
    let is_allowed = |host: &Authority| allowed.allows(host);
    let in_header = named.is_none_or(|host| host.as_ref().is_some_and(is_allowed));
    if in_header && request.uri().authority().is_none_or(is_allowed) {
        next.call(request).await
    } else {
        Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            "the Host header names no address, localhost or name in ops.hosts",
        )
        .into())
    }
}

impl AllowedHosts {
    /// Whether a host is an address, `localhost` or an allowed name, with any port.
    fn allows(&self, host: &Authority) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let name = host.host();
        if let Some(address) = name.strip_prefix('[') {
            let address = address.strip_suffix(']').unwrap_or_default();
            return address.parse::<Ipv6Addr>().is_ok();
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        name.parse::<Ipv4Addr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_localhost_and_own_names_are_allowed_with_any_port() {
        let allowed = AllowedHosts(vec!["relay.internal".to_owned()]);
        let table = [
            ("127.0.0.1", true),
            ("10.1.2.3:9464", true),
            ("0.0.0.0:9464", true),
            ("[::1]:9464", true),
            ("[2001:db8::1]", true),
            ("localhost", true),
            ("LocalHost:9464", true),
            ("localhost.", true),
            ("relay.internal", true),
            ("Relay.Internal.:9464", true),
            ("relay.internal.example", false),
            ("x.relay.internal", false),
            ("evil.example", false),
            ("evil.example:9464", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("127.1", false),
            ("2130706433", false),
            ("0x7f.1", false),
            ("127.0.0.1@evil.example", false),
            ("evil.example@127.0.0.1", false),
        ];
        for (host, is_allowed) in table {
            let authority: Authority = host.parse().unwrap();
            assert_eq!(allowed.allows(&authority), is_allowed, "{host}");
        }
    }
}
