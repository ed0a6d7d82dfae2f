//! The Redis that the nodes share.

use std::env::VarError;
use std::fmt;
use std::time::Duration;

use ledger::Copies;
use toml::de::DeValue;

use super::parse::bounds;
use super::parse::duration;
use super::parse::host_port::HostPort;
use super::parse::named_file;
use super::parse::redis_url::{RedisUrl, Topology};
use super::parse::secret::Secret;
use super::parse::section::Section;
use super::parse::size;
use super::parse::spelling::excerpt;
use super::parse::value;
use super::tls::UpstreamTls;

/// The table `[ledger.redis]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// One server, Sentinel or Cluster.
    pub topology: Topology,
    /// The server, the Sentinels, or seeds of the Cluster; never empty.
    pub nodes: Vec<HostPort>,
    /// The database; 0 in a Cluster.
    pub database: u16,
    /// The ACL user; `None`: the default user.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The prefix of every key: `[A-Za-z0-9_.-]{1,64}`.
    pub key_prefix: String,
    /// How long the values of a bill without activity stay in Redis.
    pub keep: Duration,
    /// The most bytes of this node's stream of facts.
    pub stream_bytes: usize,
    /// Replicas that must have a payment, too, before Redis counts as its second copy.
    pub wait_replicas: u32,
    /// The secret of the checksums of values; `None`: values have none.
    pub key_file: Option<Secret>,
    /// TLS, for the schemes that begin with `rediss`; `None`: plain TCP.
    pub tls: Option<UpstreamTls>,
}

impl RedisSettings {
    /// Reads the table. `copies` and `retention` are those of `[ledger]`, which some keys have no effect beside.
    pub(super) fn read(
        mut section: Section<'_>,
        copies: Copies,
        retention: Duration,
    ) -> Option<Self> {
        const STREAM_BYTES: usize = 256 << 20;
        let url = section.required("url", |value| {
            RedisUrl::parse(value::text(value)?).map_err(|fault| format!("the URL {fault}"))
        });
        let key_prefix = section.or("key_prefix", "relay".to_owned(), key_prefix);
        let keep = keep(&mut section, retention);
        let stream_bytes = section.or("stream", STREAM_BYTES, |value| {
            size::read(value, &bounds::STREAM_BYTES)
        });
        let wait_replicas = wait_replicas(&mut section, copies);
        let username = section.optional("username", |value| value::name(value, 100));
        let password_file = password_file(&mut section);
        let password_env = section.optional("password_env", password_env);
        let key_file = key_file(&mut section);
        let tls = UpstreamTls::read_keys(&mut section);
        if let Some(url) = &url {
            check_one_source(&section, url);
            check_encryption(&section, url);
            if url.encrypted {
                tls.check_contents(&section);
            }
        }
        section.finish();
        let url = url?;
        Some(Self {
            topology: url.topology,
            nodes: url.nodes,
            database: url.database,
            username: url.username.or(username),
            password: url.password.or(password_file).or(password_env),
            key_prefix,
            keep,
            stream_bytes,
            wait_replicas,
            key_file,
            tls: url.encrypted.then_some(tls),
        })
    }
}

/// The URL without user and password.
impl fmt::Display for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encrypted = if self.tls.is_some() { "s" } else { "" };
        let nodes: Vec<String> = self.nodes.iter().map(HostPort::to_string).collect();
        let nodes = nodes.join(",");
        match &self.topology {
            Topology::Standalone => write!(f, "redis{encrypted}://{nodes}/{}", self.database),
            Topology::Sentinel { service } => write!(
                f,
                "redis{encrypted}+sentinel://{nodes}/{service}/{}",
                self.database
            ),
            Topology::Cluster => write!(f, "redis{encrypted}+cluster://{nodes}"),
        }
    }
}

fn key_prefix(value: &DeValue<'_>) -> Result<String, String> {
    let text = value::text(value)?;
    if value::is_redis_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "must be 1 to 64 characters of [A-Za-z0-9_.-], not `{}`",
            excerpt(text)
        ))
    }
}

