//! A scripted upstream: it reads whole requests and answers with the bytes that a test gives, or not at all.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::message::{Message, answer};
use crate::wait::PATIENCE;

/// An upstream's answer body `{"res_code":"OK",…}`.
pub const OK: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;

/// The upstream's reaction to a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes.
    SendAndClose(Vec<u8>),
    /// Sends these bytes, one at a time with a pause between them, and keeps the connection.
    SlowBody(Vec<u8>, Duration),
    /// Sends these bytes and then nothing more, without closing.
    SendAndHang(Vec<u8>),
    /// Resets the connection.
    Reset,
    /// Waits until the gate is opened, then does the other action.
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
        Self::json(200, OK)
    }

    /// Performs the action; returns whether the connection stays open. A write error is ignored: the gateway may have
    /// closed the connection.
    pub fn carry_out(self, stream: &mut TcpStream) -> bool {
        match self {
            Self::Send(bytes) => stream.write_all(&bytes).is_ok(),
            Self::SendAndClose(bytes) => {
                let _ = stream.write_all(&bytes);
                false
            }
            Self::SlowBody(bytes, pause) => bytes.iter().all(|byte| {
                let next = Instant::now() + pause;
                let sent = stream.write_all(&[*byte]).is_ok();
                thread::park_timeout(next.saturating_duration_since(Instant::now()));
                sent
            }),
            Self::SendAndHang(bytes) => {
                let _ = stream.write_all(&bytes);
                // Until the gateway gives up and closes.
                let _ = stream.read(&mut [0]);
                false
            }
            Self::Reset => {
                let socket = socket2::SockRef::from(&*stream);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
                false
            }
            Self::Wait(gate, then) => {
                gate.pass();
                then.carry_out(stream)
            }
        }
    }
}

/// Holds actions back until a test opens it.
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

/// Listens on loopback and handles each connection in a thread; the threads end with the process.
pub fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, handle) = (stream.unwrap(), Arc::clone(&handle));
            stream.set_nodelay(true).unwrap();
            thread::spawn(move || handle(stream));
        }
    });
    address
}

type Script = Box<dyn FnMut(&Message) -> Action + Send>;

/// A running upstream.
pub struct Upstream {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    script: Mutex<Script>,
    calls: Mutex<Vec<Message>>,
    called: Condvar,
    connections: Mutex<usize>,
}

impl Upstream {
    /// Starts an upstream that performs the action of `script` for every request.
    pub fn start(script: impl FnMut(&Message) -> Action + Send + 'static) -> Self {
        let state = Arc::new(State {
            script: Mutex::new(Box::new(script)),
            calls: Mutex::default(),
            called: Condvar::new(),
            connections: Mutex::default(),
        });
        let address = serve({
            let state = Arc::clone(&state);
            move |stream| state.serve(stream)
        });
        Self { address, state }
    }

    /// Starts an upstream that answers `OK` to every request.
    pub fn ok() -> Self {
        Self::start(|_| Action::ok())
    }

    /// Replaces the script.
    pub fn now(&self, script: impl FnMut(&Message) -> Action + Send + 'static) {
        *self.state.script.lock().unwrap() = Box::new(script);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn calls(&self) -> Vec<Message> {
        self.state.calls.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.state.calls.lock().unwrap().len()
    }

    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    /// Waits until this many requests have arrived.
    #[track_caller]
    pub fn await_calls(&self, wanted: usize) {
        let calls = self.state.calls.lock().unwrap();
        let too_few = |calls: &mut Vec<Message>| calls.len() < wanted;
        let called = &self.state.called;
        let (calls, wait) = called.wait_timeout_while(calls, PATIENCE, too_few).unwrap();
        assert!(!wait.timed_out(), "{} of {wanted} calls", calls.len());
    }
}

impl State {
    fn serve(&self, mut stream: TcpStream) {
        *self.connections.lock().unwrap() += 1;
        let mut unread = Vec::new();
        while let Ok(call) = Message::read(&mut stream, &mut unread) {
            self.calls.lock().unwrap().push(call.clone());
            self.called.notify_all();
            let action = (self.script.lock().unwrap())(&call);
            if !action.carry_out(&mut stream) {
                return;
            }
        }
    }
}
