//! Character classes of header names, request targets and hosts (RFC 9110 section 5.6.2, RFC 3986 section 3).

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const HOST: u8 = 4;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        let letter_or_digit = byte.is_ascii_alphanumeric();
        let mut class = 0;
        if letter_or_digit || contains(b"!#$%&'*+-.^_`|~", byte) {
            class |= TOKEN;
        }
        if letter_or_digit || contains(b"-._~!$&'()*+,;=:@/?%", byte) {
            class |= TARGET;
        }
        if letter_or_digit || contains(b"-._~!$&'()*+,;=:%[]", byte) {
            class |= HOST;
        }
        table[byte as usize] = class;
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

const fn contains(set: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether the byte may occur in a header name.
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & TOKEN != 0
}

/// Whether the byte may occur in a method. Methods are tokens, but all registered ones consist of letters and
/// hyphens, and some HTTP readers accept no others.
#[inline]
pub(super) fn is_method(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'-'
}

/// Whether every byte may occur in a path or query.
#[inline]
pub(super) fn are_target(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|&byte| CLASSES[usize::from(byte)] & TARGET != 0)
}

/// Whether every byte may occur in a `Host` value.
#[inline]
pub(super) fn are_host(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|&byte| CLASSES[usize::from(byte)] & HOST != 0)
}

/// Whether no byte is a control character other than the horizontal tab. The loop has no early exit, so that the
/// compiler can test many bytes at once.
#[inline]
pub(super) fn are_field_value(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |bad, &byte| {
        bad | u8::from((byte < b' ' && byte != b'\t') || byte == 0x7f)
    }) == 0
}

/// Returns the value without surrounding spaces and tabs.
#[inline]
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
