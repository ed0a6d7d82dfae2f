//! The example requests of the guide (sections 3.1, 4.1, 5.1, 6.1 and 7.1), byte for byte.
//!
//! They are files of their own because one of them ends its lines in blanks, which an editor or a
//! formatter would tidy away in source text.

/// 3.1, a link is created. The parameter's value is three dots, as printed.
pub const LINK_CREATE: &str = include_str!("link_create.json");

/// 4.1, a link is created again.
pub const LINK_RECREATE: &str = include_str!("link_recreate.json");

/// 5.1, a bill is asked for; its parameter has ten characters where the guide's table allows eight.
pub const NOTICE: &str = include_str!("notice.json");

/// 6.1, whether 29,000 won can be paid.
pub const PREPAY: &str = include_str!("prepay.json");

/// 7.1, 20,000 won were paid.
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
