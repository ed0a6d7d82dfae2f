//! Values that several keys use: text, whole numbers, choices, addresses, networks, names.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};
use toml::de::DeValue;

use super::bounds;
use super::spelling::excerpt;

/// Returns the message for a value of the wrong type.
pub(in crate::config) fn wrong_kind(expected: &str, value: &DeValue<'_>) -> String {
    let actual = match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    format!("must be {expected}, not {actual}")
}

/// Reads a string.
pub(in crate::config) fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| wrong_kind("a string", value))
}

/// Reads `true` or `false`.
pub(in crate::config) fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| wrong_kind("true or false", value))
}

/// Reads a string of 1 to `most` characters without control characters.
pub(in crate::config) fn name(value: &DeValue<'_>, most: usize) -> Result<String, String> {
    let text = text(value)?;
    let length = text.chars().count();
    if length == 0 || length > most || text.chars().any(char::is_control) {
        return Err(format!(
            "must be 1 to {most} characters, none of them a control character"
        ));
    }
    Ok(text.to_owned())
}

/// Reads a whole number within bounds.
pub(in crate::config) fn count(
    value: &DeValue<'_>,
    bounds: &RangeInclusive<u32>,
) -> Result<u32, String> {
    let DeValue::Integer(integer) = value else {
        return Err(wrong_kind("an integer", value));
    };
    u32::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .filter(|count| bounds.contains(count))
        .ok_or_else(|| out_of_bounds(bounds.start(), bounds.end(), integer))
}

/// Reads a whole number within bounds that exclude 0.
pub(in crate::config) fn positive(
    value: &DeValue<'_>,
    bounds: &RangeInclusive<u32>,
) -> Result<NonZeroU32, String> {
    let count = count(value, bounds)?;
    NonZeroU32::new(count).ok_or_else(|| "must be at least 1".to_owned())
}

/// Returns the message for a value out of bounds.
pub(in crate::config) fn out_of_bounds(
    least: impl Display,
    most: impl Display,
    value: impl Display,
) -> String {
    let value = excerpt(&value.to_string());
    format!("must be from {least} to {most}, not {value}")
}

/// Reads one of `words` and returns its value.
pub(in crate::config) fn choice<T: Copy>(
    value: &DeValue<'_>,
    words: &[(&str, T)],
) -> Result<T, String> {
    let text = text(value)?;
    if let Some((_, chosen)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*chosen);
    }
    let allowed: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
    let allowed = allowed.join(", ");
    Err(format!("must be one of {allowed}, not `{}`", excerpt(text)))
}

/// Reads an IP address and a port. An IPv4-mapped IPv6 address becomes the IPv4 address.
pub(in crate::config) fn listen_address(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = text(value)?;
    let address: SocketAddr = text.parse().map_err(|_| {
        format!(
            "must be an IP address and a port such as `127.0.0.1:8080` or `[::1]:8080`, not `{}`",
            excerpt(text)
        )
    })?;
    Ok(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

/// Reads a network or a single address. IPv4-mapped IPv6 becomes IPv4, like callers' addresses.
pub(in crate::config) fn network(value: &DeValue<'_>) -> Result<IpNet, String> {
    let text = text(value)?;
    let network = match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>().ok(),
    };
    let Some(network) = network else {
        return Err(format!(
            "must be an IP address or a network such as `192.0.2.0/24` or `2001:db8::/32`, not `{}`",
            excerpt(text)
        ));
    };
    if network.addr() != network.network() {
        // 10.0.0.1/8 can mean one address or a whole network; the wrong guess would admit unknown callers.
        return Err(format!(
            "`{network}` has bits set beyond its prefix: write `{}` or `{}`",
            network.trunc(),
            network.addr()
        ));
    }
    Ok(canonical(network))
}

fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let mapped = v6.addr().to_ipv4_mapped();
    let prefix = v6.prefix_len().checked_sub(96);
    match mapped.zip(prefix) {
        Some((address, prefix)) => Ipv4Net::new(address, prefix).map_or(network, IpNet::V4),
        None => network,
    }
}

/// Reads a host's name without a port: dot-separated labels of letters, digits, `-` and `_`. Returns it in small
/// letters.
pub(in crate::config) fn host_name(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=63).contains(&label.len()) && label.bytes().all(allowed)
    };
    if text.len() <= bounds::HOST_NAME_BYTES && text.split('.').all(is_label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "must be a host's name without a port, such as `relay.internal`, not `{}`",
            excerpt(text)
        ))
    }
}

