//! Passes a request to the handler and decides whether the connection outlives the answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_http::body::BoxBody;
use actix_http::{ConnectionType, Payload, Request, Response};
use actix_web::HttpResponse;
use actix_web::http::Version;
use tokio::time::{Instant, timeout_at};

use super::connection::{BodyState, ClientConnection};
use super::early_fault::EarlyFault;

/// How long after the head an answer that did not need the body waits for its rest. Most clients send the body
/// right behind the head, and after a complete body the connection can be kept.
const BODY_GRACE: Duration = Duration::from_millis(100);

/// One request, or the synthetic request in place of one that was refused.
pub struct IncomingRequest {
    /// The request's head. The head of a synthetic request holds nothing that the client sent.
    pub request: Request,
    /// The request's body as it arrives. [`ClientConnection::fault`] gives the cause of a failure to read it. The
    /// handler limits the time that it may take.
    pub payload: Payload,
    /// The connection of the request.
    pub connection: Rc<ClientConnection>,
    /// When the last byte of the head was read: the begin of the budget.
    pub head_read_at: Instant,
    /// Set on a synthetic request: the handler must answer this fault and do nothing else.
    pub fault: Option<EarlyFault>,
}

/// Calls the handler and decides whether the connection outlives the answer.
pub(super) async fn answer<H, Fut>(handler: Rc<H>, mut request: Request) -> Response<BoxBody>
where
    H: Fn(IncomingRequest) -> Fut,
    Fut: Future<Output = HttpResponse>,
{
    let Some(connection) = request.conn_data::<Rc<ClientConnection>>().cloned() else {
        // Unreachable: the dispatcher stores it on every connection.
        return Response::internal_server_error().set_body(BoxBody::new(()));
    };
    let _call = EndCallOnDrop(Rc::clone(&connection));
    let keeps_alive = request.head().connection_type() == ConnectionType::KeepAlive;
    let incoming = IncomingRequest {
        payload: request.take_payload(),
        request,
        head_read_at: connection.head_read_at(),
        fault: connection
            .fault()
            .filter(|_| connection.is_call_synthetic()),
        connection: Rc::clone(&connection),
    };
    let response = pin!(handler(incoming));
    let mut response = await_answer(response, &connection).await;
    // The library reuses the heads of answers with their version, and an HTTP/1.0 left over would mean "close".
    // It sets the right version when it writes the answer.
    response.head_mut().version = Version::HTTP_11;
    if !keeps_alive || must_close(&response, &connection) {
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        connection.set_last();
    }
    response.into()
}

/// Waits for the answer and, for at most [`BODY_GRACE`], for the end of a body that it did not need.
async fn await_answer(
    mut answer: Pin<&mut impl Future<Output = HttpResponse>>,
    connection: &ClientConnection,
) -> HttpResponse {
    let mut polls = 0_u32;
    let response = poll_fn(|cx| {
        polls = polls.saturating_add(1);
        answer.as_mut().poll(cx)
    })
    .await;
    if polls == 1 {
        // The HTTP library polls a call before it reads the body from its own buffer, and closes the connection
        // if the answer is ready before the body.
        tokio::task::yield_now().await;
    }
    if connection.body() == BodyState::Arriving {
        // Every read of the body wakes this task.
        let rest = poll_fn(|_| match connection.body() {
            BodyState::Arriving => Poll::Pending,
            BodyState::Complete | BodyState::Truncated => Poll::Ready(()),
        });
        let _in_time = timeout_at(connection.head_read_at() + BODY_GRACE, rest).await;
    }
    response
}

fn must_close(response: &HttpResponse, connection: &ClientConnection) -> bool {
    connection.is_draining()
        || !connection.is_still_trusted()
        || connection.fault().is_some()
        || connection.body() != BodyState::Complete
        || response.head().connection_type() == ConnectionType::Close
}

/// Ends the connection's call when dropped, also if the handler panics.
struct EndCallOnDrop(Rc<ClientConnection>);

impl Drop for EndCallOnDrop {
    fn drop(&mut self) {
        self.0.end_call();
    }
}
