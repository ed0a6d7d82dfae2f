//! Requests that the gateway takes minutes for, with a bar meanwhile.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::command::operator::{Client, Failure, Wait, number, text};
use crate::progress_bar::{ProgressBar, Unit};

/// How often the gateway is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(300);

/// Sends a POST and waits for its answer however long that takes. On a terminal it shows meanwhile how far the member
/// `progress` of `GET /admin/ledger` says that the gateway is.
pub(super) fn post(
    client: &Client,
    path: &str,
    body: &Value,
    (progress, unit): (&str, Unit),
) -> Result<Value, Failure> {
    let bar = ProgressBar::new(unit);
    let post = || client.post(path, body, Wait::Unbounded);
    if !bar.is_visible() {
        return post();
    }
    let (answered, is_answered) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while is_answered.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout) {
                // Where it does not say, the answer will.
                let status = client.get("/admin/ledger").unwrap_or_default();
                let progress = &status[progress];
                if !progress.is_null() {
                    let (done, of) = (number(progress, "done"), number(progress, "of"));
                    bar.show(text(progress, "what"), done, of);
                }
            }
        });
        let answer = post();
        drop(answered);
        answer
    })
}
