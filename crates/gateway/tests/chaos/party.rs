//! Kakao Pay or a biller, as the gateway sees them: mostly well, now and then in trouble.
//!
//! What it does with a call follows from the seed and the call's name alone.

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let desk = Arc::new(Desk {
            name,
            seed,
            clock,
            calm: AtomicBool::new(false),
            arrivals: Mutex::default(),
        });
        let party = Self {
            name,
            address: listener.local_addr().unwrap(),
            desk: Arc::clone(&desk),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let desk = Arc::clone(&desk);
                thread::spawn(move || desk.serve(stream.unwrap()));
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
        stream.set_nodelay(true).unwrap();
        let mut unread = Vec::new();
        while let Some((head, body)) = read_request(&mut stream, &mut unread) {
            let incoming = self.incoming(&head, &body);
            let (act, echo) = (incoming.act, incoming.echo.clone());
            let index = {
                let mut arrivals = self.arrivals.lock().unwrap();
                arrivals.push(incoming);
                arrivals.len() - 1
            };
            match act {
                Act::Accept(time) => thread::sleep(time),
                Act::Hang => {
                    // Until the gateway gives up and closes.
                    let _ = stream.read(&mut [0]);
                    return;
                }
                Act::Refuse | Act::Garbage | Act::CutShort | Act::Reset => {}
            }
            self.arrivals.lock().unwrap()[index].answered = Some(self.clock.now());
            if !self.answer(&mut stream, act, &echo) {
                return;
            }
        }
    }

    fn incoming(&self, head: &str, body: &[u8]) -> IncomingRequest {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let api = Api::ALL.into_iter().rev().find(|api| match api {
            // The one path begins like the other.
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

    /// Whether the connection goes on. What the gateway does not take any more is its own affair.
    fn answer(&self, stream: &mut TcpStream, act: Act, echo: &str) -> bool {
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
        match act {
            Act::Accept(_) => stream.write_all(whole(200, &json("OK")).as_bytes()).is_ok(),
            Act::Refuse => stream
                .write_all(whole(200, &json("E402")).as_bytes())
                .is_ok(),
            Act::Garbage => stream.write_all(whole(500, "<html>").as_bytes()).is_ok(),
            Act::CutShort => {
                let answer = whole(200, &json("OK"));
                let _ = stream.write_all(&answer.as_bytes()[..answer.len() - 5]);
                false
            }
            Act::Reset => {
                let socket = socket2::SockRef::from(&*stream);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
                false
            }
            Act::Hang => false,
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
