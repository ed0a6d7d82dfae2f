//! Warnings about servers that are configured to lose data.

use ledger::redis::Warning;
use test_support::RedisServer;

use crate::store::{await_until, in_reach, node, standalone};

/// The arguments of a server and a check of its warnings.
type Case = (&'static [&'static str], fn(&[Warning]) -> bool);

#[tokio::test]
async fn a_server_that_can_lose_data_is_warned_about() {
    let cases: [Case; 7] = [
        (&["--appendfsync", "always"], <[Warning]>::is_empty),
        (
            &["--appendfsync", "everysec"],
            |warnings| matches!(warnings, [Warning::SyncsLate { policy, .. }] if policy == "everysec"),
        ),
        // Without the permission to read the settings there is no warning.
        (
            &[
                "--appendfsync",
                "everysec",
                "--user",
                "default",
                "on",
                "nopass",
                "~*",
                "&*",
                "+@all",
                "-config",
            ],
            <[Warning]>::is_empty,
        ),
        (&["--appendonly", "no"], |warnings| {
            matches!(warnings, [Warning::NoAppendOnlyFile(_)])
        }),
        (
            &[
                "--appendfsync",
                "always",
                "--maxmemory-policy",
                "allkeys-lru",
            ],
            |warnings| matches!(warnings, [Warning::Evicts { policy, .. }] if policy == "allkeys-lru"),
        ),
        (
            &["--appendonly", "no", "--maxmemory-policy", "allkeys-lfu"],
            |warnings| warnings.len() == 2,
        ),
        (
            &["--appendonly", "no", "--maxmemory-policy", "volatile-lru"],
            |warnings| matches!(warnings, [Warning::NoAppendOnlyFile(_)]),
        ),
    ];
    for (arguments, expected) in cases {
        let server = RedisServer::durable(arguments);
        let store = standalone(node(server.port()));
        in_reach(&store).await;
        await_until(&format!("{arguments:?}"), || expected(&store.warnings()));
    }
}
