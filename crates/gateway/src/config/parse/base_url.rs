//! The base URL of a party's APIs.

use std::fmt;

use toml::de::DeValue;

use super::bounds;
use super::host_port::HostPort;
use super::value;

/// The scheme of an upstream's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// Returns `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names none.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host, port and a path prefix: no user, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    scheme: Scheme,
    endpoint: HostPort,
    path_prefix: String,
}

impl BaseUrl {
    /// Parses a URL and drops a trailing slash.
    ///
    /// # Errors
    ///
    /// What is wrong, to be read after "the URL". It does not repeat the text, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > bounds::URL_CHARS {
            return Err("is too long");
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("must begin with `http://` or `https://`")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err("must begin with `http://` or `https://`"),
        };
        if rest.contains('?') {
            return Err("must have no query (`?`)");
        }
        if rest.contains('#') {
            return Err("must have no fragment (`#`)");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("must have no user or password (`@`)");
        }
        Ok(Self {
            scheme,
            endpoint: HostPort::parse(authority, scheme.default_port())?,
            path_prefix: path_prefix(path)?,
        })
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Host and port.
    pub fn endpoint(&self) -> &HostPort {
        &self.endpoint
    }

    /// The host name, or the address without brackets.
    pub fn host(&self) -> &str {
        self.endpoint.host()
    }

    /// The port: the scheme's default port where the URL names none.
    pub fn port(&self) -> u16 {
        self.endpoint.port()
    }

    /// Empty, or a path that begins with a slash and does not end with one.
    pub fn path_prefix(&self) -> &str {
        &self.path_prefix
    }

    /// The value of a `Host` header, without the scheme's default port.
    pub fn authority(&self) -> String {
        if self.port() == self.scheme.default_port() {
            self.endpoint.bracketed()
        } else {
            self.endpoint.to_string()
        }
    }

    pub(in crate::config) fn read(value: &DeValue<'_>) -> Result<Self, String> {
        Self::parse(value::text(value)?).map_err(|what| format!("the URL {what}"))
    }
}

/// The URL without a trailing slash.
impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.as_str();
        write!(f, "{scheme}://{}{}", self.authority(), self.path_prefix)
    }
}

/// Checks the path as it is written, for requests carry it so. `url` would rewrite it (`%2e%2e/`) and let
/// pass what is no path (`|`, a single `%`).
fn path_prefix(path: &str) -> Result<String, &'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(segments) = path.strip_prefix('/') else {
        return Ok(String::new());
    };
    for segment in segments.split('/') {
        if matches!(segment, "" | "." | "..") {
            return Err("must have no empty, `.` or `..` segment in its path");
        }
        // RFC 3986, `pchar`.
        let is_allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
        if !(segment.bytes().all(is_allowed) && is_percent_encoded(segment)) {
            return Err("must have a path of ASCII letters, digits, -._~!$&'()*+,;=:@ and %XX");
        }
    }
    Ok(path.to_owned())
}

/// Whether two hexadecimal digits follow every `%`.
pub(in crate::config) fn is_percent_encoded(text: &str) -> bool {
    let is_pair = |pair: &[u8; 2]| pair.iter().all(u8::is_ascii_hexdigit);
    text.split('%')
        .skip(1)
        .all(|behind| behind.as_bytes().first_chunk().is_some_and(is_pair))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_parsed_url_is_formatted_in_its_canonical_form() {
        for (text, host, port, prefix, spelled) in [
            (
                "http://127.0.0.1:9001",
                "127.0.0.1",
                9001,
                "",
                "http://127.0.0.1:9001",
            ),
            (
                "https://Bill.Example/",
                "bill.example",
                443,
                "",
                "https://bill.example",
            ),
            (
                "https://a.example:443/x/",
                "a.example",
                443,
                "/x",
                "https://a.example/x",
            ),
            (
                "HTTP://a:8/v1/b%20c",
                "a",
                8,
                "/v1/b%20c",
                "http://a:8/v1/b%20c",
            ),
            (
                "https://[2001:DB8::1]:8443",
                "2001:db8::1",
                8443,
                "",
                "https://[2001:db8::1]:8443",
            ),
            ("https://[::1]/a", "::1", 443, "/a", "https://[::1]/a"),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!(
                (url.host(), url.port(), url.path_prefix()),
                (host, port, prefix)
            );
            assert_eq!(url.to_string(), spelled);
            assert_eq!(BaseUrl::parse(spelled).unwrap(), url);
        }
    }

    #[test]
    fn a_faulty_base_url_is_refused_without_repeating_it() {
        let scheme = "must begin with `http://` or `https://`";
        let host =
            "names no valid host (a name in ASCII, an IPv4 address or an IPv6 address in `[]`)";
        let port = "must have a port from 1 to 65535";
        let segment = "must have no empty, `.` or `..` segment in its path";
        let path = "must have a path of ASCII letters, digits, -._~!$&'()*+,;=:@ and %XX";
        for (text, what) in [
            ("", scheme),
            ("127.0.0.1:80", scheme),
            ("ftp://a", scheme),
            ("//a", scheme),
            ("http://", "names no host"),
            ("http:///x", "names no host"),
            ("http://:80", "names no host"),
            ("http://a b", host),
            ("http://청구.example", host),
            ("http://a..b", host),
            ("http://-a", host),
            ("http://300.1.1.1", "names an invalid IPv4 address"),
            ("http://127.1", "names an invalid IPv4 address"),
            ("http://[::1", "has a `[` without its `]`"),
            ("http://[::g]", "has no IPv6 address in `[]`"),
            ("http://[::1]x", port),
            ("http://a:0", port),
            ("http://a:65536", port),
            ("http://a:", port),
            ("http://a:+1", port),
            ("http://a:b:1", port),
            ("http://u:p@a", "must have no user or password (`@`)"),
            ("http://a?x=1", "must have no query (`?`)"),
            ("http://a/b#c", "must have no fragment (`#`)"),
            ("http://a//b", segment),
            ("http://a/../b", segment),
            ("http://a/b%2", path),
            ("http://a/한글", path),
            ("http://a/b\nc", path),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(what), "{text}");
        }
    }
}
