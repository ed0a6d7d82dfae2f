//! Background calls of all parties.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;
use test_support::{Caller, link, notice, pay_result, prepay, with};

/// The pause between two calls of one caller: this is traffic, not load.
const PAUSE: Duration = Duration::from_millis(15);

/// The five APIs.
pub const LINK_CREATE: &str = "/external/inquiry-payment/one-time/url";
pub const LINK_RECREATE: &str = "/external/inquiry-payment/one-time/url/re";
pub const NOTICE: &str = "/kakao/notice";
pub const PREPAY: &str = "/kakao/prepay";
pub const PAY_RESULT: &str = "/kakao/pay-result";

/// Callers that call until this is dropped.
#[derive(Debug, Default)]
pub struct Traffic {
    over: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Adds a caller: it calls these APIs of this biller one after another, each time for another bill.
    pub fn with(
        mut self,
        gateway: SocketAddr,
        biller: &str,
        apis: &'static [&'static str],
    ) -> Self {
        let (over, biller) = (Arc::clone(&self.over), biller.to_owned());
        self.callers.push(thread::spawn(move || {
            let mut caller = Caller::connect(gateway);
            for api in apis.iter().cycle() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                caller.post(&format!("{api}/{biller}"), body(api).to_string());
                thread::park_timeout(PAUSE);
            }
        }));
        self
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for caller in self.callers.drain(..) {
            // The panic of a caller has been printed.
            let _ = caller.join();
        }
    }
}

/// Returns a valid body for another bill.
pub fn body(api: &str) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let key = format!("user-{number}");
    match api {
        LINK_CREATE | LINK_RECREATE => link(&key),
        NOTICE => notice(&key),
        PREPAY => prepay(&key),
        PAY_RESULT => with(
            pay_result(&key, "P", number, 20_000),
            "paid_at",
            Value::from("20261124120000"),
        ),
        other => panic!("{other}: not an API"),
    }
}
