//! The bill of the search has no `biller_notice_key`, so that none has an owner.

use protocol::Bill;

use crate::Timestamp;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Owners {}

impl Owners {
    pub(crate) fn has_other_than(self, _: &Bill, _: Timestamp) -> bool {
        match self {}
    }
}
