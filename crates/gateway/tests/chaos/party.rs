//! Kakao Pay or a biller: most of its answers are good, some are faults.
//!
//! The response to a call depends only on the seed and the call's id.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(PartyState {
            name,
            seed,
            clock,
            is_fault_free: AtomicBool::new(false),
            received: Mutex::default(),
        });
        let party = Self {
            name,
            address: listener.local_addr().unwrap(),
            state: Arc::clone(&state),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&state);
                thread::spawn(move || state.serve(stream.unwrap()));
            }
        });
        party
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
        stream.set_nodelay(true).unwrap();
        let mut unread = Vec::new();
        while let Some((head, body)) = read_request(&mut stream, &mut unread) {
            let incoming = self.incoming(&head, &body);
            let (response, echo) = (incoming.response, incoming.echo.clone());
            let index = {
                let mut received = self.received.lock().unwrap();
                received.push(incoming);
                received.len() - 1
            };
            match response {
                Response::Accept(time) => thread::sleep(time),
                Response::Hang => {
                    // Until the gateway gives up and closes.
                    let _ = stream.read(&mut [0]);
                    return;
                }
                Response::Refuse | Response::Garbage | Response::CutShort | Response::Reset => {}
            }
            self.received.lock().unwrap()[index].answered = Some(self.clock.now());
            if !self.answer(&mut stream, response, &echo) {
                return;
            }
        }
    }

    fn incoming(&self, head: &str, body: &[u8]) -> IncomingRequest {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let api = Api::ALL.into_iter().rev().find(|api| match api {
            // The path of `link_create` is a prefix of the other's.
            Api::Create | Api::Recreate => path.starts_with(api.upstream_path()),
            Api::Notice | Api::Prepay | Api::PayResult => path == api.upstream_path(),
        });
        let path_biller = path.rsplit('/').next().unwrap_or_default();
        let request_id = header(head, "x-request-id").unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
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

    /// Sends the answer; returns whether the connection stays open.
    fn answer(&self, stream: &mut TcpStream, response: Response, echo: &str) -> bool {
        let json = |res_code: &str| {
            let name = self.name;
            format!(r#"{{"res_code":"{res_code}","message":"{name} {echo}","data":null}}"#)
        };
        let whole = |status: u16, body: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status} Any\r\nContent-Type: application/json;charset=utf-8\r\n\
                 Content-Length: {length}\r\n\r\n{body}"
            )
        };
        match response {
            Response::Accept(_) => stream.write_all(whole(200, &json("OK")).as_bytes()).is_ok(),
            Response::Refuse => stream
                .write_all(whole(200, &json("E402")).as_bytes())
                .is_ok(),
            Response::Garbage => stream.write_all(whole(500, "<html>").as_bytes()).is_ok(),
            Response::CutShort => {
                let answer = whole(200, &json("OK"));
                let _ = stream.write_all(&answer.as_bytes()[..answer.len() - 5]);
                false
            }
            Response::Reset => {
                let socket = socket2::SockRef::from(&*stream);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
                false
            }
            Response::Hang => false,
        }
    }
}

fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
        read_more(stream, unread)?;
    };
    let head = String::from_utf8(unread.drain(..end).collect()).unwrap();
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    while unread.len() < length {
        read_more(stream, unread)?;
    }
    Some((head, unread.drain(..length).collect()))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    fields
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .next()
}

fn read_more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 8 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) | Err(_) => None,
        Ok(count) => {
            unread.extend_from_slice(&buffer[..count]);
            Some(())
        }
    }
}
