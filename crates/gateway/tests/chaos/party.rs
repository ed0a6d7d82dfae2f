//! Kakao Pay or a biller, as the gateway sees them: mostly well, now and then in trouble.
//!
//! What it does with a call follows from the seed and the call's name alone.

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

/// What a party does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// 200 and `OK`, after this time.
    Accept(Duration),
    /// 200 with another code.
    Refuse,
    /// 500 and no JSON.
    Garbage,
    /// Less than the answer's length says, then the end.
    CutShort,
    Reset,
    /// No answer at all, as long as the gateway waits.
    Hang,
}

/// A call as it arrived.
#[derive(Clone, Debug)]
pub struct IncomingRequest {
    pub at: Moment,
    /// Just before the answer, or what takes its place, was sent; `None`: it never was.
    pub answered: Option<Moment>,
    pub act: Act,
    pub request_id: String,
    /// `None`: a path that this party does not have.
    pub api: Option<Api>,
    /// The biller that a link API's path names.
    pub path_biller: String,
    /// `None`: a body that names no bill of the run.
    pub bill: Option<Bill>,
    pub echo: String,
}

/// A listening party; its threads end with the run's process.
#[derive(Debug)]
pub struct Party {
    name: &'static str,
    address: SocketAddr,
    desk: Arc<Desk>,
}

#[derive(Debug)]
struct Desk {
    name: &'static str,
    seed: u64,
    clock: Clock,
    calm: AtomicBool,
    arrivals: Mutex<Vec<IncomingRequest>>,
}

impl Party {
    pub fn start(name: &'static str, seed: u64, clock: Clock) -> Self {
        let desk = Arc::new(Desk {
            name,
            seed,
            clock,
            calm: AtomicBool::new(false),
            arrivals: Mutex::default(),
        });
        let address = serve({
            let desk = Arc::clone(&desk);
            move |stream| desk.serve(stream)
        });
        Self {
            name,
            address,
            desk,
        }
    }

    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it accepts everything at once.
    pub fn calm_down(&self) {
        self.desk.calm.store(true, Ordering::Relaxed);
    }

    pub fn arrivals(&self) -> Vec<IncomingRequest> {
        self.desk.arrivals.lock().unwrap().clone()
    }
}

impl Desk {
    fn serve(&self, mut stream: TcpStream) {
        let mut unread = Vec::new();
        while let Ok(call) = Message::read(&mut stream, &mut unread) {
            let incoming = self.incoming(&call);
            let (act, echo) = (incoming.act, incoming.echo.clone());
            let index = {
                let mut arrivals = self.arrivals.lock().unwrap();
                arrivals.push(incoming);
                arrivals.len() - 1
            };
            if let Act::Accept(time) = act {
                thread::sleep(time);
            }
            if act != Act::Hang {
                self.arrivals.lock().unwrap()[index].answered = Some(self.clock.now());
            }
            if !self.action(act, &echo).carry_out(&mut stream) {
                return;
            }
        }
    }

    fn incoming(&self, call: &Message) -> IncomingRequest {
        let path = call.line.split(' ').nth(1).unwrap_or_default();
        let api = Api::ALL.into_iter().rev().find(|api| match api {
            // The one path begins like the other.
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
            act: self.act(request_id),
            request_id: request_id.to_owned(),
            api,
            path_biller: path_biller.to_owned(),
            bill: Bill::of_user_key(member("biller_user_key")),
            echo: member("echo").to_owned(),
        }
    }

    fn act(&self, request_id: &str) -> Act {
        if self.calm.load(Ordering::Relaxed) {
            return Act::Accept(Duration::ZERO);
        }
        let mut random = Random::of(self.seed, &format!("{} {request_id}", self.name));
        match random.below(100) {
            0..=77 => Act::Accept(random.milliseconds(0, 4)),
            78..=87 => Act::Accept(random.milliseconds(20, 300)),
            88..=92 => Act::Refuse,
            93 | 94 => Act::Garbage,
            95 => Act::CutShort,
            96 | 97 => Act::Reset,
            _ => Act::Hang,
        }
    }

    fn action(&self, act: Act, echo: &str) -> Action {
        let json = |res_code: &str| {
            let name = self.name;
            format!(r#"{{"res_code":"{res_code}","message":"{name} {echo}","data":null}}"#)
        };
        let whole = |status: u16, body: &str| {
            answer(status, "application/json;charset=utf-8", body.as_bytes())
        };
        match act {
            Act::Accept(_) => Action::Send(whole(200, &json("OK"))),
            Act::Refuse => Action::Send(whole(200, &json("E402"))),
            Act::Garbage => Action::Send(whole(500, "<html>")),
            Act::CutShort => {
                let mut answer = whole(200, &json("OK"));
                answer.truncate(answer.len() - 5);
                Action::SendAndClose(answer)
            }
            Act::Reset => Action::Reset,
            Act::Hang => Action::SendAndHang(Vec::new()),
        }
    }
}
