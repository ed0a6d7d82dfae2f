//! Brings a command to the server that has its slot, wherever that is by now.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ServerError, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::routes::{Routes, Way};
use super::slot::Slot;
use crate::redis::commands::Spelling;
use crate::redis::connection::pipelined_connection::Lane;
use crate::redis::connection::refusal::Refusal;
use crate::redis::connection::shared_connection::Link;
use crate::redis::connection::thread_connections as near;
use crate::redis::connection::wake::Wake;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::settings::address::Node;

/// Redirections and repetitions of one call at most; a slot on its way asks for two or three.
const ATTEMPTS: usize = 8;

/// How long to wait for the rest of a slot's keys to arrive before trying again.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What a command does, and with that whether it may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It reads: asked twice, it is answered once.
    Read,
    /// It reads, and was asked before.
    ReadAgain,
    /// It writes. Whether it was done is unknown, and only its caller knows what a second time means.
    Write,
}

/// Brings commands to servers.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) routes: watch::Receiver<Arc<Routes>>,
    pub(crate) wake: Arc<Wake>,
}

impl Router {
    /// The connection for a slot at this moment.
    pub(crate) fn link_now(&self, slot: Slot) -> Option<Arc<Link>> {
        self.routes.borrow().link(slot)
    }

    /// The connection for a slot. Where it broke, the supervisor makes another one within some
    /// milliseconds, or says that the server is away: that is waited for, by those who come before
    /// it is known.
    pub(crate) async fn link(
        &self,
        slot: Slot,
        deadline: Instant,
    ) -> Result<Arc<Link>, OutOfReach> {
        let way = self.routes.borrow().way(slot);
        match way {
            Way::Open(link) => Ok(link),
            // Boxed, so that a call that need not wait is not as large as one that does.
            Way::Broken => Box::pin(self.link_made_anew(slot, deadline)).await,
            Way::Closed => Err(OutOfReach::NotConnected),
        }
    }

    /// A quarter of the time is left for the question itself: one that is asked too late to be
    /// answered would close the new connection for all.
    async fn link_made_anew(&self, slot: Slot, deadline: Instant) -> Result<Arc<Link>, OutOfReach> {
        let until = deadline - deadline.saturating_duration_since(Instant::now()) / 4;
        let mut routes = self.routes.clone();
        loop {
            let way = routes.borrow_and_update().way(slot);
            match way {
                Way::Open(link) => return Ok(link),
                Way::Broken => {}
                Way::Closed => return Err(OutOfReach::NotConnected),
            }
            match timeout_at(until, routes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(OutOfReach::NotConnected),
            }
        }
    }

    /// Whether the server of a slot is there and takes no writes.
    pub(crate) fn refuses_writes(&self, slot: Slot) -> bool {
        self.routes.borrow().refuses_writes(slot)
    }

    /// The connection to the server that has the slot, and this thread's own to the same, where both are
    /// there.
    pub(crate) fn nearby(&self, slot: Slot) -> Option<(Arc<Link>, Lane)> {
        let link = self.link_now(slot)?;
        let lane = near::lane(&link)?;
        Some((link, lane))
    }

    /// Sends a command until it is answered with something else than a redirection, or the time is
    /// up. Only commands that a server refused as a whole are sent again, and once what reads and
    /// was under way when the connection broke.
    pub(crate) async fn call(
        &self,
        slot: Slot,
        purpose: Purpose,
        command: impl Fn(Spelling) -> Cmd,
        deadline: Instant,
    ) -> Result<Value, OutOfReach> {
        let mut may_repeat = purpose == Purpose::Read;
        loop {
            match self.carry(slot, purpose, &command, deadline).await {
                Err(OutOfReach::Lost) if may_repeat => may_repeat = false,
                outcome => return outcome,
            }
        }
    }

    async fn carry(
        &self,
        slot: Slot,
        purpose: Purpose,
        command: impl Fn(Spelling) -> Cmd,
        deadline: Instant,
    ) -> Result<Value, OutOfReach> {
        let mut spelling = Spelling::Digest;
        let mut target = Target::Owner(self.link(slot, deadline).await?);
        for _ in 0..ATTEMPTS {
            let link = target.link();
            if purpose == Purpose::Write && !link.takes_writes() {
                return Err(OutOfReach::NotConnected);
            }
            let answer = target.ask(&command(spelling), deadline).await?;
            let Value::ServerError(error) = answer else {
                return Ok(answer);
            };
            match self.refusal(&error, &link) {
                Refusal::ScriptUnknown => spelling = Spelling::Text,
                Refusal::Moved(node) => {
                    self.wake.look();
                    target = Target::Owner(Box::pin(self.link_to(&node, deadline)).await?);
                }
                Refusal::Ask(node) => {
                    target = Target::Importer(Box::pin(self.link_to(&node, deadline)).await?);
                }
                Refusal::TryAgain => {
                    Box::pin(sleep_until(deadline.min(Instant::now() + TRY_AGAIN_AFTER))).await;
                    target = Target::Owner(self.link(slot, deadline).await?);
                }
                Refusal::NoWrites => {
                    link.learn_writes_refused(error.code());
                    return Err(OutOfReach::Refused);
                }
                Refusal::Unfit => {
                    tracing::warn!(server = %link.node(), code = error.code(), "a server of the shared state cannot serve");
                    link.close(OutOfReach::Refused);
                    return Err(OutOfReach::Refused);
                }
                Refusal::Other => {
                    link.complain(error.code());
                    return Err(OutOfReach::Refused);
                }
            }
        }
        Err(OutOfReach::Refused)
    }

    /// What an error asks for. Only the servers of a Cluster may redirect: one that stands alone must not send the
    /// ledger, and its password, to wherever it names.
    fn refusal(&self, error: &ServerError, link: &Link) -> Refusal {
        match Refusal::of(error, link.node()) {
            Refusal::Moved(_) | Refusal::Ask(_) if !self.routes.borrow().are_of_a_cluster() => {
                Refusal::Unfit
            }
            refusal => refusal,
        }
    }

    /// The connection to a server that a redirection named; waits for the supervisor to make it.
    async fn link_to(&self, node: &Node, deadline: Instant) -> Result<Arc<Link>, OutOfReach> {
        let mut routes = self.routes.clone();
        loop {
            if let Some(link) = routes.borrow_and_update().link_to(node) {
                return Ok(link);
            }
            self.wake.want(node);
            match timeout_at(deadline, routes.changed()).await {
                Ok(Ok(())) => {}
                _ => return Err(OutOfReach::NotConnected),
            }
        }
    }
}

/// To whom a command goes.
enum Target {
    /// The server that has the slot.
    Owner(Arc<Link>),
    /// The server that the slot is on its way to: it takes one command after `ASKING`.
    Importer(Arc<Link>),
}

impl Target {
    fn link(&self) -> Arc<Link> {
        match self {
            Self::Owner(link) | Self::Importer(link) => Arc::clone(link),
        }
    }

    async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, OutOfReach> {
        match self {
            Self::Owner(link) => near::ask(link, command, deadline).await,
            Self::Importer(link) => {
                let mut both = redis::pipe();
                both.cmd("ASKING").add_command(command.clone());
                // Boxed, and so is the way to a server that was named: a call that is not redirected is
                // not to be as large as one that is.
                let mut answers = Box::pin(link.ask_all(&both, deadline)).await?;
                answers.pop().ok_or(OutOfReach::Refused)
            }
        }
    }
}
