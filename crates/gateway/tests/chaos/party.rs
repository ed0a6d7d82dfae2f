//! Kakao Pay or a biller: most of its answers are good, some are faults.
//!
//! The response to a call depends only on the seed and the call's id.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use test_support::{Action, Message, answer, serve};

use crate::bill::Bill;
use crate::calls::Api;
use crate::clock::{Clock, Moment};
use crate::random::Random;

/// How a party responds to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// 200 and `OK`, after this time.
    Accept(Duration),
    /// 200 with another code.
    Refuse,
    /// 500 and no JSON.
    Garbage,
    /// An answer shorter than its length, then the end of the connection.
    CutShort,
    Reset,
    /// No answer until the gateway closes the connection.
    Hang,
}

/// A call as the party received it.
#[derive(Clone, Debug)]
pub struct IncomingRequest {
    pub at: Moment,
    /// Just before the answer was sent or the connection was ended; `None`: neither happened.
    pub answered: Option<Moment>,
    pub response: Response,
    pub request_id: String,
    /// `None`: an unknown path.
    pub api: Option<Api>,
    /// The biller that a link API's path names.
    pub path_biller: String,
    /// `None`: the body has no bill of the run.
    pub bill: Option<Bill>,
    pub echo: String,
}

/// A listening party; its threads end with the run's process.
#[derive(Debug)]
pub struct Party {
    name: &'static str,
    address: SocketAddr,
    state: Arc<PartyState>,
}

#[derive(Debug)]
struct PartyState {
    name: &'static str,
    seed: u64,
    clock: Clock,
    is_fault_free: AtomicBool,
    received: Mutex<Vec<IncomingRequest>>,
}

impl Party {
    pub fn start(name: &'static str, seed: u64, clock: Clock) -> Self {
        let state = Arc::new(PartyState {
            name,
            seed,
            clock,
            is_fault_free: AtomicBool::new(false),
            received: Mutex::default(),
        });
        let address = serve({
            let state = Arc::clone(&state);
            move |stream| state.serve(stream)
        });
        Self {
            name,
            address,
            state,
        }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes it accept every call at once from now on.
    pub fn stop_faults(&self) {
        self.state.is_fault_free.store(true, Ordering::Relaxed);
    }

    pub fn received(&self) -> Vec<IncomingRequest> {
        self.state.received.lock().unwrap().clone()
    }
}

impl PartyState {
    fn serve(&self, mut stream: TcpStream) {
        let mut unread = Vec::new();
        while let Ok(call) = Message::read(&mut stream, &mut unread) {
            let incoming = self.incoming(&call);
            let (response, echo) = (incoming.response, incoming.echo.clone());
            let index = {
                let mut received = self.received.lock().unwrap();
                received.push(incoming);
                received.len() - 1
            };
            if let Response::Accept(time) = response {
                thread::sleep(time);
            }
            if response != Response::Hang {
                self.received.lock().unwrap()[index].answered = Some(self.clock.now());
            }
            if !self.action(response, &echo).carry_out(&mut stream) {
                return;
            }
        }
    }

    fn incoming(&self, call: &Message) -> IncomingRequest {
        let path = call.line.split(' ').nth(1).unwrap_or_default();
        let api = Api::ALL.into_iter().rev().find(|api| match api {
            // The path of `link_create` is a prefix of the other's.
            Api::Create | Api::Recreate => path.starts_with(api.upstream_path()),
            Api::Notice | Api::Prepay | Api::PayResult => path == api.upstream_path(),
        });
        let path_biller = path.rsplit('/').next().unwrap_or_default();
        let request_id = call.header("x-request-id").unwrap_or_default();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let member = |name: &str| body["data"][name].as_str().unwrap_or_default();
        IncomingRequest {
            at: self.clock.now(),
            answered: None,
            response: self.response(request_id),
            request_id: request_id.to_owned(),
            api,
            path_biller: path_biller.to_owned(),
            bill: Bill::of_user_key(member("biller_user_key")),
            echo: member("echo").to_owned(),
        }
    }

    fn response(&self, request_id: &str) -> Response {
        if self.is_fault_free.load(Ordering::Relaxed) {
            return Response::Accept(Duration::ZERO);
        }
        let mut random = Random::of(self.seed, &format!("{} {request_id}", self.name));
        match random.below(100) {
            0..=77 => Response::Accept(random.milliseconds(0, 4)),
            78..=87 => Response::Accept(random.milliseconds(20, 300)),
            88..=92 => Response::Refuse,
            93 | 94 => Response::Garbage,
            95 => Response::CutShort,
            96 | 97 => Response::Reset,
            _ => Response::Hang,
        }
    }

    fn action(&self, response: Response, echo: &str) -> Action {
        let json = |res_code: &str| {
            let name = self.name;
            format!(r#"{{"res_code":"{res_code}","message":"{name} {echo}","data":null}}"#)
        };
        let whole = |status: u16, body: &str| {
            answer(status, "application/json;charset=utf-8", body.as_bytes())
        };
        match response {
            Response::Accept(_) => Action::Send(whole(200, &json("OK"))),
            Response::Refuse => Action::Send(whole(200, &json("E402"))),
            Response::Garbage => Action::Send(whole(500, "<html>")),
            Response::CutShort => {
                let mut answer = whole(200, &json("OK"));
                answer.truncate(answer.len() - 5);
                Action::SendAndClose(answer)
            }
            Response::Reset => Action::Reset,
            Response::Hang => Action::SendAndHang(Vec::new()),
        }
    }
}
