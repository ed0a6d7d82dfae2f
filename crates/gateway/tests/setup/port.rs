//! A port that another process has.

use std::fs;
use std::net::TcpListener;

use test_support::{RedisServer, Setup, Upstream};

use crate::command::gateway_in;

#[test]
fn a_port_in_use_is_told_with_key_and_line_before_journal_and_redis_are_touched() {
    let upstream = Upstream::ok();
    let redis = RedisServer::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port();
    for (key, line, public, ops) in [
        (
            "listen.public",
            2,
            address.to_string(),
            "127.0.0.1:0".to_owned(),
        ),
        (
            "listen.ops",
            3,
            "127.0.0.1:0".to_owned(),
            address.to_string(),
        ),
    ] {
        let setup = Setup::new(&upstream.url(), &upstream.url()).with(&format!(
            "[listen]\npublic = \"{public}\"\nops = \"{ops}\"\n[ledger.redis]\nurl = \"redis://127.0.0.1:{}/0\"",
            redis.port()
        ));
        let main = setup.write();
        let printed = gateway_in(setup.path(), &["serve", "--config", "gateway.toml"]);
        assert_eq!(printed.code, Some(1), "{printed:?}");
        let sentence = format!(
            "gateway.toml: {key}: cannot listen on {address}: Address already in use (os error 98); another process \
             listens there: `ss -ltnp 'sport = :{port}'` names it; stop it, or choose another port (line {line})\n"
        );
        assert_eq!(printed.err, sentence);
        let made = fs::read_dir(main.parent().unwrap()).unwrap();
        let made: Vec<_> = made.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(made.len(), 2, "only the configuration is there: {made:?}");
        assert_eq!(redis.number(&["DBSIZE"]), 0);
    }
}
