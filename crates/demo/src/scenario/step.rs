//! One call of a scenario, with the expected result.

use protocol::{Api, ResCode};
use simulator::{Body, Fault};

use super::request::Request;

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerSource {
    /// The upstream; the gateway relays it unchanged.
    Upstream,
    /// The gateway itself, with the guide's message.
    Gateway,
    /// The journal: the biller's answer to the first copy of the request.
    Journal,
}

/// The expected result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The `res_code`.
    pub(crate) code: ResCode,
    /// Where the answer comes from.
    pub(crate) source: AnswerSource,
    /// The number of calls to the upstream.
    pub(crate) upstream_calls: u64,
}

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What the call is about, in a few words.
    pub(crate) name: &'static str,
    /// Why it has the expected result, in one line.
    pub(crate) explanation: &'static str,
    /// The request.
    pub(crate) request: Request,
    /// The part of the request that decides the result; empty when no part does.
    pub(crate) highlight: &'static str,
    /// The fault of the biller.
    pub(crate) fault: Option<Fault>,
    /// The expected result.
    pub(crate) expected: Expected,
}

impl Step {
    /// A call that the upstream answers with this code and HTTP 200.
    pub(crate) fn relayed(body: &Body, code: ResCode) -> Self {
        Self::new(Request::of(body), 200, code, AnswerSource::Upstream)
    }

    /// A call that the gateway answers itself, without a call to the upstream.
    pub(crate) fn refused(request: Request, status: u16, code: ResCode) -> Self {
        Self::new(request, status, code, AnswerSource::Gateway)
    }

    /// A call that is answered from the journal, without a call to the upstream.
    pub(crate) fn replayed(body: &Body) -> Self {
        Self::new(Request::of(body), 200, ResCode::Ok, AnswerSource::Journal)
    }

    /// A call that the gateway answers itself because the biller has this fault.
    pub(super) fn failing(body: &Body, fault: Fault, status: u16, code: ResCode) -> Self {
        let mut step = Self::refused(Request::of(body), status, code);
        step.fault = Some(fault);
        step.expected.upstream_calls = 1;
        step
    }

    fn new(request: Request, status: u16, code: ResCode, source: AnswerSource) -> Self {
        Self {
            name: "",
            explanation: "",
            request,
            highlight: "",
            fault: None,
            expected: Expected {
                status,
                code,
                source,
                upstream_calls: u64::from(source == AnswerSource::Upstream),
            },
        }
    }

    /// Sets the name and the explanation.
    #[must_use]
    pub(super) fn described(self, name: &'static str, explanation: &'static str) -> Self {
        Self {
            name,
            explanation,
            ..self
        }
    }

    /// Sets the part of the request that decides the result.
    #[must_use]
    pub(super) fn highlighting(self, highlight: &'static str) -> Self {
        Self { highlight, ..self }
    }

    /// Returns the API that is called; `None` on an unknown route.
    pub(crate) fn api(&self) -> Option<Api> {
        self.request.api()
    }
}

/// Returns the guide's name of an API (section 2.2).
pub(crate) const fn korean_name(api: Option<Api>) -> &'static str {
    match api {
        Some(Api::LinkCreate) => "청구서 링크 생성",
        Some(Api::LinkRecreate) => "청구서 링크 재생성",
        Some(Api::Notice) => "청구서 조회",
        Some(Api::Prepay) => "납부 가능 조회",
        Some(Api::PayResult) => "납부 결과 전달",
        None => "없는 경로",
    }
}