fn keep(section: &mut Section<'_>, retention: Duration) -> Duration {
    const KEY: &str = "keep";
    const DEFAULT: Duration = Duration::from_hours(45 * 24);
    let keep = section.or(KEY, DEFAULT, |value| {
        duration::read(value, &bounds::KEEP_VALUES)
    });
    // The default beside a short retention is nobody's mistake, and does no harm.
    if section.has(KEY) && keep > retention {
        section.warn(
            KEY,
            "is longer than `ledger.retention`: bills that were never paid are forgotten before it ends",
        );
    }
    keep
}

fn wait_replicas(section: &mut Section<'_>, copies: Copies) -> u32 {
    const KEY: &str = "wait_replicas";
    let replicas = section.or(KEY, 0, |value| value::count(value, &bounds::WAIT_REPLICAS));
    if replicas > 0 && copies == Copies::One {
        section.warn(
            KEY,
            "has no effect: with `ledger.copies = 1` no payment waits for Redis",
        );
    }
    replicas
}

fn password_file(section: &mut Section<'_>) -> Option<Secret> {
    const KEY: &str = "password_file";
    let path = named_file::readable(section, KEY)?;
    named_file::warn_if_readable_by_others(section, KEY, &path);
    match named_file::read_secret(&path) {
        Ok(secret) => Some(secret),
        Err(message) => {
            section.fault(KEY, message);
            None
        }
    }
}

fn key_file(section: &mut Section<'_>) -> Option<Secret> {
    const KEY: &str = "key_file";
    /// Characters of a secret that nobody guesses.
    const LEAST_CHARS: usize = 32;
    if !section.has(KEY) {
        section.warn(
            KEY,
            "is missing: whoever can write to Redis can make a paid bill payable again, or an unpaid one paid",
        );
    }
    let path = named_file::readable(section, KEY)?;
    named_file::warn_if_readable_by_others(section, KEY, &path);
    match named_file::read_secret(&path) {
        Ok(secret) if secret.expose().len() >= LEAST_CHARS => Some(secret),
        Ok(_) => {
            section.fault(
                KEY,
                "the file must hold at least 32 characters that nobody guesses, the same on every node: \
                 openssl rand -hex 32"
                    .to_owned(),
            );
            None
        }
        Err(message) => {
            section.fault(KEY, message);
            None
        }
    }
}

fn password_env(value: &DeValue<'_>) -> Result<Secret, String> {
    let text = value::text(value)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty() || !text.bytes().all(allowed) {
        // The text is not quoted: it may be the password itself.
        return Err("must be the name of an environment variable".to_owned());
    }
    let what = match std::env::var(text) {
        Ok(secret) if !secret.is_empty() => return Ok(Secret::new(secret)),
        Ok(_) => "is empty",
        Err(VarError::NotPresent) => "is not set",
        Err(VarError::NotUnicode(_)) => "is not UTF-8",
    };
    // A password in place of a name is not quoted. Names of variables are in capital letters.
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(format!(
            "names an environment variable that {what} (its name is not shown, for it may be the password itself)"
        ));
    }
    Err(format!(
        "the environment variable `{text}` {what} for this process: set it (systemd: `EnvironmentFile=`), or use \
         `password_file`"
    ))
}

/// Checks that user and password have one source each, because neither of two takes precedence.
fn check_one_source(section: &Section<'_>, url: &RedisUrl) {
    let mut passwords: Vec<&str> = Vec::new();
    if url.password.is_some() {
        passwords.push("url");
        if section.document().readable_by_others() {
            section.warn(
                "url",
                "holds a password and the file can be read by others than its owner; \
                 0600 is enough, or use `password_file`",
            );
        }
    }
    passwords.extend(
        ["password_file", "password_env"]
            .iter()
            .filter(|key| section.has(key)),
    );
    if let [first, .., last] = passwords[..] {
        section.fault(last, format!("is a second password: `{first}` gives one"));
    }
    if url.username.is_some() && section.has("username") {
        section.fault("username", "is a second user: `url` gives one");
    }
}

fn check_encryption(section: &Section<'_>, url: &RedisUrl) {
    if url.encrypted {
        return;
    }
    for key in ["ca", "certificate", "private_key"] {
        if section.has(key) {
            section.warn(key, "is not used: only rediss URLs are encrypted");
        }
    }
}
