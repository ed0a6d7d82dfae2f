//! A request on its way to the handler, and the answer on its way back.

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

use super::connection::{Body, ClientConnection};
use super::early_fault::EarlyFault;

/// How long after the head the answer to a request whose body was not read may wait for the rest of the
/// body. Most callers send it right behind the head; with it, the connection can be kept.
const REST_OF_BODY: Duration = Duration::from_millis(100);

/// One request, or the stand-in for one that could not be read.
pub struct IncomingRequest {
    /// The request's head. Of a stand-in: nothing that the caller sent.
    pub request: Request,
    /// The request's body as it arrives. A failure to read it is explained by [`ClientConnection::fault`]; that it
    /// arrives in time is the handler's concern.
    pub payload: Payload,
    /// The connection that it came on.
    pub connection: Rc<ClientConnection>,
    /// When the last byte of the head was read: the budget begins here.
    pub head_read_at: Instant,
    /// Set on a stand-in: the handler is to answer this and do nothing else.
    pub fault: Option<EarlyFault>,
}

/// Has the handler answer, and decides whether the connection outlives the answer.
pub(super) async fn answer<H, Fut>(handler: Rc<H>, mut request: Request) -> Response<BoxBody>
where
    H: Fn(IncomingRequest) -> Fut,
    Fut: Future<Output = HttpResponse>,
{
    let Some(connection) = request.conn_data::<Rc<ClientConnection>>().cloned() else {
        // Every connection of this listener has it; without it nothing is known of the caller.
        return Response::internal_server_error().set_body(BoxBody::new(()));
    };
    let _call = CallUnderWay(Rc::clone(&connection));
    let keeps_alive = request.head().connection_type() == ConnectionType::KeepAlive;
    let incoming = IncomingRequest {
        payload: request.take_payload(),
        request,
        head_read_at: connection.head_read_at(),
        fault: connection
            .fault()
            .filter(|_| connection.call_is_synthetic()),
        connection: Rc::clone(&connection),
    };
    let answer = pin!(handler(incoming));
    let mut response = polled(answer, &connection).await;
    // Heads of answers are reused with the version they had, and an old version would read as a wish to
    // close. The library sets the right one when it writes the answer.
    response.head_mut().version = Version::HTTP_11;
    if !keeps_alive || must_close(&response, &connection) {
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        connection.set_last();
    }
    response.into()
}

/// Waits for the answer and, within bounds, for the end of a body that it did not need.
async fn polled(
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
        // The HTTP library polls a call before it looks at the body in its own buffer, and closes the
        // connection after an answer that came before the body.
        tokio::task::yield_now().await;
    }
    if connection.body() == Body::Arriving {
        // Every read of the body wakes this task.
        let rest = poll_fn(|_| match connection.body() {
            Body::Arriving => Poll::Pending,
            Body::Complete | Body::Cut => Poll::Ready(()),
        });
        let _in_time = timeout_at(connection.head_read_at() + REST_OF_BODY, rest).await;
    }
    response
}

fn must_close(response: &HttpResponse, connection: &ClientConnection) -> bool {
    connection.is_draining()
        || connection.fault().is_some()
        || connection.body() != Body::Complete
        || response.head().connection_type() == ConnectionType::Close
}

/// Tells the connection's guard when the call ends, also when it is dropped or panics.
struct CallUnderWay(Rc<ClientConnection>);

impl Drop for CallUnderWay {
    fn drop(&mut self) {
        self.0.call_ended();
    }
}
