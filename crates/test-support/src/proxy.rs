//! A TCP proxy in front of a server, whose traffic can be cut, held up and slowed down.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::upstream::serve;

/// How the proxy treats the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    Flows,
    /// Nothing arrives and no connection ends; what was sent arrives once it flows again.
    Held,
    /// Connections are reset, and new ones are not taken.
    Cut,
}

/// A proxy; its threads end with the process.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    server_port: u16,
    /// In each direction of each connection.
    bytes_per_second: Option<u32>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    traffic: Traffic,
    streams: Vec<TcpStream>,
}

impl Proxy {
    pub fn to(server_port: u16) -> Self {
        Self::start(server_port, None)
    }

    /// Returns one that passes on so many bytes a second in each direction of each connection.
    pub fn slow(server_port: u16, bytes_per_second: u32) -> Self {
        Self::start(server_port, Some(bytes_per_second))
    }

    fn start(server_port: u16, bytes_per_second: Option<u32>) -> Self {
        let gate = Arc::new(Gate {
            server_port,
            bytes_per_second,
            state: Mutex::new(State {
                traffic: Traffic::Flows,
                streams: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let address = serve({
            let gate = Arc::clone(&gate);
            move |client| gate.connect(&client)
        });
        Self {
            port: address.port(),
            gate,
        }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, traffic: Traffic) {
        let mut state = self.gate.state.lock().unwrap();
        state.traffic = traffic;
        if traffic == Traffic::Cut {
            for stream in state.streams.drain(..) {
                // Gone already where one side has closed it.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        drop(state);
        self.gate.changed.notify_all();
    }
}

impl Gate {
    /// Waits while traffic is held; returns whether it flows then.
    fn pass(&self) -> bool {
        let state = self.state.lock().unwrap();
        let held = |state: &mut State| state.traffic == Traffic::Held;
        self.changed.wait_while(state, held).unwrap().traffic == Traffic::Flows
    }

    fn connect(&self, client: &TcpStream) {
        if !self.pass() {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server_port)) else {
            return;
        };
        server.set_nodelay(true).unwrap();
        for stream in [client, &server] {
            let kept = stream.try_clone().unwrap();
            self.state.lock().unwrap().streams.push(kept);
        }
        thread::scope(|scope| {
            scope.spawn(|| self.copy(client, &server));
            self.copy(&server, client);
        });
    }

    /// Copies one direction until it ends or is cut; then the other ends, too.
    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if !self.pass() || to.write_all(&bytes[..count]).is_err() {
                break;
            }
            if let Some(rate) = self.bytes_per_second {
                thread::sleep(Duration::from_secs(1) * u32::try_from(count).unwrap() / rate);
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
