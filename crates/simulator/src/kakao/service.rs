//! The answers of a simulated Kakao Pay.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::link::{Link, LinkKind, url};
use crate::answer::{Answer, message, quoted};
use crate::history::History;
use crate::request::Request;
use crate::server::Service;

const LINKS: &str = "/external/inquiry-payment/one-time/url/";

/// The most links that are stored; older ones are removed.
const MAX_LINKS: usize = 1_000_000;

/// Kakao Pay's behaviour and data.
#[derive(Debug)]
pub(super) struct KakaoService {
    seed: u64,
    authorization: Option<String>,
    links: Mutex<History<Link>>,
}

impl Service for KakaoService {
    fn answer(&self, request: &Request) -> Answer {
        let Some((kind, biller_code)) = route(request.path()) else {
            return Answer::html(404);
        };
        if request.call.method != "POST" {
            return Answer::html(405).with_header("Allow", "POST");
        }
        let authorization = request.call.header("authorization");
        if self.authorization.is_some() && authorization != self.authorization.as_deref() {
            return Answer {
                status: 401,
                ..Answer::code("E003")
            };
        }
        match failed_check(request) {
            Some(res_code) => Answer::code(res_code),
            None => self.create_link(kind, biller_code, request),
        }
    }
}

impl KakaoService {
    pub(super) fn new(seed: u64, authorization: Option<String>) -> Self {
        Self {
            seed,
            authorization,
            links: Mutex::new(History::with_limit(MAX_LINKS)),
        }
    }

    pub(super) fn links(&self) -> Vec<Link> {
        self.lock().iter().cloned().collect()
    }

    /// Creates a link. Only the gateway checks whether the bill already has one.
    fn create_link(&self, kind: LinkKind, biller_code: &str, request: &Request) -> Answer {
        let text = |member| request.text(member).to_owned();
        let mut links = self.lock();
        let link = Link {
            sequence: request.call.sequence,
            kind,
            biller_code: biller_code.to_owned(),
            biller_user_key: text("biller_user_key"),
            billed_year_month: text("billed_year_month"),
            ordinal: text("ordinal"),
            biller_notice_key: text("biller_notice_key"),
            expire_at: text("expire_at"),
            url: url(self.seed, links.next_sequence()),
        };
        let answer = link_answer(&link);
        links.push(link);
        answer
    }

    /// A poisoned lock is ignored: each change is one push, so the list is consistent.
    fn lock(&self) -> MutexGuard<'_, History<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn link_answer(link: &Link) -> Answer {
    let notice_key = match link.biller_notice_key.as_str() {
        "" => String::new(),
        key => format!(r#","biller_notice_key":{}"#, quoted(key)),
    };
    let (ok, url) = (message("OK"), &link.url);
    Answer::json(
        200,
        format!(r#"{{"res_code":"OK","message":"{ok}","data":{{"url":"{url}"{notice_key}}}}}"#),
    )
}

/// Returns the API and the biller's code of a path; `None` for other paths.
fn route(path: &str) -> Option<(LinkKind, &str)> {
    let (_, rest) = path.split_once(LINKS)?;
    let (kind, code) = match rest.strip_prefix("re/") {
        Some(code) => (LinkKind::Recreated, code),
        None => (LinkKind::Created, rest),
    };
    (!code.is_empty() && !code.contains('/')).then_some((kind, code))
}

/// Applies Kakao Pay's checks in order. Returns the code of the first that fails.
fn failed_check(request: &Request) -> Option<&'static str> {
    if request.data().is_none() {
        return Some("E008");
    }
    let required = [request.text("biller_user_key"), request.text("expire_at")];
    if required.contains(&"") {
        return Some("E001");
    }
    (required[0].chars().count() > 50)
        .then_some("E006")
        .or_else(|| (required[1].chars().count() != 14).then_some("E007"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guide;
    use crate::request::example;

    const CREATE: &str = "/external/inquiry-payment/one-time/url/B0001";
    const RECREATE: &str = "/base/external/inquiry-payment/one-time/url/re/B0001";

    fn body(service: &KakaoService, path: &str, body: &str) -> serde_json::Value {
        serde_json::from_slice(&service.answer(&example(path, body)).body).unwrap()
    }

    #[test]
    fn links_are_created_answered_and_stored() {
        let kakao = KakaoService::new(1, None);
        let created = body(&kakao, CREATE, guide::LINK_CREATE);
        let again = body(&kakao, RECREATE, guide::LINK_RECREATE);
        let links = kakao.links();
        assert_eq!(created["res_code"], "OK");
        assert_eq!(created["data"]["url"], links[0].url);
        assert_eq!(again["data"]["url"], links[1].url);
        assert_eq!(
            (links[0].kind, links[1].kind),
            (LinkKind::Created, LinkKind::Recreated)
        );
        assert_eq!(links[1].biller_code, "B0001");
        assert_eq!(links[1].expire_at, "20200409235959");
    }

    #[test]
    fn a_notice_key_is_answered_if_one_was_sent() {
        let kakao = KakaoService::new(1, None);
        let sent = r#"{"data":{"biller_user_key":"1","expire_at":"20261231235959","biller_notice_key":"N\"1"}}"#;
        assert_eq!(
            body(&kakao, CREATE, sent)["data"]["biller_notice_key"],
            "N\"1"
        );
        assert_eq!(
            body(&kakao, CREATE, guide::LINK_CREATE)["data"].get("biller_notice_key"),
            None
        );
    }

    #[test]
    fn an_invalid_request_is_answered_with_its_code() {
        let kakao = KakaoService::new(1, None);
        for (sent, res_code) in [
            ("", "E008"),
            (r#"{"data":{"expire_at":"20261231235959"}}"#, "E001"),
            (r#"{"data":{"biller_user_key":"1"}}"#, "E001"),
            (
                r#"{"data":{"biller_user_key":"1","expire_at":"20261231"}}"#,
                "E007",
            ),
        ] {
            assert_eq!(body(&kakao, CREATE, sent)["res_code"], res_code, "{sent}");
        }
        assert!(kakao.links().is_empty());
    }

    #[test]
    fn other_routes_are_unknown() {
        let kakao = KakaoService::new(1, None);
        for path in [
            "/",
            LINKS,
            "/external/inquiry-payment/one-time/url/re/B0001/x",
        ] {
            assert_eq!(kakao.answer(&example(path, "{}")).status, 404, "{path}");
        }
    }

    #[test]
    fn another_authorization_is_refused() {
        let kakao = KakaoService::new(1, Some("KakaoAK x".to_owned()));
        let answer = kakao.answer(&example(CREATE, guide::LINK_CREATE));
        assert_eq!(
            (answer.status, answer.body),
            (401, Answer::code("E003").body)
        );
    }
}
