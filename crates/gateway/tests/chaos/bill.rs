//! The bills of a run and the bodies of their calls.
//!
//! Every body has an `echo`, a member that is not in the guide: the gateway relays it unchanged, and the
//! party repeats it in its answer's `message`. So the checks recognize an answer to the wrong caller.

/// The billers; each is a separate party.
pub const BILLERS: [&str; 3] = ["B0001", "B0002", "B0003"];

/// One bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bill(pub u64);

/// A payment or a cancel, as Kakao Pay reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayEvent {
    pub pay_type: &'static str,
    pub pay_id: u64,
    pub paid_at: u64,
    pub amount: i64,
}

impl Bill {
    /// Returns the index of its biller.
    pub fn biller(self) -> usize {
        usize::try_from(self.0 % BILLERS.len() as u64).unwrap()
    }

    pub fn biller_code(self) -> &'static str {
        BILLERS[self.biller()]
    }

    pub fn user_key(self) -> String {
        format!("{}-{}", self.biller_code(), self.0)
    }

    /// Returns the bill of a `biller_user_key`.
    pub fn of_user_key(key: &str) -> Option<Self> {
        let bill = Self(key.split_once('-')?.1.parse().ok()?);
        (bill.user_key() == key).then_some(bill)
    }

    /// Every bill has a month; those with odd numbers have a notice key as well.
    fn members(self) -> String {
        let key = self.user_key();
        if self.0.is_multiple_of(2) {
            format!(r#""biller_user_key":"{key}","billed_year_month":"202611""#)
        } else {
            format!(
                r#""biller_user_key":"{key}","billed_year_month":"202611","biller_notice_key":"N{}""#,
                self.0
            )
        }
    }

    /// Returns the body of both link APIs.
    pub fn link(self, echo: &str) -> String {
        let bill = self.members();
        format!(r#"{{"data":{{{bill},"expire_at":"20991231235959","echo":"{echo}"}}}}"#)
    }

    pub fn notice(self, echo: &str) -> String {
        let bill = self.members();
        format!(r#"{{"data":{{{bill},"user_birth":"19900301","echo":"{echo}"}}}}"#)
    }

    pub fn prepay(self, echo: &str) -> String {
        let bill = self.members();
        format!(r#"{{"data":{{{bill},"amount":20000,"echo":"{echo}"}}}}"#)
    }

    pub fn pay_result(self, echo: &str, event: &PayEvent) -> String {
        let bill = self.members();
        let PayEvent {
            pay_type,
            pay_id,
            paid_at,
            amount,
        } = event;
        format!(
            r#"{{"data":{{{bill},"pay_by":"MONEY","pay_type":"{pay_type}","pay_detail1":"","pay_detail2":"","amount":20000,"pay_amount":{amount},"pay_fee_type":"BEFORE","pay_fee":150,"pay_fee_tax":15,"paid_at":"{paid_at}","pay_id":{pay_id},"echo":"{echo}"}}}}"#
        )
    }
}
