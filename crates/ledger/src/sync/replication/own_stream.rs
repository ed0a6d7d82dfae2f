//! This node's stream in Redis: how large it is, and what is taken out of it.

use std::collections::VecDeque;

use super::WITHIN;
use crate::Author;
use crate::redis::{Appended, OutOfReach, StreamEntry, StreamKey};
use crate::sync::Share;

/// The stream of a node, bounded in bytes.
pub(super) struct OwnStream {
    share: Share,
    author: Author,
    bytes_max: u64,
    wait_replicas: u32,
    /// The numbers of its entries, and the bytes of each.
    entries: VecDeque<(i64, u64)>,
    bytes: u64,
    trimmed_up_to: i64,
}

impl OwnStream {
    pub(super) fn new(share: Share, (bytes_max, wait_replicas): (u64, u32)) -> Self {
        Self {
            author: share.replica().author(),
            share,
            bytes_max,
            wait_replicas,
            entries: VecDeque::new(),
            bytes: 0,
            trimmed_up_to: 0,
        }
    }

    pub(super) const fn key(&self) -> StreamKey {
        StreamKey::Facts(self.author)
    }

    /// Puts an entry behind all others.
    pub(super) async fn append(
        &mut self,
        number: i64,
        value: &[u8],
    ) -> Result<Appended, OutOfReach> {
        let (store, entry) = (self.share.store(), (number, value));
        let appended = store
            .append(self.key(), entry, self.wait_replicas, WITHIN)
            .await?;
        if appended != Appended::NotAbove {
            self.count(number, value.len() as u64);
        }
        Ok(appended)
    }

    /// Counts what it has from before this process, about, where `top` is its last entry.
    pub(super) async fn count_former(&mut self, top: &StreamEntry) -> Result<(), OutOfReach> {
        if self.entries.is_empty() {
            let store = self.share.store();
            let entries = store.count_entries(self.key(), WITHIN).await?;
            self.count(top.number, entries.saturating_mul(top.value.len() as u64));
        }
        Ok(())
    }

    /// Takes it away: the next entry begins it anew.
    pub(super) async fn remove(&mut self) -> Result<(), OutOfReach> {
        self.share.store().remove(self.key(), WITHIN).await?;
        self.entries.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Takes out what all nodes have, and the oldest entries where it has too many bytes. The last one stays: it says how
    /// far the stream is.
    pub(super) async fn trim(&mut self, known_to_all: i64) {
        let mut bytes = self.bytes;
        let mut up_to = known_to_all;
        for (number, of_entry) in &self.entries {
            if bytes <= self.bytes_max {
                break;
            }
            bytes -= of_entry;
            up_to = up_to.max(*number);
        }
        let last = self.entries.back().map_or(0, |(last, _)| *last);
        let up_to = up_to.min(last - 1);
        if up_to <= self.trimmed_up_to {
            return;
        }
        let trimmed = self.share.store().trim(self.key(), up_to, WITHIN).await;
        if trimmed.is_err() {
            // It is tried again.
            return;
        }
        self.trimmed_up_to = up_to;
        while let Some((number, of_entry)) = self.entries.front().copied()
            && number <= up_to
        {
            self.entries.pop_front();
            self.bytes -= of_entry;
        }
    }

    fn count(&mut self, number: i64, bytes: u64) {
        self.entries.push_back((number, bytes));
        self.bytes += bytes;
    }
}
