//! Certificates, billers and the program itself change under load, and no call is lost.

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;

use test_support::{Authority, Setup, Upstream};

use crate::listener::listen;
use crate::load::Load;
use crate::reloading::reload;

const RELOADS: i64 = 100;
const UPGRADES: usize = 10;

/// A limit above the number of calls of the loads.
const UNLIMITED: &str = "requests_per_second = 100000\nburst = 100000\n";

#[test]
#[allow(clippy::print_stdout)]
fn a_hundred_reloads_of_certificates_and_billers_under_load_lose_no_call() {
    let authority = Arc::new(Authority::new());
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .biller("B0001", &upstream.url(), UNLIMITED)
        .start();
    let biller = gateway.path().join("billers/B0001.toml");
    let text = fs::read_to_string(&biller).unwrap();
    let load = Load::start(gateway.public(), Some(&authority));
    for round in 0..RELOADS {
        authority.server();
        let changed = format!("{text}\nmax_in_flight = {}\n", 64 + round);
        fs::write(&biller, changed).unwrap();
        reload(&gateway);
        load.run_for(4);
    }
    let (calls, failures) = load.stop();
    let failed = failures.len();
    println!("{calls} calls under {RELOADS} reloads, {failed} failed");
    assert!(failures.is_empty(), "{failures:#?}");
    let refused = gateway.metric("relay_reloads_total{result=\"refused\"}");
    assert_eq!(refused, 0);
    assert!(gateway.metric("relay_reloads_total{result=\"done\"}") >= RELOADS);
}

#[test]
#[allow(clippy::print_stdout)]
fn ten_upgrades_of_the_program_under_load_lose_no_call() {
    let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [public, ops] = sockets
        .each_ref()
        .map(|socket| socket.local_addr().unwrap());
    let upstream = Upstream::ok();
    let listen = format!("[listen]\npublic = \"{public}\"\nops = \"{ops}\"");
    let mut gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen)
        .biller("B0001", &upstream.url(), UNLIMITED)
        .start_on(&sockets);
    assert_eq!((gateway.public(), gateway.ops()), (public, ops));
    let load = Load::start(public, None);
    for _ in 0..UPGRADES {
        load.run_for(200);
        gateway = gateway.upgrade(&sockets);
    }
    load.run_for(200);
    let (calls, failures) = load.stop();
    let failed = failures.len();
    println!("{calls} calls under {UPGRADES} upgrades, {failed} failed");
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_socket_for_an_address_that_is_not_configured_is_refused() {
    let strange = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = strange.local_addr().unwrap().to_string();
    let upstream = Upstream::ok();
    let error = Setup::new(&upstream.url(), &upstream.url()).fail_on(&[strange]);
    assert!(
        error.contains(&address) && error.contains("listen.public"),
        "{error}"
    );
}
