//! The labels and their values. Every label has a bounded set of values.

use std::fmt;
use std::marker::PhantomData;

use protocol::{AnswerCode, Api, LabelCode, ResCode};

/// A label with a fixed set of values.
pub(crate) trait Label: Copy + 'static {
    /// All values, each at its [`Label::index`].
    const ALL: &'static [Self];

    /// The value in the exposition.
    fn text(self) -> &'static str;

    /// The index of the value in [`Label::ALL`].
    fn index(self) -> usize;
}

/// One `M` for each value of the label `L`.
pub(crate) struct PerLabel<L, M> {
    children: Box<[M]>,
    label: PhantomData<L>,
}

impl<L: Label, M> PerLabel<L, M> {
    pub(crate) fn new(child: impl FnMut(L) -> M) -> Self {
        Self {
            children: L::ALL.iter().copied().map(child).collect(),
            label: PhantomData,
        }
    }

    pub(crate) fn get(&self, label: L) -> &M {
        // There is a child for every value, and the index of a value is its place in `ALL`.
        &self.children[label.index()]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &M> {
        self.children.iter()
    }
}

/// Defines a label from one table: variant, text.
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
    /// The reason why a call was refused before it was relayed.
    pub enum RejectedReason {
        /// No list admits the source address.
        Address "address",
        /// The `Authorization` header or the client certificate is missing or wrong.
        Authorization "authorization",
        /// The biller's rate limit is exceeded.
        Rate "rate",
        /// The body is too large, incomplete or violates a rule of the guide.
        Body "body",
        /// The biller's limit of calls in flight is reached.
        Overload "overload",
        /// The upstream's circuit breaker is open.
        Circuit "circuit",
    }
}

label! {
    /// Why a log-in at the admin API failed.
    pub enum LoginFailure {
        /// No token, or more than one.
        Missing "missing",
        /// Another token.
        Wrong "wrong",
        /// Too many failures from the address before; the token was not looked at.
        Limited "limited",
    }
}

impl LoginFailure {
    /// Returns the word for the log, which is the label's.
    pub fn word(self) -> &'static str {
        self.text()
    }
}

label! {
    /// An operation of the ledger.
    pub enum LedgerOperation {
        /// Read the state of a bill.
        Lookup "lookup",
        /// Reserve a bill for a link.
        Reserve "reserve",
        /// Record the outcome of a link call.
        Settle "settle",
        /// Record a payment event.
        Payment "payment",
        /// Record the outcome of a delivery attempt.
        Delivery "delivery",
        /// Classify a bill as an error bill, or remove the classification.
        Classify "classify",
        /// Find the stored answer of a pay-result.
        Claim "claim",
        /// Write a batch of entries to the journal's disk.
        JournalCommit "journal_commit",
        /// Send commands to Redis and receive their replies.
        Redis "redis",
        /// Write facts of the journal to Redis.
        Share "share",
    }
}

label! {
    /// The stages of a call, in their order.
    pub enum Stage {
        /// Check address, certificate, authorization and rate, and receive the body.
        Admission "admission",
        /// Parse the body by the guide's rules.
        Parse "parse",
        /// Read or write the ledger before the upstream call.
        Ledger "ledger",
        /// Get a connection to the upstream.
        Connect "connect",
        /// Send the request to the upstream and receive the whole answer.
        Upstream "upstream",
        /// Record the outcome in the ledger.
        Settle "settle",
        /// Build the answer.
        Reply "reply",
    }
}

label! {
    /// The result of a reload.
    pub enum ReloadResult {
        /// The configuration was read and applied.
        Done "done",
        /// The configuration has a fault, and nothing changed.
        Refused "refused",
    }
}

label! {
    /// What a certificate is for.
    #[derive(PartialOrd, Ord)]
    pub enum CertificateUse {
        /// The party shows it as a server.
        Server "server",
        /// The gateway shows it to the party, or to Redis, as a client.
        Client "client",
        /// Certificates of the party are verified with it.
        Ca "ca",
    }
}

label! {
    /// Why a TLS handshake failed.
    pub enum HandshakeReason {
        /// The two sides have no TLS version in common.
        Version "version",
        /// The two sides have no cipher suite, group or signature scheme in common.
        Cipher "cipher",
        /// The peer's certificate has expired or is not valid yet.
        CertificateExpired "certificate_expired",
        /// The peer's certificate is of an issuer that is not trusted.
        CertificateIssuer "certificate_issuer",
        /// The peer's certificate is for other names.
        CertificateName "certificate_name",
        /// The peer presented no certificate.
        CertificateMissing "certificate_missing",
        /// The peer's certificate has another fault.
        Certificate "certificate",
        /// The peer ended the handshake with an alert, often because of this side's certificate.
        Alert "alert",
        /// The peer's bytes are no TLS.
        NotTls "not_tls",
        /// The connection was closed or reset.
        Closed "closed",
        /// The handshake took too long.
        Timeout "timeout",
        /// Anything else.
        Other "other",
    }
}

label! {
    /// The label `api`.
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

/// The label `res_code`: `OK`, `E` and three digits, or `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResCodeLabel {
    /// `OK`.
    Ok,
    /// `E` and three digits, or `other`.
    Other(LabelCode),
}

impl ResCodeLabel {
    /// The label of all other codes and of answers without a code.
    pub const OTHER: Self = Self::Other(LabelCode::OTHER);

    /// The label's text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ok => ResCode::Ok.code(),
            Self::Other(code) => code.as_str(),
        }
    }

    /// Whether the code is in the guide, so that the gateway's own answers may have it.
    pub(crate) fn is_in_guide(self) -> bool {
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

/// The label `status`: a number from 100 to 599, or `other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StatusLabel(Option<u16>);

impl StatusLabel {
    pub(crate) const OTHER: Self = Self(None);
    pub(crate) const OK: Self = Self(Some(200));

    /// The statuses of the gateway's own answers by the contract, and of its HTTP server's answers.
    const OF_GATEWAY: [u16; 14] = [
        200, 400, 401, 403, 404, 405, 408, 413, 429, 431, 500, 502, 503, 504,
    ];

    pub(crate) const fn of(status: u16) -> Self {
        if status >= 100 && status <= 599 {
            Self(Some(status))
        } else {
            Self::OTHER
        }
    }

    pub(crate) fn is_of_gateway(self) -> bool {
        self.0
            .is_some_and(|status| Self::OF_GATEWAY.contains(&status))
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
    fn each_value_has_its_own_index() {
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
        check::<CertificateUse>();
        check::<HandshakeReason>();
        check::<LoginFailure>();
    }

    #[test]
    fn the_apis_have_the_names_of_the_protocol_crate() {
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
