//! A load of continuous calls that counts failures.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use test_support::{
    AUTHORIZATION, Authority, CREATE, Caller, NOTICE, PAY_RESULT, Reply, link, notice, pay_result,
    request,
};

use crate::tls_client::{TlsCaller, TlsClient, dial};

/// Threads that call until they are stopped; half of them open a connection for every call.
pub struct Load {
    calling: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    failures: Arc<Mutex<Vec<String>>>,
    threads: Vec<JoinHandle<()>>,
}

const THREADS: u64 = 6;

impl Load {
    /// Starts calls, over TLS if the callers get an authority.
    pub fn start(address: SocketAddr, trusts: Option<&Arc<Authority>>) -> Self {
        let mut load = Self {
            calling: Arc::new(AtomicBool::new(true)),
            calls: Arc::default(),
            failures: Arc::default(),
            threads: Vec::new(),
        };
        for number in 0..THREADS {
            let (calling, calls) = (Arc::clone(&load.calling), Arc::clone(&load.calls));
            let failures = Arc::clone(&load.failures);
            let mut client = Client {
                address,
                trusts: trusts.cloned(),
                keeps: number % 2 == 0,
                line: None,
            };
            load.threads.push(thread::spawn(move || {
                let mut round = number * 1_000_000;
                while calling.load(Ordering::Acquire) {
                    round += 1;
                    if let Err(what) = client.call(round) {
                        failures.lock().unwrap().push(what);
                    }
                    calls.fetch_add(1, Ordering::AcqRel);
                }
            }));
        }
        load
    }

    /// Waits for this many more calls.
    pub fn run_for(&self, calls: u64) {
        let until = self.calls.load(Ordering::Acquire) + calls;
        while self.calls.load(Ordering::Acquire) < until {
            thread::yield_now();
        }
    }

    /// Stops the load; returns the number of calls and the failures.
    pub fn stop(self) -> (u64, Vec<String>) {
        self.calling.store(false, Ordering::Release);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let failures = std::mem::take(&mut *self.failures.lock().unwrap());
        (self.calls.load(Ordering::Acquire), failures)
    }
}

struct Client {
    address: SocketAddr,
    trusts: Option<Arc<Authority>>,
    keeps: bool,
    line: Option<Line>,
}

enum Line {
    Plain(Caller<TcpStream>),
    Tls(Box<TlsCaller>),
}

impl Client {
    /// Makes one call, of each kind in turn; returns its failure.
    fn call(&mut self, round: u64) -> Result<(), String> {
        let user_key = format!("u{round}");
        let authorization = [("Authorization", AUTHORIZATION)];
        let (path, headers, body) = match round % 3 {
            0 => (NOTICE, &[][..], notice(&user_key)),
            1 => (CREATE, &authorization[..], link(&user_key)),
            _ => (
                PAY_RESULT,
                &[][..],
                pay_result(&user_key, "P", round, 20_000),
            ),
        };
        let bytes = request("POST", path, headers, body.to_string().as_bytes());
        let reply = self.exchange(&bytes);
        let reply = reply.map_err(|error| format!("{path}: {error}"))?;
        if !self.keeps || reply.header("connection") == Some("close") {
            self.line = None;
        }
        match reply.status {
            200 => Ok(()),
            status => Err(format!("{path}: {status} {}", reply.text())),
        }
    }

    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Reply> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => self.connect()?,
        };
        let reply = match &mut line {
            Line::Plain(caller) => caller.try_send(bytes).and_then(|()| caller.try_reply()),
            Line::Tls(caller) => caller.try_send(bytes).and_then(|()| caller.try_reply()),
        }?;
        self.line = Some(line);
        Ok(reply)
    }

    fn connect(&self) -> io::Result<Line> {
        Ok(match &self.trusts {
            None => Line::Plain(Caller::over(dial(self.address, None))),
            Some(authority) => {
                let client = TlsClient::new(authority, None);
                Line::Tls(Box::new(client.connect(self.address)?))
            }
        })
    }
}
