//! The URL of a Redis: one server, Sentinels or a Cluster.
//!
//! `url` parses each node alone: it knows no list of hosts, and takes a faulty `%` in a password as it is.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::base_url::is_percent_encoded;
use super::bounds;
use super::host_port::HostPort;
use super::secret::Secret;
use super::value;

/// The kind of a Redis deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Standalone,
    /// The nodes are Sentinels, which name the primary of this service.
    Sentinel {
        /// The name under which the Sentinels monitor the primary.
        service: String,
    },
    /// The nodes are seed nodes of a Cluster.
    Cluster,
}

/// The parts of a Redis URL.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::config) struct RedisUrl {
    pub(in crate::config) topology: Topology,
    pub(in crate::config) encrypted: bool,
    pub(in crate::config) nodes: Vec<HostPort>,
    pub(in crate::config) database: u16,
    pub(in crate::config) username: Option<String>,
    pub(in crate::config) password: Option<Secret>,
}

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

impl RedisUrl {
    /// Parses `scheme://[user[:password]@]host[:port][,host[:port]…][/service][/database]`.
    /// An error does not repeat the text, which may hold a password.
    pub(in crate::config) fn parse(text: &str) -> Result<Self, &'static str> {
        const SCHEMES: &str = "must begin with redis://, rediss://, redis+sentinel://, \
            rediss+sentinel://, redis+cluster:// or rediss+cluster://";
        if text.len() > bounds::URL_CHARS {
            return Err("is too long");
        }
        let (scheme, rest) = text.split_once("://").ok_or(SCHEMES)?;
        let (protocol, layout) = scheme.split_once('+').unwrap_or((scheme, ""));
        let encrypted = match protocol {
            "redis" => false,
            "rediss" => true,
            _ => return Err(SCHEMES),
        };
        if rest.contains(['?', '#']) {
            return Err("must have no query and no fragment (in a password: %3F, %23)");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains('@') {
            return Err("has a `/` before its `@` (in a password: %2F)");
        }
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (username, password) = credentials(user)?;
        let default_port = match layout {
            "sentinel" => SENTINEL_PORT,
            _ => REDIS_PORT,
        };
        let nodes = nodes(hosts, default_port)?;
        let (topology, database) = match layout {
            "" if scheme.ends_with('+') => return Err(SCHEMES),
            "" if nodes.len() > 1 => {
                return Err("names several hosts: use redis+sentinel:// or redis+cluster://");
            }
            "" => (Topology::Standalone, database(path)?),
            "sentinel" => sentinel(path)?,
            "cluster" if path.is_empty() || path == "0" => (Topology::Cluster, 0),
            "cluster" => return Err("names a database, which a Cluster does not have"),
            _ => return Err(SCHEMES),
        };
        Ok(Self {
            topology,
            encrypted,
            nodes,
            database,
            username,
            password,
        })
    }
}

fn nodes(hosts: &str, default_port: u16) -> Result<Vec<HostPort>, &'static str> {
    let nodes: Vec<HostPort> = hosts
        .split(',')
        .map(|host| HostPort::parse(host, default_port))
        .collect::<Result<_, _>>()?;
    if nodes.len() > bounds::REDIS_NODES {
        return Err("names too many hosts");
    }
    Ok(nodes)
}

fn database(path: &str) -> Result<u16, &'static str> {
    match path {
        "" => Ok(0),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
            .parse()
            .map_err(|_| "must have a database from 0 to 65535"),
        _ => Err("must have nothing after its `/` but a database number"),
    }
}

fn sentinel(path: &str) -> Result<(Topology, u16), &'static str> {
    let (service, number) = path.split_once('/').unwrap_or((path, ""));
    if !value::is_redis_name(service) {
        return Err("must name the service after its hosts: redis+sentinel://HOST,HOST/SERVICE");
    }
    let service = service.to_owned();
    Ok((Topology::Sentinel { service }, database(number)?))
}

fn credentials(user: &str) -> Result<(Option<String>, Option<Secret>), &'static str> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let name = percent_decode(name)?;
    let password = percent_decode(password)?;
    Ok((
        (!name.is_empty()).then_some(name),
        (!password.is_empty()).then(|| Secret::new(password)),
    ))
}

