//! The values that labels can have. Each is one of a few.

use std::fmt;

use protocol::{AnswerCode, Api, LabelCode, ResCode};

/// A label with a fixed set of values.
pub(crate) trait Label: Copy + 'static {
    /// Every value, each at its own [`Label::index`].
    const ALL: &'static [Self];

    /// The value as it stands in the exposition.
    fn text(self) -> &'static str;

    /// Its place in [`Label::ALL`].
    fn index(self) -> usize;
}

/// Makes a label from one table: variant, text.
macro_rules! label {
    ($(#[$about:meta])* $visibility:vis enum $name:ident {
        $($(#[$what:meta])* $variant:ident $text:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $name {
            $($(#[$what])* $variant,)+
        }

        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

label! {
    /// Why a call was turned away before it was relayed.
    pub enum RejectedReason {
        /// The source address is in no list that admits it.
        Address "address",
        /// `Authorization`, or the client certificate, is missing or wrong.
        Authorization "authorization",
        /// Beyond the biller's rate.
        Rate "rate",
        /// The body is too large, broken, or breaks a rule of the guide.
        Body "body",
        /// The biller has as many calls in flight as it may.
        Overload "overload",
        /// The upstream's circuit is open.
        Circuit "circuit",
    }
}

label! {
    /// What the ledger was asked to do.
    pub enum LedgerOperation {
        /// Read the state of a bill.
        Lookup "lookup",
        /// Reserve a bill for a link.
        Reserve "reserve",
        /// Settle what became of a link call.
        Settle "settle",
        /// Take a payment event.
        Payment "payment",
        /// Note how the biller took a payment event.
        Delivery "delivery",
        /// Classify a bill as an error bill, or clear it.
        Classify "classify",
        /// Find the kept answer of a pay-result.
        Replay "replay",
        /// Write a batch of entries to the journal, durably.
        JournalCommit "journal_commit",
        /// One exchange with Redis.
        Redis "redis",
        /// Write to Redis what it has not got from the journal.
        Share "share",
    }
}

label! {
    /// The stages of a call, in their order.
    pub enum Stage {
        /// Address, certificate, authorization, rate, and the body's arrival.
        Admission "admission",
        /// Reading the body by the guide's rules.
        Parse "parse",
        /// Asking the ledger before the upstream.
        Ledger "ledger",
        /// Getting a connection to the upstream.
        Connect "connect",
        /// From the request on that connection to the whole answer.
        Upstream "upstream",
        /// Telling the ledger what became of it.
        Settle "settle",
        /// Making the answer.
        Reply "reply",
    }
}

label! {
    /// What came of a reload.
    pub enum ReloadResult {
        /// The configuration was read anew and is in force.
        Done "done",
        /// A fault was found: nothing changed.
        Refused "refused",
    }
}

label! {
    /// Label `api`.
    pub(crate) enum ApiLabel {
        LinkCreate "link_create",
        LinkRecreate "link_recreate",
        Notice "notice",
        Prepay "prepay",
        PayResult "pay_result",
        Unknown "unknown",
    }
}

impl From<Api> for ApiLabel {
    fn from(api: Api) -> Self {
        match api {
            Api::LinkCreate => Self::LinkCreate,
            Api::LinkRecreate => Self::LinkRecreate,
            Api::Notice => Self::Notice,
            Api::Prepay => Self::Prepay,
            Api::PayResult => Self::PayResult,
        }
    }
}

impl From<Option<Api>> for ApiLabel {
    fn from(api: Option<Api>) -> Self {
        api.map_or(Self::Unknown, Self::from)
    }
}

/// Label `res_code`: `OK`, `E` and three digits, or `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResCodeLabel {
    /// `OK`.
    Ok,
    /// `E` and three digits, or `other`.
    Other(LabelCode),
}

impl ResCodeLabel {
    /// Stands for what has no label of its own, and for answers without a code.
    pub const OTHER: Self = Self::Other(LabelCode::OTHER);

    /// The label's text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ok => ResCode::Ok.code(),
            Self::Other(code) => code.as_str(),
        }
    }

    /// Whether the guide knows the code: the gateway itself may answer it.
    pub(crate) fn is_of_the_guide(self) -> bool {
        ResCode::from_code(self.as_str()).is_some()
    }
}

impl From<ResCode> for ResCodeLabel {
    fn from(code: ResCode) -> Self {
        match code {
            ResCode::Ok => Self::Ok,
            other => Self::Other(LabelCode::new(other.code())),
        }
    }
}

impl From<AnswerCode> for ResCodeLabel {
    fn from(code: AnswerCode) -> Self {
        match code {
            AnswerCode::Ok => Self::Ok,
            AnswerCode::Other(code) => Self::Other(code),
            AnswerCode::None => Self::OTHER,
        }
    }
}

impl fmt::Display for ResCodeLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Label `status`: a number from 100 to 599, or `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StatusLabel(Option<u16>);

impl StatusLabel {
    pub(crate) const OTHER: Self = Self(None);
    pub(crate) const OK: Self = Self(Some(200));

    /// The statuses of the contract's answers by the gateway itself, and those that its HTTP
    /// server gives.
    const OUR_OWN: [u16; 14] = [
        200, 400, 401, 403, 404, 405, 408, 413, 429, 431, 500, 502, 503, 504,
    ];

    pub(crate) const fn of(status: u16) -> Self {
        if status >= 100 && status <= 599 {
            Self(Some(status))
        } else {
            Self::OTHER
        }
    }

    pub(crate) fn is_our_own(self) -> bool {
        self.0.is_some_and(|status| Self::OUR_OWN.contains(&status))
    }
}

impl fmt::Display for StatusLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(f, "{status}"),
            None => f.write_str("other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_found_at_its_own_index() {
        fn check<L: Label>() {
            for (at, label) in L::ALL.iter().enumerate() {
                assert_eq!(label.index(), at, "{}", label.text());
            }
        }
        check::<ApiLabel>();
        check::<RejectedReason>();
        check::<LedgerOperation>();
        check::<Stage>();
        check::<ReloadResult>();
    }

    #[test]
    fn the_apis_have_the_names_that_the_guide_as_code_gives_them() {
        for api in Api::ALL {
            assert_eq!(ApiLabel::from(api).text(), api.label());
        }
        assert_eq!(ApiLabel::from(None).text(), "unknown");
    }

    #[test]
    fn a_code_is_labelled_ok_or_e_and_three_digits_or_other() {
        let table = [
            (ResCodeLabel::from(ResCode::Ok), "OK"),
            (ResCodeLabel::from(ResCode::E806), "E806"),
            (ResCodeLabel::from(AnswerCode::Ok), "OK"),
            (
                ResCodeLabel::from(AnswerCode::Other(LabelCode::new("E902"))),
                "E902",
            ),
            (
                ResCodeLabel::from(AnswerCode::Other(LabelCode::new("FAIL"))),
                "other",
            ),
            (ResCodeLabel::from(AnswerCode::None), "other"),
        ];
        for (label, text) in table {
            assert_eq!(label.as_str(), text);
            assert_eq!(label.to_string(), text);
        }
    }

    #[test]
    fn a_status_is_labelled_with_its_number_from_100_to_599() {
        let table = [
            (0, "other"),
            (99, "other"),
            (100, "100"),
            (200, "200"),
            (599, "599"),
            (600, "other"),
            (999, "other"),
        ];
        for (status, text) in table {
            assert_eq!(StatusLabel::of(status).to_string(), text);
        }
    }
}
