//! A primary, its replica, and Sentinels that elect the primary. Every connection to a server passes its
//! proxy, so that the network can be cut.

use std::time::Duration;

use test_support::redis::{Member, SERVICE, Watched};
use test_support::{RedisServer, Traffic};

use crate::clock::until;
use crate::faults::redis_fault::{Loss, RedisFault};
use crate::store::{Store, names_process_and_data};

fn set(member: &Member, traffic: Traffic) {
    member
        .proxy
        .as_ref()
        .map(|proxy| proxy.set(traffic))
        .unwrap();
}

fn await_promotion(of: &Member) {
    until("the replica is the primary", || of.is_primary());
}

impl Store for Watched {
    fn url(&self, _node: usize) -> String {
        let ports = self.sentinels.iter().map(RedisServer::port);
        let sentinels: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{SERVICE}", sentinels.join(","))
    }

    fn is_held_by(&self, shared_with: &str) -> bool {
        let mut primaries = self.servers.iter().filter(|member| member.is_primary());
        primaries.any(|primary| names_process_and_data(&primary.server, shared_with))
    }

    fn primaries(&self) -> Vec<String> {
        let servers = self.servers.iter();
        servers
            .filter_map(|member| member.server.primary_of())
            .collect()
    }

    fn begin(&self, redis_fault: RedisFault) {
        let [old, new] = [self.primary(), 1 - self.primary()].map(|server| &self.servers[server]);
        match redis_fault {
            RedisFault::Flush => old.server.tell(&["FLUSHALL"]),
            RedisFault::CutOff(_) => {
                new.await_all_of(old);
                set(old, Traffic::Cut);
            }
            RedisFault::FailOver(lag) => {
                new.await_all_of(old);
                // The replica does not receive the writes from here on.
                new.server.signal("STOP");
                std::thread::sleep(lag);
                old.server.kill();
            }
            _ => panic!("Sentinels: {redis_fault:?}"),
        }
    }

    fn end(&self, redis_fault: RedisFault) -> Loss {
        let (old, new) = (self.primary(), 1 - self.primary());
        let (was, is) = (&self.servers[old], &self.servers[new]);
        match redis_fault {
            RedisFault::Flush => return Loss::Everything,
            RedisFault::CutOff(_) => {
                await_promotion(is);
                set(was, Traffic::Flows);
            }
            _ => {
                is.server.signal("CONT");
                await_promotion(is);
                was.server.start_again();
            }
        }
        self.follow(old, new);
        self.await_order();
        Loss::Latest(Duration::ZERO)
    }

    fn kill(&self) {
        let (primary, replica) = (self.primary(), 1 - self.primary());
        self.servers[replica].await_all_of(&self.servers[primary]);
        self.servers.iter().for_each(|member| member.server.kill());
        self.sentinels.iter().for_each(RedisServer::kill);
    }

    fn start_again(&self) -> Loss {
        let (primary, replica) = (self.primary(), 1 - self.primary());
        self.servers[primary].server.start_again();
        self.servers[replica].server.start_again();
        self.follow(replica, primary);
        self.sentinels.iter().for_each(RedisServer::start_again);
        self.await_order();
        if self.primary() == primary {
            Loss::Nothing
        } else {
            Loss::Latest(Duration::ZERO)
        }
    }

    fn servers(&self) -> Vec<&RedisServer> {
        vec![&self.servers[self.primary()].server]
    }

    fn name(&self) -> String {
        "Sentinels, a primary and a replica".to_owned()
    }
}
