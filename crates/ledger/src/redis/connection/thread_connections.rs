//! A worker's own connections to the servers.
//!
//! What a worker asks over the connection that all share crosses threads twice: it wakes the thread
//! that writes, and is woken by it. On a busy core that costs more than the question itself. A thread
//! that has settled ([`settle`]) has connections of its own, one to each server that it asks, which its
//! own runtime reads and writes; whatever a worker asks in one round leaves in one write.
//!
//! They are companions of the shared connection and nothing by themselves: the [`Link`] says whether the
//! server is in reach, and the first call that fails closes the link for all. Where there is no
//! companion (it is being made, or the server takes no more), the shared connection serves.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::dial::Stream;
use super::fault::Fault;
use super::info::run_id;
use super::pipelined_connection::Lane;
use super::shared_connection::Link;
use crate::redis::out_of_reach::OutOfReach;

/// How long a server is left alone that would not take a further connection.
const RETRY_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    /// `None`: this thread has not settled. At most one per link, and links that are closed are let
    /// go when another one comes.
    static COMPANIONS: RefCell<Option<Vec<Companion>>> = const { RefCell::new(None) };
}

struct Companion {
    link: Weak<Link>,
    state: State,
}

enum State {
    Dialling,
    Ready(Own),
    Refused(Instant),
}

/// A lane whose driver ends with it.
struct Own {
    lane: Lane,
    driver: AbortHandle,
}

impl Drop for Own {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// From here on this thread makes connections of its own. To be called on the one thread of a runtime
/// that lives as long as the thread.
pub(crate) fn settle() {
    COMPANIONS.with_borrow_mut(|companions| {
        companions.get_or_insert_default();
    });
}

/// This thread's own connection to the link's server, if it has one by now; else it begins to make one.
pub(crate) fn lane(link: &Arc<Link>) -> Option<Lane> {
    COMPANIONS.with_borrow_mut(|companions| {
        let companions = companions.as_mut()?;
        if let Some(companion) = companions.iter_mut().find(|one| one.is_of(link)) {
            match &companion.state {
                State::Ready(own) => return Some(own.lane.clone()),
                State::Refused(at) if at.elapsed() >= RETRY_AFTER => {
                    companion.state = State::Dialling;
                }
                State::Dialling | State::Refused(_) => return None,
            }
        } else {
            companions.retain(Companion::is_of_use);
            companions.push(Companion {
                link: Arc::downgrade(link),
                state: State::Dialling,
            });
        }
        tokio::spawn(dial(Arc::clone(link)));
        None
    })
}

/// Sends one command, over this thread's own connection to the link's server where it has one, else over
/// the link, and waits for its answer, which may be a server's error.
pub(crate) async fn ask(
    link: &Arc<Link>,
    command: &Cmd,
    deadline: Instant,
) -> Result<Value, OutOfReach> {
    if let Some(own) = lane(link) {
        let answer = own.ask(command, deadline).await;
        return answer.map_err(|why| link.failed(why));
    }
    // Boxed, so that a call that has a connection of its own is not as large as one that has none.
    Box::pin(link.ask(command, deadline)).await
}

impl Companion {
    fn is_of(&self, link: &Arc<Link>) -> bool {
        self.link.as_ptr() == Arc::as_ptr(link)
    }

    fn is_of_use(&self) -> bool {
        self.link.upgrade().is_some_and(|link| link.is_open())
    }
}

async fn dial(link: Arc<Link>) {
    let state = match open(&link).await {
        Ok(own) => State::Ready(own),
        Err(fault) => {
            tracing::debug!(%fault, "no connection of a worker's own");
            State::Refused(Instant::now())
        }
    };
    put(&link, state);
}

/// Connects, logs in, and makes sure that it is the same server: behind an address may be another one by
/// now.
async fn open(link: &Arc<Link>) -> Result<Own, Fault> {
    let lane = Lane::default();
    let driver = match link.dial().stream(link.node()).await? {
        Stream::Clear(stream) => spawn(link, lane.drive(stream)),
        Stream::Tls(stream) => spawn(link, lane.drive(stream)),
    };
    // From here on it ends with what holds it.
    let own = Own { lane, driver };
    for command in link.dial().greeting() {
        say(link, &own.lane, &command).await?;
    }
    let mut question = redis::cmd("INFO");
    question.arg("server");
    let said = match say(link, &own.lane, &question).await? {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        _ => String::new(),
    };
    if run_id(&said).is_some() && run_id(&said) == link.run_id() {
        Ok(own)
    } else {
        Err(Fault::of(link.node(), "is another server by now"))
    }
}

/// Runs a lane's driver until the lane or the link ends.
fn spawn(link: &Arc<Link>, driver: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    let ended = Arc::downgrade(link);
    let closing = link.closing();
    let driver = tokio::spawn(async move {
        // With the link ends what is under way, here as there.
        tokio::select! {
            () = driver => {}
            () = closing => return,
        }
        // A server may end connections that are idle. One that died has ended the shared one, too; and
        // whoever waits for a reply closes it.
        if let Some(link) = ended.upgrade() {
            put(&link, State::Refused(Instant::now()));
        }
    });
    driver.abort_handle()
}

async fn say(link: &Arc<Link>, lane: &Lane, command: &Cmd) -> Result<Value, Fault> {
    let deadline = Instant::now() + link.dial().step();
    match lane.ask(command, deadline).await {
        Ok(Value::ServerError(error)) => Err(Fault::of(link.node(), error.code())),
        Ok(value) => Ok(value),
        Err(why) => Err(Fault::of(link.node(), why)),
    }
}

fn put(link: &Arc<Link>, state: State) {
    let before = COMPANIONS.with_borrow_mut(|companions| {
        let mut companions = companions.iter_mut().flatten();
        let companion = companions.find(|one| one.is_of(link))?;
        Some(std::mem::replace(&mut companion.state, state))
    });
    // Outside of the borrow: a connection that ends may wake whoever waits for it.
    drop(before);
}
