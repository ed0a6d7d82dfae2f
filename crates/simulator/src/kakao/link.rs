//! A link as Kakao Pay made it.

use crate::random;

/// Which of the two link APIs made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// Guide section 3.
    Created,
    /// Guide section 4.
    Recreated,
}

/// One link that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number of the call that asked for it.
    pub sequence: u64,
    /// Created or created again.
    pub kind: LinkKind,
    /// Whose bill, by the path.
    pub biller_code: String,
    /// Which customer.
    pub biller_user_key: String,
    /// Empty: none.
    pub billed_year_month: String,
    /// Empty: none.
    pub ordinal: String,
    /// Empty: none.
    pub biller_notice_key: String,
    /// Until when, as sent.
    pub expire_at: String,
    /// What was answered.
    pub url: String,
}

/// The n-th link's address: the guide's, with an identifier that follows from the seed.
pub(super) fn url(seed: u64, nth: u64) -> String {
    let mut random = random::generator(seed, nth);
    let (high, low) = (random.u64(..), random.u64(..));
    format!(
        "https://billgatesweb.kakao.com/r/platform/pages/paynow/search/{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 50),
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_from_the_seed_and_differ() {
        assert_eq!(url(1, 1), url(1, 1));
        assert_ne!(url(1, 1), url(1, 2));
        assert_ne!(url(1, 1), url(2, 1));
        let identifier = url(1, 1).rsplit('/').next().unwrap().to_owned();
        let lengths: Vec<_> = identifier.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{identifier}");
    }
}
