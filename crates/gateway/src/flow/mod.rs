//! The flows of the five APIs, one file each: parse, ledger, upstream, settlement, reply.

pub mod deliver_refused;
mod link_create;
mod link_recreate;
mod notice;
mod pay_result;
mod prepay;
pub mod redeliver;

use std::rc::Rc;

use bytes::Bytes;
use protocol::Api;

use crate::admission::Admitted;
use crate::call::Call;
use crate::reply::{Problem, Reply};

/// Runs the flow of one API.
///
/// A link call and a pay-result run in their own task, so that they are settled even when the caller hangs up.
///
/// # Errors
/// The problem that answers the caller.
pub async fn run(
    call: &Rc<Call>,
    api: Api,
    admitted: &Admitted,
    body: &Bytes,
) -> Result<Reply, Problem> {
    match api {
        Api::Notice => notice::relay(call, admitted, body).await,
        Api::Prepay => prepay::relay(call, admitted, body).await,
        Api::LinkCreate => {
            let (task, admitted, body) = (Rc::clone(call), admitted.clone(), body.clone());
            call.run_detached(async move { link_create::relay(&task, &admitted, &body).await })
                .await
        }
        Api::LinkRecreate => {
            let (task, admitted, body) = (Rc::clone(call), admitted.clone(), body.clone());
            call.run_detached(async move { link_recreate::relay(&task, &admitted, &body).await })
                .await
        }
        Api::PayResult => {
            let (task, admitted, body) = (Rc::clone(call), admitted.clone(), body.clone());
            call.run_detached(async move { pay_result::relay(&task, &admitted, &body).await })
                .await
        }
    }
}
