//! Who the Redis is, so that a changed one is told from one that only was away.

use std::fmt;
use std::sync::Arc;

/// One server that answered as a primary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Server {
    /// Of its process; another after a restart.
    pub run_id: String,
    /// Of its data's history; another after a fail-over.
    pub replication_id: String,
    /// Of its data, written by us; another, or none, after a wipe.
    pub epoch: String,
    /// First and last of each range of slots that it has.
    pub slots: Vec<[u16; 2]>,
}

/// Who the Redis is. Another value: something that was written may be gone (wiped, restarted,
/// failed over, its data replaced). The same value after an absence: what was written is there.
///
/// `Display` is one line of text that is equal where the value is, to be kept with a cursor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    servers: Arc<[Server]>,
}

impl Identity {
    /// Of one or more servers, in any order.
    pub(super) fn new(mut servers: Vec<Server>) -> Self {
        servers.sort_unstable();
        Self {
            servers: servers.into(),
        }
    }

    /// Every primary.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Whether the servers and their data are the same, whatever slots each has.
    pub(super) fn is_same_but_for_slots(&self, other: &Self) -> bool {
        let same = |(one, other): (&Server, &Server)| {
            (&one.run_id, &one.replication_id, &one.epoch)
                == (&other.run_id, &other.replication_id, &other.epoch)
        };
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
    fn moved_slots_are_told_from_changed_data() {
        let before = Identity::new(vec![server("a", &[[0, 8]]), server("b", &[[9, 16_383]])]);
        let moved = Identity::new(vec![server("a", &[[0, 7]]), server("b", &[[8, 16_383]])]);
        let restarted = Identity::new(vec![server("a", &[[0, 8]]), server("c", &[[9, 16_383]])]);
        assert!(before.is_same_but_for_slots(&moved));
        assert!(!before.is_same_but_for_slots(&restarted));
    }
}
