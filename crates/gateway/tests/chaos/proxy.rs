//! A TCP proxy between one node and Redis, whose traffic can be cut and delayed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// What happens to the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    Flows,
    /// Nothing arrives and no connection ends; what was sent arrives once it flows again.
    Held,
    /// Connections are closed, and new ones are not accepted.
    Cut,
}

/// The name under which the stores import this.
pub type Passage = Proxy;

/// A proxy; its threads end with the process.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            gate: Arc::new(Gate {
                state: Mutex::new(State {
                    traffic: Traffic::Flows,
                    streams: Vec::new(),
                }),
                changed: Condvar::new(),
            }),
        };
        let gate = Arc::clone(&proxy.gate);
        thread::spawn(move || {
            for client in listener.incoming() {
                let gate = Arc::clone(&gate);
                thread::spawn(move || connect(&client.unwrap(), server_port, &gate));
            }
        });
        proxy
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn set(&self, traffic: Traffic) {
        let mut state = self.gate.state.lock().unwrap();
        state.traffic = traffic;
        if traffic == Traffic::Cut {
            for stream in state.streams.drain(..) {
                // It fails if one side has closed the connection already.
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
}

fn connect(client: &TcpStream, server_port: u16, gate: &Arc<Gate>) {
    if !gate.pass() {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", server_port)) else {
        return;
    };
    for stream in [client, &server] {
        stream.set_nodelay(true).unwrap();
        let kept = stream.try_clone().unwrap();
        gate.state.lock().unwrap().streams.push(kept);
    }
    thread::scope(|scope| {
        scope.spawn(|| copy(client, &server, gate));
        copy(&server, client, gate);
    });
}

/// Copies one direction until it ends or is cut, then ends the other.
fn copy(mut from: &TcpStream, mut to: &TcpStream, gate: &Gate) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !gate.pass() || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
