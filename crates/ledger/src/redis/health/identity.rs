//! An [`Identity`] tells a Redis whose data may be gone from one that was only out of reach.

use std::fmt;
use std::sync::Arc;

/// A `Server` is one server that answered as a primary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Server {
    /// Identifies its process; another one after a restart.
    pub run_id: String,
    /// Identifies its data's history; another one after a fail-over.
    pub replication_id: String,
    /// Identifies its data, written by a gateway; another one, or none, after a wipe.
    pub epoch: String,
    /// The first and last of each range of slots that it has.
    pub slots: Vec<[u16; 2]>,
}

/// An `Identity` says which Redis it is. Another value: something that was written may be gone (wiped, restarted,
/// failed over, its data replaced). The same value after an absence: what was written is there.
///
/// `Display` writes one line of text that is equal where the value is, to be kept with a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    servers: Arc<[Server]>,
}

impl Server {
    /// Returns whether it is the same process with the same data, whatever slots it has.
    pub(crate) fn is_same_but_for_slots(&self, other: &Self) -> bool {
        (&self.run_id, &self.replication_id, &self.epoch)
            == (&other.run_id, &other.replication_id, &other.epoch)
    }

    /// Returns whether both have slots in common; a server that is no part of a Cluster has them all.
    fn shares_slots_with(&self, other: &Self) -> bool {
        let common = |[first, last]: &[u16; 2]| {
            let mut others = other.slots.iter();
            others.any(|[begin, end]| begin <= last && first <= end)
        };
        self.slots.is_empty() || other.slots.is_empty() || self.slots.iter().any(common)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut part = || parts.next().map(str::to_owned);
        let (run_id, replication_id, epoch) = (part()?, part()?, part()?);
        let range = |range: &str| {
            let (first, last) = range.split_once('-')?;
            Some([first.parse().ok()?, last.parse().ok()?])
        };
        Some(Self {
            run_id,
            replication_id,
            epoch,
            slots: parts.map(range).collect::<Option<_>>()?,
        })
    }
}

impl Identity {
    /// Returns the identity of one or more servers, in any order.
    pub(crate) fn new(mut servers: Vec<Server>) -> Self {
        servers.sort_unstable();
        Self {
            servers: servers.into(),
        }
    }

    /// Returns every primary.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let servers: Option<Vec<Server>> = text.split_whitespace().map(Server::parse).collect();
        servers.filter(|servers| !servers.is_empty()).map(Self::new)
    }

    /// Returns the identity once these servers are in reach: they, and those of the servers known before that have
    /// none of their slots, which are taken to come back with their data. The value is the same where no server is
    /// another than before.
    #[must_use]
    pub fn updated_by(&self, present: &Self) -> Self {
        let away = |known: &&Server| {
            !present
                .servers
                .iter()
                .any(|met| met.shares_slots_with(known))
        };
        let away = self.servers.iter().filter(away);
        Self::new(present.servers.iter().chain(away).cloned().collect())
    }

    /// Returns whether the servers and their data are the same, whatever slots each has.
    pub(crate) fn is_same_but_for_slots(&self, other: &Self) -> bool {
        let same = |(one, other): (&Server, &Server)| one.is_same_but_for_slots(other);
        self.servers.len() == other.servers.len()
            && self.servers.iter().zip(&*other.servers).all(same)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, server) in self.servers.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(
                f,
                "{}/{}/{}",
                server.run_id, server.replication_id, server.epoch
            )?;
            for [first, last] in &server.slots {
                write!(f, "/{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(run_id: &str, slots: &[[u16; 2]]) -> Server {
        Server {
            run_id: run_id.to_owned(),
            replication_id: "h".to_owned(),
            epoch: "e".to_owned(),
            slots: slots.to_vec(),
        }
    }

    #[test]
    fn the_order_in_which_servers_answered_does_not_matter() {
        let one = Identity::new(vec![server("b", &[[9, 16_383]]), server("a", &[[0, 8]])]);
        let other = Identity::new(vec![server("a", &[[0, 8]]), server("b", &[[9, 16_383]])]);
        assert_eq!(one, other);
        assert_eq!(one.to_string(), "a/h/e/0-8 b/h/e/9-16383");
    }

    #[test]
    fn what_was_written_down_reads_back() {
        let servers = vec![server("b", &[[9, 16_383]]), server("a", &[[0, 3], [5, 8]])];
        for identity in [
            Identity::new(servers),
            Identity::new(vec![server("a", &[])]),
        ] {
            assert_eq!(Identity::parse(&identity.to_string()), Some(identity));
        }
        for text in ["", "a/b", "a/b/c/1", "a/b/c/1-x"] {
            assert_eq!(Identity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_part_that_is_away_is_known_until_another_has_its_slots() {
        let of = |servers: &[(&str, &[[u16; 2]])]| {
            let servers = servers.iter().map(|(run_id, slots)| server(run_id, slots));
            Identity::new(servers.collect())
        };
        let (low, high): (&[[u16; 2]], &[[u16; 2]]) = (&[[0, 8]], &[[9, 16_383]]);
        let both = of(&[("a", low), ("b", high)]);
        // servers in reach | identity then
        for (present, then) in [
            (both.clone(), both.clone()),
            (of(&[("a", low)]), both.clone()),
            (of(&[("c", high)]), of(&[("a", low), ("c", high)])),
            (of(&[("b", &[[8, 16_383]])]), of(&[("b", &[[8, 16_383]])])),
            (of(&[("d", &[])]), of(&[("d", &[])])),
        ] {
            assert_eq!(both.updated_by(&present), then, "{present}");
        }
    }

    #[test]
    fn moved_slots_are_no_changed_data() {
        let before = Identity::new(vec![server("a", &[[0, 8]]), server("b", &[[9, 16_383]])]);
        let moved = Identity::new(vec![server("a", &[[0, 7]]), server("b", &[[8, 16_383]])]);
        let restarted = Identity::new(vec![server("a", &[[0, 8]]), server("c", &[[9, 16_383]])]);
        assert!(before.is_same_but_for_slots(&moved));
        assert!(!before.is_same_but_for_slots(&restarted));
    }
}
