//! These times say how often the supervisor checks.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{pending, select_all};
use tokio::time::{sleep, timeout};

use crate::redis::topology::routes::Routes;

/// Servers that answer are probed so often. A wipe is seen within this time.
pub(crate) const CHECK_EVERY: Duration = Duration::from_millis(500);

/// Servers that do not answer are tried so often; a slow one is left alone for this time too.
pub(crate) const RETRY_EVERY: Duration = Duration::from_millis(250);

/// Two checks are at least so far apart, however often the supervisor is woken.
pub(crate) const MIN_PAUSE: Duration = Duration::from_millis(5);

/// Pauses before servers that do not answer are tried again; ends at once where another connection breaks.
pub(crate) async fn pause(routes: &Routes) {
    let breaking = routes
        .connections()
        .map(|connection| connection.breaking().boxed());
    // With no connection there is nothing that could break.
    let breaking = breaking.chain([pending().boxed()]);
    if timeout(RETRY_EVERY, select_all(breaking)).await.is_ok() {
        sleep(MIN_PAUSE).await;
    }
}
