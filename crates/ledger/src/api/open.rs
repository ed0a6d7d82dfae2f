//! The start of a ledger: its journal, what it shares, and its threads.

use std::sync::Arc;
use std::time::Duration;

use super::{Ledger, Options};
use crate::journal::{self, Journal};
use crate::node::kept::Kept;
use crate::node::{FillingThread, Node, RetentionThread};
use crate::redis::SharedStore;
use crate::sync::{Keep, ReplicaState, Replication, ReplicationSettings, Resync, Seal, Share};
use crate::{JournalError, Timestamp};

/// What came of opening a journal.
enum Opened {
    Whole(Box<Ledger>),
    /// Others have facts of its identity that it does not have.
    RolledBack,
}

impl Ledger {
    /// Opens the journal. Redis need not be reachable.
    ///
    /// # Errors
    /// When the journal cannot be opened or read, or another process runs with this node's number.
    pub fn open(options: &Options, now: Timestamp) -> Result<Self, JournalError> {
        if let Opened::Whole(ledger) = Self::open_once(options, now)? {
            return Ok(*ledger);
        }
        tracing::error!(
            "other nodes have facts of this journal that it does not have: its disk was rolled back. It goes on under a \
             new identity, and gets from the other nodes what it lost"
        );
        journal::renew_identity(&options.directory)?;
        match Self::open_once(options, now)? {
            Opened::Whole(ledger) => Ok(*ledger),
            // Nobody can have facts of an identity that was drawn now.
            Opened::RolledBack => Err(JournalError::Overloaded),
        }
    }

    fn open_once(options: &Options, now: Timestamp) -> Result<Opened, JournalError> {
        let node = Arc::new(open_node(options, now)?);
        let share = share_of(options, &node)?;
        let share = share.as_ref();
        let presence = share
            .map(|share| share.claim_number(now).map(Arc::new))
            .transpose()?;
        if share.is_some_and(Share::was_rolled_back) {
            return Ok(Opened::RolledBack);
        }
        let io_error = |error| JournalError::Io(options.directory.clone(), error);
        let resync = share.map(|share| Resync::start(Arc::clone(&node), share.clone()));
        let resync = resync.transpose().map_err(io_error)?;
        let settings = ReplicationSettings {
            stream_bytes: options.stream_bytes,
            wait_replicas: options.wait_replicas,
        };
        let replication = share.map(|share| Replication::start(&node, share, settings));
        let replication = replication.transpose().map_err(io_error)?;
        let kept = Kept {
            unpaid_bills: options.retention,
            paid_bills: options.retention_paid,
            bodies: options.keep_bodies,
        };
        let retention = RetentionThread::start(Arc::clone(&node), kept, share.is_some());
        let retention = retention.map_err(io_error)?;
        let filling = FillingThread::start(Arc::clone(&node)).map_err(io_error)?;
        Ok(Opened::Whole(Box::new(Self {
            share: share.cloned(),
            node,
            copies: options.copies,
            kept,
            _retention: Arc::new(retention),
            _filling: Arc::new(filling),
            _replication: replication.map(Arc::new),
            _resync: resync.map(Arc::new),
            presence,
        })))
    }
}

fn open_node(options: &Options, now: Timestamp) -> Result<Node, JournalError> {
    let settings = journal::JournalSettings::warning_below(options.low_disk_bytes)
        .observed_by(options.observer.clone());
    let clock = (options.clock, now);
    let node = Node::open(&options.directory, &settings, options.cache_bytes, clock)?;
    if let Some(observer) = &options.observer {
        observer.stamps_ahead(node.ahead_at_start());
        node.journal().tally().tell(Arc::clone(observer));
    }
    Ok(node)
}

fn share_of(options: &Options, node: &Arc<Node>) -> Result<Option<Share>, JournalError> {
    let Some(settings) = options.redis.clone() else {
        return Ok(None);
    };
    let replica = replica_of(node.journal(), options.takes_over_after)?;
    let seal = Seal::new(settings.value_key.clone());
    let store = SharedStore::start_by(settings, options.clock);
    let keep = Keep {
        unpaid_bills: options.retention,
        paid_bills: options.retention_paid,
        values: options.keep_values,
    };
    Ok(Some(Share::new(
        Arc::clone(node),
        (store, seal),
        (keep, replica),
        options.observer.clone(),
    )))
}

/// Returns what the journal has of the facts of all nodes.
fn replica_of(journal: &Journal, gone_after: Duration) -> Result<ReplicaState, JournalError> {
    let reader = journal.reader();
    let named = |error: JournalError| error.of(journal.path());
    let last = reader.own_last().map_err(named)?;
    let known_to = reader.authors().map_err(named)?;
    Ok(ReplicaState::new(
        journal.author(),
        (last, known_to),
        gone_after,
    ))
}
