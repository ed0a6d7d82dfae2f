//! Classes of octets (RFC 9110 section 5.6.2, RFC 3986 section 3).

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const HOST: u8 = 4;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0_u8;
    loop {
        let letter_or_digit = octet.is_ascii_alphanumeric();
        let mut class = 0;
        if letter_or_digit || contains(b"!#$%&'*+-.^_`|~", octet) {
            class |= TOKEN;
        }
        if letter_or_digit || contains(b"-._~!$&'()*+,;=:@/?%", octet) {
            class |= TARGET;
        }
        if letter_or_digit || contains(b"-._~!$&'()*+,;=:%[]", octet) {
            class |= HOST;
        }
        table[octet as usize] = class;
        if octet == u8::MAX {
            return table;
        }
        octet += 1;
    }
}

const fn contains(set: &[u8], octet: u8) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == octet {
            return true;
        }
        at += 1;
    }
    false
}

/// `true` for a character of a header's name.
#[inline]
pub(super) fn is_token(octet: u8) -> bool {
    CLASSES[usize::from(octet)] & TOKEN != 0
}

/// `true` for a character of a method. Methods are tokens, but the registered ones are letters and hyphens,
/// and not every reader of HTTP takes all tokens for methods.
#[inline]
pub(super) fn is_method(octet: u8) -> bool {
    octet.is_ascii_alphabetic() || octet == b'-'
}

/// `true` where every octet may stand in a path or query.
#[inline]
pub(super) fn are_target(byte_class: &[u8]) -> bool {
    byte_class
        .iter()
        .all(|&octet| CLASSES[usize::from(octet)] & TARGET != 0)
}

/// `true` where every octet may stand in a `Host`.
#[inline]
pub(super) fn are_host(byte_class: &[u8]) -> bool {
    byte_class
        .iter()
        .all(|&octet| CLASSES[usize::from(octet)] & HOST != 0)
}

/// `true` where no octet is a control character, the horizontal tab apart. Without an early exit, so that
/// the compiler can test many octets at once.
#[inline]
pub(super) fn are_field_value(byte_class: &[u8]) -> bool {
    byte_class.iter().fold(0, |bad, &octet| {
        bad | u8::from((octet < b' ' && octet != b'\t') || octet == 0x7f)
    }) == 0
}

/// The value without spaces and tabs around it.
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
