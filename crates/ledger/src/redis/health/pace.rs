//! How often the supervisor looks.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{pending, select_all};
use tokio::time::{sleep, timeout};

use crate::redis::topology::routes::Routes;

/// How often servers that answer are asked who they are. A wipe is seen within this time.
pub(crate) const CHECK_EVERY: Duration = Duration::from_millis(500);

/// How often servers that do not answer are tried; a slow one is left alone for this time too.
pub(crate) const RETRY_EVERY: Duration = Duration::from_millis(250);

/// Between two looks at least, however often the supervisor is woken.
pub(crate) const MIN_PAUSE: Duration = Duration::from_millis(5);

/// Leaves servers alone that do not answer; those of which a connection breaks meanwhile are not meant.
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
