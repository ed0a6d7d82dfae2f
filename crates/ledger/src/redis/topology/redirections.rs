//! [`Redirections`] decide to which servers a redirection of a Cluster is followed.

use std::time::{Duration, Instant};

use super::cluster;
use super::routes::Routes;
use crate::redis::settings::Topology;
use crate::redis::settings::address::ServerAddress;

/// The pause between two log lines about redirections that were not followed.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// `Redirections` check the servers that redirections name.
#[derive(Debug, Default)]
pub(crate) struct Redirections {
    logged_at: Option<Instant>,
}

impl Redirections {
    /// Returns, of the servers that redirections named, those that were configured or that the Cluster announces. No
    /// other server is sent the ledger's values, nor the password.
    pub(crate) async fn members_among(
        &mut self,
        wanted: Vec<ServerAddress>,
        topology: &Topology,
        routes: &Routes,
        within: Duration,
    ) -> Vec<ServerAddress> {
        let Topology::Cluster { nodes: seeds } = topology else {
            return Vec::new();
        };
        let (mut members, others): (Vec<ServerAddress>, Vec<ServerAddress>) = wanted
            .into_iter()
            .partition(|address| seeds.contains(address));
        if others.is_empty() {
            return members;
        }
        let announced = cluster::announced(routes, within).await;
        let (announced, strangers): (Vec<ServerAddress>, Vec<ServerAddress>) =
            (others.into_iter()).partition(|address| announced.contains(address));
        members.extend(announced);
        if let Some(stranger) = strangers.first() {
            self.log(stranger);
        }
        members
    }

    fn log(&mut self, stranger: &ServerAddress) {
        if self.logged_at.is_some_and(|at| at.elapsed() < LOG_EVERY) {
            return;
        }
        self.logged_at = Some(Instant::now());
        tracing::error!(
            server = %stranger,
            "a redirection to a server that is not part of the Cluster was not followed: its user needs \
             +cluster|nodes, or somebody answers in the place of Redis"
        );
    }
}
