//! A request of the biller or of Kakao Pay to the gateway.

use gateway::routes;
use protocol::Api;
use simulator::Body;

/// The code of the simulated biller.
pub(crate) const BILLER: &str = "B0001";

/// The value of the biller's `Authorization` header.
pub(crate) const AUTHORIZATION: &str = "KakaoAK demo-of-B0001";

/// The name of that header.
pub(crate) const AUTHORIZATION_HEADER: &str = "Authorization";

/// The prefix of the paths that a biller calls.
const BILLERS_APIS: &str = "/external/";

/// A POST with a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The path on the gateway.
    pub(crate) path: String,
    /// The `Authorization` header. Kakao Pay sends none: the gateway checks its source address.
    pub(crate) authorization: Option<&'static str>,
    /// The bytes of the body.
    pub(crate) body: String,
}

impl Request {
    /// Returns the request that the caller of the body's API sends.
    pub(crate) fn of(body: &Body) -> Self {
        let path = body.path(BILLER);
        let authorization = path.starts_with(BILLERS_APIS).then_some(AUTHORIZATION);
        Self {
            path,
            authorization,
            body: body.json(),
        }
    }

    /// Returns the API at the path; `None` on an unknown route.
    pub(crate) fn api(&self) -> Option<Api> {
        routes::find(&self.path).map(|route| route.api)
    }

    /// Returns the headers besides those of every request.
    pub(crate) fn headers(&self) -> Vec<(&'static str, &'static str)> {
        let authorization = self.authorization.iter();
        authorization
            .map(|value| (AUTHORIZATION_HEADER, *value))
            .collect()
    }
}
