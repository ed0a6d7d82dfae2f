//! A [`Dialer`] opens connections: TCP, TLS and log-in.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::admission::OPERATIONS_BOUND;
use super::fault::Fault;
use super::wake::Wake;
use crate::redis::settings::Settings;
use crate::redis::settings::address::ServerAddress;

/// The kernel notices within half a minute that a server is gone, also on an idle connection.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(15))
    .with_interval(Duration::from_secs(5))
    .with_retries(3);

/// A `Driver` reads and writes a connection; it is run in a task of its own.
pub(crate) type Driver = BoxFuture<'static, ()>;

/// A `Stream` is a connection on which nothing was sent yet.
pub(crate) enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A `Dialer` opens connections with one user and one TLS configuration.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    login: RedisConnectionInfo,
    tls: Option<Arc<ClientConfig>>,
    step: Duration,
    wake: Arc<Wake>,
}

impl Dialer {
    /// Returns the dialer of the servers that hold the ledger's values.
    pub(crate) fn to_servers(settings: &Settings, wake: &Arc<Wake>) -> Self {
        let login = Self::with_password(settings).set_db(i64::from(settings.database));
        Self::new(login, settings, wake)
    }

    /// Returns the dialer of Sentinels that ask for no password.
    pub(crate) fn to_open_sentinels(settings: &Settings, wake: &Arc<Wake>) -> Self {
        Self::new(RedisConnectionInfo::default(), settings, wake)
    }

    /// Returns the dialer of Sentinels that have users of their own.
    pub(crate) fn to_guarded_sentinels(settings: &Settings, wake: &Arc<Wake>) -> Self {
        Self::new(Self::with_password(settings), settings, wake)
    }

    fn with_password(settings: &Settings) -> RedisConnectionInfo {
        let mut login = RedisConnectionInfo::default();
        if let Some(username) = &settings.username {
            login = login.set_username(username);
        }
        if let Some(password) = &settings.password {
            login = login.set_password(password.reveal());
        }
        login
    }

    fn new(login: RedisConnectionInfo, settings: &Settings, wake: &Arc<Wake>) -> Self {
        Self {
            // `CLIENT SETINFO` is younger than some servers, whose users cannot be allowed it.
            login: login.set_skip_set_lib_name(),
            tls: settings.tls.clone(),
            step: settings.timeout,
            wake: Arc::clone(wake),
        }
    }

    /// Returns the time-out of each step to a connection.
    pub(crate) const fn step(&self) -> Duration {
        self.step
    }

    /// Returns what a connection wakes when it is closed.
    pub(crate) const fn wake(&self) -> &Arc<Wake> {
        &self.wake
    }

    /// Connects, encrypts and logs in; each of the three may take one time-out.
    pub(crate) async fn open(
        &self,
        address: &ServerAddress,
    ) -> Result<(MultiplexedConnection, Driver), Fault> {
        match self.stream(address).await? {
            Stream::Clear(stream) => self.log_in(address, stream).await,
            Stream::Tls(stream) => self.log_in(address, stream).await,
        }
    }

    /// Connects and encrypts; each may take one time-out.
    pub(crate) async fn stream(&self, address: &ServerAddress) -> Result<Stream, Fault> {
        let tcp = self.within(address, "connect", connect(address)).await?;
        let Some(tls) = &self.tls else {
            return Ok(Stream::Clear(tcp));
        };
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_| Fault::of(address, "the host is no name that a certificate can have"))?;
        let handshake = TlsConnector::from(Arc::clone(tls)).connect(name, tcp);
        let stream = self.within(address, "TLS", handshake).await?;
        Ok(Stream::Tls(Box::new(stream)))
    }

    /// Returns the commands that are sent on a connection before any other; each is to be answered without an error.
    pub(crate) fn setup_commands(&self) -> Vec<Cmd> {
        let mut setup_commands = Vec::new();
        if let Some(password) = self.login.password() {
            let mut log_in = redis::cmd("AUTH");
            if let Some(username) = self.login.username() {
                log_in.arg(username);
            }
            log_in.arg(password);
            setup_commands.push(log_in);
        }
        if self.login.db() != 0 {
            let mut select = redis::cmd("SELECT");
            select.arg(self.login.db());
            setup_commands.push(select);
        }
        setup_commands
    }

    async fn log_in<S>(
        &self,
        address: &ServerAddress,
        stream: S,
    ) -> Result<(MultiplexedConnection, Driver), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Time-outs are the caller's; the queue is as long as what is admitted, so that no command ever waits
        // for a place in it.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None)
            .set_pipeline_buffer_size(OPERATIONS_BOUND);
        let login = MultiplexedConnection::new_with_config(&self.login, stream, config);
        let (connection, driver) = self.within(address, "log-in", login).await?;
        Ok((connection, driver.boxed()))
    }

    async fn within<T, E: std::fmt::Display>(
        &self,
        address: &ServerAddress,
        step: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Fault> {
        match timeout(self.step, work).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Fault::of(address, format_args!("{step} failed: {error}"))),
            Err(_) => Err(Fault::of(address, format_args!("{step} took too long"))),
        }
    }
}

async fn connect(address: &ServerAddress) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    SockRef::from(&stream).set_tcp_keepalive(&KEEPALIVE)?;
    Ok(stream)
}
