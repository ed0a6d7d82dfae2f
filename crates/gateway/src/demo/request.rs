//! A request as one of the two parties sends it.

use simulator::Body;

/// The biller of the demonstration.
pub(super) const BILLER: &str = "B0001";

/// What it authorizes itself with.
pub(super) const AUTHORIZATION: &str = "KakaoAK demo-of-B0001";

/// The name of that header.
pub(super) const AUTHORIZATION_HEADER: &str = "Authorization";

/// Where the APIs are that a biller calls.
const BILLERS_APIS: &str = "/external/";

/// A POST with a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The path on the gateway.
    pub(super) path: String,
    /// Only a biller authorizes itself; Kakao Pay is known by its address.
    pub(super) authorization: Option<&'static str>,
    /// As it is sent.
    pub(super) body: String,
}

impl Request {
    /// The request with this body by the party that calls its API.
    pub(super) fn of(body: &Body) -> Self {
        let path = body.path(BILLER);
        let authorization = path.starts_with(BILLERS_APIS).then_some(AUTHORIZATION);
        Self {
            path,
            authorization,
            body: body.json(),
        }
    }

    /// Its headers beside those that every request has.
    pub(super) fn headers(&self) -> Vec<(&'static str, &'static str)> {
        self.authorization
            .iter()
            .map(|value| (AUTHORIZATION_HEADER, *value))
            .collect()
    }
}
