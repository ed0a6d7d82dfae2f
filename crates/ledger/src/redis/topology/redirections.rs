//! To which servers a redirection of a Cluster is followed.

use std::time::{Duration, Instant};

use super::cluster;
use super::routes::Routes;
use crate::redis::settings::Topology;
use crate::redis::settings::address::Node;

/// The pause between two log lines about redirections that were not followed.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Judges the servers that redirections name.
#[derive(Debug, Default)]
pub(crate) struct Redirections {
    told_at: Option<Instant>,
}

impl Redirections {
    /// Of the servers that redirections named, those that were configured, or that the Cluster announces. Nobody else
    /// is sent what the ledger holds, nor the password.
    pub(crate) async fn members_among(
        &mut self,
        wanted: Vec<Node>,
        topology: &Topology,
        routes: &Routes,
        within: Duration,
    ) -> Vec<Node> {
        let Topology::Cluster { nodes: seeds } = topology else {
            return Vec::new();
        };
        let (mut members, others): (Vec<Node>, Vec<Node>) =
            wanted.into_iter().partition(|node| seeds.contains(node));
        if others.is_empty() {
            return members;
        }
        let announced = cluster::announced(routes, within).await;
        let (announced, strangers): (Vec<Node>, Vec<Node>) =
            (others.into_iter()).partition(|node| announced.contains(node));
        members.extend(announced);
        if let Some(stranger) = strangers.first() {
            self.tell(stranger);
        }
        members
    }

    fn tell(&mut self, stranger: &Node) {
        if self.told_at.is_some_and(|at| at.elapsed() < TELL_EVERY) {
            return;
        }
        self.told_at = Some(Instant::now());
        tracing::error!(
            server = %stranger,
            "a redirection to a server that is not part of the Cluster was not followed: its user needs \
             +cluster|nodes, or somebody answers in the place of Redis"
        );
    }
}