/// Returns whether the text is a valid key prefix or Sentinel service name: letters, digits, `_`, `.`, `-`.
pub(in crate::config) fn is_redis_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=bounds::REDIS_NAME_CHARS).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read<T>(toml: &str, read: impl Fn(&DeValue<'_>) -> Result<T, String>) -> Result<T, String> {
        read(DeValue::parse(toml).unwrap().get_ref())
    }

    #[test]
    fn networks_are_addresses_or_prefixes_and_mapped_addresses_become_ipv4() {
        let table = [
            ("'10.0.0.0/8'", "10.0.0.0/8"),
            ("'192.0.2.7'", "192.0.2.7/32"),
            ("'2001:db8::/32'", "2001:db8::/32"),
            ("'2001:db8::1'", "2001:db8::1/128"),
            ("'::ffff:10.0.0.0/104'", "10.0.0.0/8"),
            ("'::ffff:192.0.2.7'", "192.0.2.7/32"),
            ("'0.0.0.0/0'", "0.0.0.0/0"),
            ("'::/0'", "::/0"),
        ];
        for (toml, network_text) in table {
            assert_eq!(read(toml, network).unwrap().to_string(), network_text);
        }
    }

    #[test]
    fn a_text_that_is_no_network_is_refused_with_the_allowed_forms() {
        let shape =
            "must be an IP address or a network such as `192.0.2.0/24` or `2001:db8::/32`, not ";
        let table = [
            ("'localhost'", format!("{shape}`localhost`")),
            ("'10.0.0.0/33'", format!("{shape}`10.0.0.0/33`")),
            ("'10.0.0/8'", format!("{shape}`10.0.0/8`")),
            ("''", format!("{shape}``")),
            (
                "'10.0.0.1/8'",
                "`10.0.0.1/8` has bits set beyond its prefix: write `10.0.0.0/8` or `10.0.0.1`"
                    .to_owned(),
            ),
            ("10", "must be a string, not an integer".to_owned()),
        ];
        for (toml, message) in table {
            assert_eq!(read(toml, network), Err(message));
        }
    }

    #[test]
    fn counts_are_bounded_in_every_notation() {
        let within = |value: &DeValue<'_>| count(value, &(1..=100));
        assert_eq!(read("100", within), Ok(100));
        assert_eq!(read("0x1_0", within), Ok(16));
        assert_eq!(read("+7", within), Ok(7));
        for (toml, message) in [
            ("0", "must be from 1 to 100, not 0"),
            ("-5", "must be from 1 to 100, not -5"),
            ("101", "must be from 1 to 100, not 101"),
            (
                "99999999999999999999",
                "must be from 1 to 100, not 99999999999999999999",
            ),
            ("1.0", "must be an integer, not a float"),
            ("'1'", "must be an integer, not a string"),
            ("true", "must be an integer, not a boolean"),
            ("1979-05-27", "must be an integer, not a date or time"),
            ("[1]", "must be an integer, not an array"),
            ("{ a = 1 }", "must be an integer, not a table"),
        ] {
            assert_eq!(read(toml, within), Err(message.to_owned()), "{toml}");
        }
    }

    #[test]
    fn a_host_name_has_no_port_no_scheme_and_no_wildcard() {
        assert_eq!(
            read("'Relay-1.internal'", host_name),
            Ok("relay-1.internal".to_owned())
        );
        for text in [
            "",
            "a:9464",
            "http://a",
            "*.internal",
            "a..b",
            "a.",
            "[::1]",
            "é",
        ] {
            let shape = "must be a host's name without a port, such as `relay.internal`, not";
            let found = read(&format!("'{text}'"), host_name);
            assert_eq!(found, Err(format!("{shape} `{text}`")));
        }
    }

    #[test]
    fn a_listen_address_has_an_ip_address_and_a_port() {
        let address = read("'[::ffff:127.0.0.1]:80'", listen_address).unwrap();
        assert_eq!(address.to_string(), "127.0.0.1:80");
        let shape =
            "must be an IP address and a port such as `127.0.0.1:8080` or `[::1]:8080`, not";
        for text in ["localhost:80", "127.0.0.1", ":80", "127.0.0.1:65536"] {
            let found = read(&format!("'{text}'"), listen_address);
            assert_eq!(found, Err(format!("{shape} `{text}`")));
        }
    }
}
