//! One call of the demonstration and what must come of it.

use protocol::{Api, ResCode};
use simulator::{Body, Fault};

use super::request::Request;
use crate::routes;

/// Who the answer is by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerBy {
    /// The upstream: relayed as it came.
    Upstream,
    /// The gateway itself, with the guide's message.
    Gateway,
    /// The biller, the first time; kept and given again by the gateway.
    Memory,
}

/// What must come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// The HTTP status.
    pub(super) status: u16,
    /// The `res_code`.
    pub(super) code: ResCode,
    /// Who the answer is by.
    pub(super) by: AnswerBy,
    /// How often the upstream is called.
    pub(super) upstream_calls: u64,
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What happens, in a few words.
    pub(super) name: &'static str,
    /// Why it comes out as it does, in a sentence.
    pub(super) story: &'static str,
    /// What is sent.
    pub(super) request: Request,
    /// The part of the request that decides; empty: none in particular.
    pub(super) mark: &'static str,
    /// What goes wrong at the upstream.
    pub(super) fault: Option<Fault>,
    /// What must come of it.
    pub(super) expected: Expected,
}

impl Step {
    /// A call that the upstream answers with this code at HTTP 200.
    pub(super) fn relayed(body: &Body, code: ResCode) -> Self {
        Self::new(Request::of(body), 200, code, AnswerBy::Upstream, 1)
    }

    /// A call that the gateway answers itself; the upstream hears nothing of it.
    pub(super) fn refused(request: Request, status: u16, code: ResCode) -> Self {
        Self::new(request, status, code, AnswerBy::Gateway, 0)
    }

    /// A call that is answered as its first copy was; the upstream hears nothing of it.
    pub(super) fn kept(body: &Body) -> Self {
        Self::new(Request::of(body), 200, ResCode::Ok, AnswerBy::Memory, 0)
    }

    /// A call whose upstream fails, so that the gateway has to answer.
    pub(super) fn failing(body: &Body, fault: Fault, status: u16, code: ResCode) -> Self {
        let step = Self::new(Request::of(body), status, code, AnswerBy::Gateway, 1);
        Self {
            fault: Some(fault),
            ..step
        }
    }

    fn new(
        request: Request,
        status: u16,
        code: ResCode,
        by: AnswerBy,
        upstream_calls: u64,
    ) -> Self {
        Self {
            name: "",
            story: "",
            request,
            mark: "",
            fault: None,
            expected: Expected {
                status,
                code,
                by,
                upstream_calls,
            },
        }
    }

    /// What happens, in a few words.
    #[must_use]
    pub(super) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Why it comes out as it does.
    #[must_use]
    pub(super) fn because(self, story: &'static str) -> Self {
        Self { story, ..self }
    }

    /// The part of the request that decides.
    #[must_use]
    pub(super) fn mark(self, mark: &'static str) -> Self {
        Self { mark, ..self }
    }

    /// The API that is called; `None` on an unknown route.
    pub(super) fn api(&self) -> Option<Api> {
        routes::find(&self.request.path).map(|route| route.api)
    }
}

/// The guide's name of an API (section 2.2).
pub(super) const fn korean(api: Option<Api>) -> &'static str {
    match api {
        Some(Api::LinkCreate) => "청구서 링크 생성",
        Some(Api::LinkRecreate) => "청구서 링크 재생성",
        Some(Api::Notice) => "청구서 조회",
        Some(Api::Prepay) => "납부 가능 조회",
        Some(Api::PayResult) => "납부 결과 전달",
        None => "없는 경로",
    }
}
