//! An upstream that speaks raw TCP: it reads whole requests and answers with whatever bytes, or
//! silence, a test wants.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::caller::find;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} twice");
        Some(&first.1)
    }
}

/// What the upstream does with one request.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes.
    SendAndClose(Vec<u8>),
    /// Sends these bytes, one at a time with a pause between them, and keeps the connection.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes and then nothing more, without closing.
    SendAndHang(Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Waits until the test says so, then goes on as told.
    Wait(Arc<Gate>, Box<Action>),
}

impl Action {
    /// A whole JSON answer.
    pub fn json(status: u16, body: &str) -> Self {
        Self::Send(answer(
            status,
            "application/json;charset=utf-8",
            body.as_bytes(),
        ))
    }

    pub fn ok() -> Self {
        Self::json(200, super::OK)
    }
}

/// A whole answer with its length.
pub fn answer(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Any\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A door that a test opens.
#[derive(Debug, Default)]
pub struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }
}

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    grown: Condvar,
    connections: Mutex<usize>,
}

/// A running upstream; its threads end with the test's process.
pub struct Upstream {
    address: SocketAddr,
    log: Arc<Log>,
    script: Arc<Mutex<Script>>,
}

type Script = Box<dyn FnMut(&Seen) -> Action + Send>;

impl Upstream {
    /// One that answers every request by `script`.
    pub fn start(script: impl FnMut(&Seen) -> Action + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            log: Arc::default(),
            script: Arc::new(Mutex::new(Box::new(script))),
        };
        let (log, script) = (Arc::clone(&upstream.log), Arc::clone(&upstream.script));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                *log.connections.lock().unwrap() += 1;
                thread::spawn(move || serve(stream.unwrap(), &log, &script));
            }
        });
        upstream
    }

    /// One that says `OK` to everything.
    pub fn ok() -> Self {
        Self::start(|_| Action::ok())
    }

    /// Answers differently from now on.
    pub fn now(&self, script: impl FnMut(&Seen) -> Action + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.log.seen.lock().unwrap().len()
    }

    pub fn connections(&self) -> usize {
        *self.log.connections.lock().unwrap()
    }

    /// Waits until this many requests have arrived.
    #[track_caller]
    pub fn await_calls(&self, calls: usize) {
        let seen = self.log.seen.lock().unwrap();
        let patience = Duration::from_secs(30);
        let (seen, waited) = self
            .log
            .grown
            .wait_timeout_while(seen, patience, |seen| seen.len() < calls)
            .unwrap();
        assert!(!waited.timed_out(), "{} of {calls} calls came", seen.len());
    }
}

fn serve(mut stream: TcpStream, log: &Log, script: &Mutex<Script>) {
    stream.set_nodelay(true).unwrap();
    let mut unread = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut unread) {
        log.seen.lock().unwrap().push(seen.clone());
        log.grown.notify_all();
        let action = (script.lock().unwrap())(&seen);
        if !act(&mut stream, action) {
            return;
        }
    }
}

/// Whether the connection goes on. What the gateway does not take any more is its own affair.
fn act(stream: &mut TcpStream, action: Action) -> bool {
    match action {
        Action::Send(bytes) => stream.write_all(&bytes).is_ok(),
        Action::SendAndClose(bytes) => {
            let _ = stream.write_all(&bytes);
            false
        }
        Action::Drip(bytes, pause) => bytes.iter().all(|byte| {
            let next = Instant::now() + pause;
            let sent = stream.write_all(&[*byte]).is_ok();
            thread::park_timeout(next.saturating_duration_since(Instant::now()));
            sent
        }),
        Action::SendAndHang(bytes) => {
            let _ = stream.write_all(&bytes);
            // Until the gateway gives up and closes.
            let _ = stream.read(&mut [0]);
            false
        }
        Action::Reset => {
            let socket = socket2::SockRef::from(&*stream);
            socket.set_linger(Some(Duration::ZERO)).unwrap();
            false
        }
        Action::Wait(gate, then) => {
            gate.pass();
            act(stream, *then)
        }
    }
}

fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Seen> {
    let end_of_head = loop {
        if let Some(at) = find(unread, b"\r\n\r\n") {
            break at;
        }
        read_more(stream, unread)?;
    };
    let head: Vec<u8> = unread.drain(..end_of_head + 4).collect();
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    while unread.len() < length {
        read_more(stream, unread)?;
    }
    let body = unread.drain(..length).collect();
    Some(Seen {
        line,
        headers,
        body,
    })
}

fn read_more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) | Err(_) => None,
        Ok(read) => {
            unread.extend_from_slice(&buffer[..read]);
            Some(())
        }
    }
}
