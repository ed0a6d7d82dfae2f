//! The five requests (guide sections 3.1, 4.1, 5.1, 6.1 and 7.1), checked by the contract's checks 5 to 8
//! in their order:
//!
//! 5. [`Check::Parse`]: invalid JSON, a duplicate member or a wrong type, in the whole body: `E807`.
//! 6. [`Check::Required`]: a missing member, in the guide's order: `E001`.
//! 7. [`Check::Width`]: a wrong width, in the guide's order: `E006`, `E007`, `E807`.
//! 8. [`Check::Parameters`]: a value in `parameters` of the link APIs: `E006`, `E101`.

mod canonical;
mod data;
mod lenient;
mod link_create;
mod link_recreate;
mod member;
mod notice;
mod parameters;
mod pay_result;
mod prepay;
mod refusal;

pub use canonical::CanonicalDigest;
pub use lenient::LenientPayResult;
pub use link_create::LinkCreate;
pub use link_recreate::LinkRecreate;
pub use member::{JsonType, Member, Width};
pub use notice::Notice;
pub use parameters::Rules;
pub use pay_result::PayResult;
pub use prepay::Prepay;
pub use refusal::{Check, Refusal};

#[cfg(test)]
mod tests;
