//! Section 1: every route leads to the API of its row, and no similar path does.

use std::collections::BTreeSet;

use gateway::routes::{NamedBiller, Route, find};
use protocol::{Api, Caller};

use crate::document::{code, contract, rows, under};

const BILLER: &str = "B-1_x";

#[test]
fn every_route_leads_to_its_api_and_a_similar_path_is_unknown() {
    let page = contract();
    let section = under(&page, "## 1. Routes");
    let mut apis = BTreeSet::new();
    for [api, route, caller, relayed_to] in rows(section, ["API", "route", "caller", "relayed to"])
    {
        let api = Api::ALL
            .into_iter()
            .find(|known| known.label() == code(api))
            .unwrap_or_else(|| panic!("no API {api}"));
        assert!(apis.insert(api), "{api} twice");
        let named = match api.caller() {
            Caller::Biller => "biller",
            Caller::KakaoPay => "Kakao Pay",
        };
        assert_eq!(caller, named, "{api}");
        // That the gateway calls these paths is tested through sockets (`tests/relay.rs`).
        let upstream = match api.caller() {
            Caller::Biller => format!("{{kakao.base_url}}{}", code(route)),
            Caller::KakaoPay => {
                let path = code(route).strip_suffix("/{biller_code}").unwrap();
                format!("{{base_url}}{path}")
            }
        };
        assert_eq!(code(relayed_to), upstream, "{api}");

        let prefix = code(route).strip_suffix("/{biller_code}").unwrap();
        let path = format!("{prefix}/{BILLER}");
        let biller = NamedBiller::InPath(BILLER);
        assert_eq!(find(&path), Some(Route { api, biller }), "{path}");
        for unknown in [
            format!("{path}/"),
            format!("{path}/x"),
            format!("{prefix}/"),
            format!("/{path}"),
            format!("{}/{BILLER}", prefix.to_uppercase()),
        ] {
            assert_eq!(find(&unknown), None, "{unknown}");
        }
        if api.caller() == Caller::KakaoPay {
            let biller = NamedBiller::InHeader;
            assert_eq!(find(prefix), Some(Route { api, biller }), "{prefix}");
        } else {
            let bare = find(prefix).map(|route| route.biller);
            assert_ne!(bare, Some(NamedBiller::InHeader), "{prefix}");
        }
    }
    assert_eq!(apis, BTreeSet::from(Api::ALL));
}
