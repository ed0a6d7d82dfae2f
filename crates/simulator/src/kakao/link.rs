//! A link that Kakao Pay created.

use crate::random;

/// The API that created a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// The link creation (guide section 3).
    Created,
    /// The link re-creation (guide section 4).
    Recreated,
}

/// A created link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number of its call.
    pub sequence: u64,
    /// Created or re-created.
    pub kind: LinkKind,
    /// The biller's code in the path.
    pub biller_code: String,
    /// The customer's key.
    pub biller_user_key: String,
    /// `YYYYMM`, or `""`.
    pub billed_year_month: String,
    /// The ordinal, or `""`.
    pub ordinal: String,
    /// The notice key, or `""`.
    pub biller_notice_key: String,
    /// The expiry, as sent.
    pub expire_at: String,
    /// The URL in the answer.
    pub url: String,
}

/// Returns the URL of the n-th link: the guide's URL with an identifier that depends on the seed.
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
    fn links_depend_on_the_seed_and_differ() {
        assert_eq!(url(1, 1), url(1, 1));
        assert_ne!(url(1, 1), url(1, 2));
        assert_ne!(url(1, 1), url(2, 1));
        let identifier = url(1, 1).rsplit('/').next().unwrap().to_owned();
        let lengths: Vec<_> = identifier.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{identifier}");
    }
}
