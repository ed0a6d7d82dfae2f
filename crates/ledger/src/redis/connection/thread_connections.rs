//! A worker thread's own connections to the servers.
//!
//! A command over the shared connection crosses threads twice: it wakes the thread that writes, whose reply
//! wakes the worker. On a busy core that costs more than the command itself. A thread that called [`enable`]
//! has connections of its own, one to each server that it asks, which its own runtime reads and writes; the
//! commands of one round leave in one write.
//!
//! A thread's connection belongs to a [`SharedConnection`]: that one says whether the server is in reach, and
//! the first call that fails closes it for all. Where a thread has none (it is being made, or the server takes
//! no more), the shared connection serves.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::dialer::Stream;
use super::fault::Fault;
use super::info::run_id;
use super::pipelined_connection::PipelinedConnection;
use super::shared_connection::SharedConnection;
use crate::redis::out_of_reach::OutOfReach;

/// The pause after which a server that refused a further connection is asked for one again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    /// The connections of this thread; `None` where it shall have none. There is at most one per shared
    /// connection, and those whose shared connection is closed are removed when another one is added.
    static CONNECTIONS: RefCell<Option<Vec<ThreadConnection>>> = const { RefCell::new(None) };
}

/// This thread's connection beside a shared one.
struct ThreadConnection {
    shared: Weak<SharedConnection>,
    state: State,
}

enum State {
    Connecting,
    Ready(RunningConnection),
    /// There is none, since this moment.
    Failed(Instant),
}

/// A connection whose driver ends when it is dropped.
struct RunningConnection {
    connection: PipelinedConnection,
    driver: AbortHandle,
}

impl Drop for RunningConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Lets this thread make connections of its own. To be called on the one thread of a runtime that lives as
/// long as the thread.
pub(crate) fn enable() {
    CONNECTIONS.with_borrow_mut(|connections| {
        connections.get_or_insert_default();
    });
}

/// Returns this thread's own connection to the server, if it is ready; else begins to make one.
pub(crate) fn ready(shared: &Arc<SharedConnection>) -> Option<PipelinedConnection> {
    CONNECTIONS.with_borrow_mut(|connections| {
        let connections = connections.as_mut()?;
        if let Some(own) = connections.iter_mut().find(|own| own.belongs_to(shared)) {
            match &own.state {
                State::Ready(running) => return Some(running.connection.clone()),
                State::Failed(at) if at.elapsed() >= RETRY_AFTER => {
                    own.state = State::Connecting;
                }
                State::Connecting | State::Failed(_) => return None,
            }
        } else {
            connections.retain(ThreadConnection::is_of_use);
            connections.push(ThreadConnection {
                shared: Arc::downgrade(shared),
                state: State::Connecting,
            });
        }
        tokio::spawn(connect(Arc::clone(shared)));
        None
    })
}

/// Sends one command, over this thread's own connection to the server where it has one, else over the shared
/// one, and waits for its answer, which may be a server's error.
pub(crate) async fn ask(
    shared: &Arc<SharedConnection>,
    command: &Cmd,
    deadline: Instant,
) -> Result<Value, OutOfReach> {
    if let Some(own) = ready(shared) {
        let answer = own.ask(command, deadline).await;
        return answer.map_err(|why| shared.failed(why));
    }
    // Boxed, so that a call that has a connection of its own is not as large as one that has none.
    Box::pin(shared.ask(command, deadline)).await
}

impl ThreadConnection {
    fn belongs_to(&self, shared: &Arc<SharedConnection>) -> bool {
        self.shared.as_ptr() == Arc::as_ptr(shared)
    }

    fn is_of_use(&self) -> bool {
        self.shared.upgrade().is_some_and(|shared| shared.is_open())
    }
}

async fn connect(shared: Arc<SharedConnection>) {
    let state = match open(&shared).await {
        Ok(running) => State::Ready(running),
        Err(fault) => {
            tracing::debug!(%fault, "no connection of a worker's own");
            State::Failed(Instant::now())
        }
    };
    put(&shared, state);
}

/// Connects, logs in, and checks that it is the same server: another one may have taken over the address.
async fn open(shared: &Arc<SharedConnection>) -> Result<RunningConnection, Fault> {
    let connection = PipelinedConnection::default();
    let driver = match shared.dialer().stream(shared.address()).await? {
        Stream::Clear(stream) => spawn(shared, connection.drive(stream)),
        Stream::Tls(stream) => spawn(shared, connection.drive(stream)),
    };
    // From here on the driver ends with the value that holds it.
    let running = RunningConnection { connection, driver };
    for command in shared.dialer().setup_commands() {
        ask_during_setup(shared, &running.connection, &command).await?;
    }
    let mut question = redis::cmd("INFO");
    question.arg("server");
    let info = match ask_during_setup(shared, &running.connection, &question).await? {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        _ => String::new(),
    };
    if run_id(&info).is_some() && run_id(&info) == shared.run_id() {
        Ok(running)
    } else {
        Err(Fault::of(shared.address(), "is another server by now"))
    }
}

/// Runs a connection's driver until the connection or the shared one ends.
fn spawn(
    shared: &Arc<SharedConnection>,
    driver: impl Future<Output = ()> + Send + 'static,
) -> AbortHandle {
    let ended = Arc::downgrade(shared);
    let closing = shared.closing();
    let driver = tokio::spawn(async move {
        // With the shared connection ends what is under way on this one.
        tokio::select! {
            () = driver => {}
            () = closing => return,
        }
        // A server may end connections that are idle. If it died, the shared connection has ended, too; and
        // a call that waits for a reply closes it.
        if let Some(shared) = ended.upgrade() {
            put(&shared, State::Failed(Instant::now()));
        }
    });
    driver.abort_handle()
}

async fn ask_during_setup(
    shared: &Arc<SharedConnection>,
    connection: &PipelinedConnection,
    command: &Cmd,
) -> Result<Value, Fault> {
    let deadline = Instant::now() + shared.dialer().step();
    match connection.ask(command, deadline).await {
        Ok(Value::ServerError(error)) => Err(Fault::of(shared.address(), error.code())),
        Ok(value) => Ok(value),
        Err(why) => Err(Fault::of(shared.address(), why)),
    }
}

fn put(shared: &Arc<SharedConnection>, state: State) {
    let before = CONNECTIONS.with_borrow_mut(|connections| {
        let mut connections = connections.iter_mut().flatten();
        let own = connections.find(|own| own.belongs_to(shared))?;
        Some(std::mem::replace(&mut own.state, state))
    });
    // Outside of the borrow: a connection that ends may wake the task that waits for it.
    drop(before);
}
