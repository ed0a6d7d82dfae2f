//! The example requests of the guide (sections 3.1, 4.1, 5.1, 6.1 and 7.1), byte for byte.
//!
//! They are separate files because the lines of one example end in spaces, which editors and formatters
//! remove from source text.

/// The link creation (section 3.1). The parameter's value is three dots, as in the guide.
pub const LINK_CREATE: &str = include_str!("link_create.json");

/// The link re-creation (section 4.1).
pub const LINK_RECREATE: &str = include_str!("link_recreate.json");

/// The notice (section 5.1). Its parameter has ten characters, although the guide's table allows eight.
pub const NOTICE: &str = include_str!("notice.json");

/// The prepay of 29,000 won (section 6.1).
pub const PREPAY: &str = include_str!("prepay.json");

/// The pay-result of a payment of 20,000 won (section 7.1).
pub const PAY_RESULT: &str = include_str!("pay_result.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_are_json_objects_about_the_guides_customer() {
        for text in [LINK_CREATE, LINK_RECREATE, NOTICE, PREPAY, PAY_RESULT] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(value["data"]["biller_user_key"], "0000000001", "{text}");
        }
    }

    #[test]
    fn the_examples_begin_and_end_with_a_brace_and_keep_the_printed_blanks() {
        for text in [LINK_CREATE, LINK_RECREATE, NOTICE, PREPAY, PAY_RESULT] {
            assert!(text.starts_with('{') && text.ends_with('}'), "{text}");
            assert!(!text.contains('\r'), "{text}");
        }
        assert!(LINK_RECREATE.starts_with("{  \n  \"data\": {  \n"));
    }
}
