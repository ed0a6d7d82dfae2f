//! The institutions whose calls the demonstration makes.

use crate::scenario::{AUTHORIZATION, BILLER};

/// A registered biller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Institution {
    /// Its code.
    pub(crate) code: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// The value of its `Authorization` header.
    pub(crate) authorization: &'static str,
    /// The title of its bills.
    pub(crate) title: &'static str,
    /// The lowest amount of its bills, in won.
    pub(crate) least_won: i64,
}

/// The institution of the scenarios.
pub(crate) const APARTMENT: Institution = Institution {
    code: BILLER,
    name: "테스트 아파트 관리비",
    authorization: AUTHORIZATION,
    title: "아파트 관리비",
    least_won: 184_200,
};

/// Returns the institution with this code; that of the scenarios if there is none.
pub(crate) fn institution(code: &str) -> Institution {
    let other = OTHERS.into_iter().find(|other| other.code == code);
    other.unwrap_or(APARTMENT)
}

/// The institutions that only the day's data has.
pub(crate) const OTHERS: [Institution; 2] = [
    Institution {
        code: "T0001",
        name: "테스트 구청 지방세",
        authorization: "KakaoAK demo-of-T0001",
        title: "재산세",
        least_won: 96_300,
    },
    Institution {
        code: "W0001",
        name: "테스트 시 상수도",
        authorization: "KakaoAK demo-of-W0001",
        title: "상하수도 요금",
        least_won: 21_900,
    },
];