fn percent_decode(text: &str) -> Result<String, &'static str> {
    if is_percent_encoded(text)
        && let Ok(decoded) = percent_decode_str(text).decode_utf8()
    {
        return Ok(decoded.into_owned());
    }
    Err("has a user or password that is not percent-encoded UTF-8")
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standalone => "standalone",
            Self::Sentinel { .. } => "sentinel",
            Self::Cluster => "cluster",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_topology_is_parsed() {
        for (text, expected) in [
            (
                "redis://127.0.0.1",
                "standalone plain 127.0.0.1:6379 db 0 - -",
            ),
            ("redis://[::1]:7/3", "standalone plain [::1]:7 db 3 - -"),
            (
                "rediss://:p%40ss@cache/",
                "standalone tls cache:6379 db 0 - p@ss",
            ),
            (
                "redis://relay:a@b:c@h/1",
                "standalone plain h:6379 db 1 relay a@b:c",
            ),
            ("redis://relay@h", "standalone plain h:6379 db 0 relay -"),
            (
                "redis+sentinel://a,b:1,c/main",
                "sentinel plain a:26379,b:1,c:26379 db 0 - -",
            ),
            (
                "rediss+sentinel://u:p@a/my-main/2",
                "sentinel tls a:26379 db 2 u p",
            ),
            (
                "redis+cluster://a:7000,b:7001",
                "cluster plain a:7000,b:7001 db 0 - -",
            ),
            ("rediss+cluster://a/0", "cluster tls a:6379 db 0 - -"),
        ] {
            let url = RedisUrl::parse(text).unwrap();
            let nodes: Vec<String> = url.nodes.iter().map(HostPort::to_string).collect();
            let found = format!(
                "{} {} {} db {} {} {}",
                url.topology,
                if url.encrypted { "tls" } else { "plain" },
                nodes.join(","),
                url.database,
                url.username.as_deref().unwrap_or("-"),
                url.password.as_ref().map_or("-", Secret::expose),
            );
            assert_eq!(found, expected, "{text}");
        }
        let sentinel = RedisUrl::parse("redis+sentinel://a/main").unwrap();
        let service = "main".to_owned();
        assert_eq!(sentinel.topology, Topology::Sentinel { service });
    }

    #[test]
    fn a_faulty_redis_url_is_refused_without_repeating_it() {
        let scheme = "must begin with redis://, rediss://, redis+sentinel://, \
            rediss+sentinel://, redis+cluster:// or rediss+cluster://";
        let encoding = "has a user or password that is not percent-encoded UTF-8";
        let service = "must name the service after its hosts: redis+sentinel://HOST,HOST/SERVICE";
        for (text, what) in [
            ("", scheme),
            ("127.0.0.1:6379", scheme),
            ("http://a", scheme),
            ("redis+://a", scheme),
            ("redis+unix://a", scheme),
            ("unix:///run/redis.sock", scheme),
            ("redis://", "names no host"),
            (
                "redis://a,b",
                "names several hosts: use redis+sentinel:// or redis+cluster://",
            ),
            ("redis://a,,b", "names no host"),
            ("redis://a:0", "must have a port from 1 to 65535"),
            (
                "redis://a/x",
                "must have nothing after its `/` but a database number",
            ),
            ("redis://a/65536", "must have a database from 0 to 65535"),
            (
                "redis://:p/w@a",
                "has a `/` before its `@` (in a password: %2F)",
            ),
            ("redis://:p%4@a", encoding),
            ("redis://:p%zz@a", encoding),
            ("redis://:%ff@a", encoding),
            (
                "redis://:p#w@a",
                "must have no query and no fragment (in a password: %3F, %23)",
            ),
            ("redis+sentinel://a", service),
            ("redis+sentinel://a/ma in", service),
            (
                "redis+cluster://a/1",
                "names a database, which a Cluster does not have",
            ),
        ] {
            assert_eq!(RedisUrl::parse(text), Err(what), "{text}");
        }
    }
}
