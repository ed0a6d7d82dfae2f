//! The guide's five APIs (sections 1.2 and 2.2).

use std::fmt;

/// One of the guide's five APIs (section 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// 청구서 링크 생성 (section 3): a biller requests a bill's link.
    LinkCreate,
    /// 청구서 링크 재생성 (section 4): a biller requests a new link of a linked bill.
    LinkRecreate,
    /// 청구서 조회 (section 5): Kakao Pay requests a bill's details.
    Notice,
    /// 납부 가능 조회 (section 6): Kakao Pay queries whether a bill can be paid.
    Prepay,
    /// 납부 결과 전달 (section 7): Kakao Pay reports a payment or a cancel.
    PayResult,
}

/// The party that calls an API (section 1.2, column 호출 방향).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The biller calls the gateway, which calls Kakao Pay (B → A → K).
    Biller,
    /// Kakao Pay calls the gateway, which calls the biller (K → A → B).
    KakaoPay,
}

impl Api {
    /// All five APIs, in the guide's order.
    pub const ALL: [Self; 5] = [
        Self::LinkCreate,
        Self::LinkRecreate,
        Self::Notice,
        Self::Prepay,
        Self::PayResult,
    ];

    /// The name in metrics and logs (contract section 1).
    pub const fn label(self) -> &'static str {
        match self {
            Self::LinkCreate => "link_create",
            Self::LinkRecreate => "link_recreate",
            Self::Notice => "notice",
            Self::Prepay => "prepay",
            Self::PayResult => "pay_result",
        }
    }

    /// The party that calls this API.
    pub const fn caller(self) -> Caller {
        match self {
            Self::LinkCreate | Self::LinkRecreate => Caller::Biller,
            Self::Notice | Self::Prepay | Self::PayResult => Caller::KakaoPay,
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn billers_call_the_two_link_apis_and_kakao_pay_the_other_three() {
        let table: Vec<_> = Api::ALL
            .iter()
            .map(|api| (api.label(), api.caller()))
            .collect();
        assert_eq!(
            table,
            [
                ("link_create", Caller::Biller),
                ("link_recreate", Caller::Biller),
                ("notice", Caller::KakaoPay),
                ("prepay", Caller::KakaoPay),
                ("pay_result", Caller::KakaoPay),
            ]
        );
    }
}
