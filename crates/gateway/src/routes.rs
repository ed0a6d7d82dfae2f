//! The table of routes: path, API, who calls it (contract section 1).
//!
//! Paths are compared byte for byte: nothing is percent-decoded, another case or a trailing slash
//! is an unknown route, and the query string was cut off before.

use protocol::{Api, Caller};

/// How the request names its biller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBiller<'a> {
    /// As the last segment of the path, not yet looked up.
    InPath(&'a str),
    /// On the guide's bare path: in the header `X-Biller-Code`.
    InHeader,
}

/// A known route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// The API behind it.
    pub api: Api,
    /// Where the biller's code is.
    pub biller: NamedBiller<'a>,
}

/// What stands before the biller's code, the longer prefix of two first.
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

/// Finds the route of a path; `None` for an unknown one.
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
