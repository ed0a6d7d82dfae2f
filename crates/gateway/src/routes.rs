//! The routes of the public listener (contract section 1).
//!
//! Paths are compared byte for byte: no percent-decoding, no other case, no trailing slash. The caller of
//! [`find`] has removed the query string.

use protocol::{Api, Caller};

/// Where a request names its biller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBiller<'a> {
    /// In the last segment of the path; the code need not be registered.
    InPath(&'a str),
    /// In the header `X-Biller-Code`, on the guide's bare paths.
    InHeader,
}

/// A known route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// The API.
    pub api: Api,
    /// Where the biller's code stands.
    pub biller: NamedBiller<'a>,
}

/// The paths before the biller's code; a prefix of another one comes after it.
const TABLE: [(&str, Api); 5] = [
    (
        "/external/inquiry-payment/one-time/url/re",
        Api::LinkRecreate,
    ),
    ("/external/inquiry-payment/one-time/url", Api::LinkCreate),
    ("/kakao/notice", Api::Notice),
    ("/kakao/prepay", Api::Prepay),
    ("/kakao/pay-result", Api::PayResult),
];

/// Returns the route of a path; `None` for an unknown path.
pub fn find(path: &str) -> Option<Route<'_>> {
    TABLE.iter().find_map(|(prefix, api)| {
        let rest = path.strip_prefix(prefix)?;
        let biller = match (rest.strip_prefix('/'), api.caller()) {
            (Some(code), _) if !code.is_empty() && !code.contains('/') => NamedBiller::InPath(code),
            (None, Caller::KakaoPay) if rest.is_empty() => NamedBiller::InHeader,
            _ => return None,
        };
        Some(Route { api: *api, biller })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_the_route_it_looks_like_or_unknown() {
        let in_path = |api, code| {
            Some(Route {
                api,
                biller: NamedBiller::InPath(code),
            })
        };
        let bare = |api| {
            Some(Route {
                api,
                biller: NamedBiller::InHeader,
            })
        };
        let url = "/external/inquiry-payment/one-time/url";
        let table = [
            (format!("{url}/B0001"), in_path(Api::LinkCreate, "B0001")),
            (
                format!("{url}/re/B0001"),
                in_path(Api::LinkRecreate, "B0001"),
            ),
            (format!("{url}/re"), in_path(Api::LinkCreate, "re")),
            (format!("{url}/%42"), in_path(Api::LinkCreate, "%42")),
            (format!("{url}/re/"), None),
            (format!("{url}/"), None),
            (url.to_owned(), None),
            (format!("{url}/B0001/"), None),
            (format!("{url}/re/B0001/x"), None),
            (url.to_uppercase() + "/B0001", None),
            ("/kakao/notice".into(), bare(Api::Notice)),
            ("/kakao/notice/".into(), None),
            ("/kakao/notice/B-1_x".into(), in_path(Api::Notice, "B-1_x")),
            ("/kakao/notices".into(), None),
            ("/kakao/prepay/B0001".into(), in_path(Api::Prepay, "B0001")),
            ("/kakao/pay-result".into(), bare(Api::PayResult)),
            ("/kakao/pay-result/B0001/".into(), None),
            ("//kakao/notice".into(), None),
            ("/".into(), None),
            (String::new(), None),
        ];
        for (path, route) in table {
            assert_eq!(find(&path), route, "{path}");
        }
    }
}
