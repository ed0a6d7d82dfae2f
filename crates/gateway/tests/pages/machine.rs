//! A machine as the pages assume it: the example configuration with a token, Redis, and a gateway whose standard output
//! is kept in a file, as systemd's journal keeps it.

use std::cell::{Cell, RefCell};
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::redis::Persistence;
use test_support::{
    Action, Authority, Caller, PAY_RESULT, Process, RedisServer, Upstream, free_port, pay_result,
    with, within,
};

use crate::repository;

/// Longest time for the gateway to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// The bill of the examples: `--biller B0001 --user-key user-1 --month 202611`.
const USER_KEY: &str = "user-1";
const MONTH: &str = "202611";

/// The gateway's standard output.
const LOG: &str = "gateway.log";

pub struct Machine {
    folder: TempDir,
    gateway: RefCell<Option<Process>>,
    pub public: SocketAddr,
    pub ops: SocketAddr,
    pub biller: Upstream,
    pub redis_port: u16,
    kakao: Upstream,
    _redis: RedisServer,
    customers: Cell<u64>,
}

impl Machine {
    /// Starts everything. The token and its digest are what the pages' own command makes.
    pub fn start(make_token: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let redis_port = free_port();
        let machine = Self {
            folder,
            gateway: RefCell::new(None),
            public: address(free_port()),
            ops: address(free_port()),
            biller: Upstream::ok(),
            redis_port,
            kakao: Upstream::ok(),
            _redis: RedisServer::on_port(redis_port, Persistence::Nothing, &[]),
            customers: Cell::new(0),
        };
        machine.install(make_token);
        machine.fail_to_start();
        machine.start_gateway();
        machine.pay(USER_KEY, 31);
        machine
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the example configuration with this machine's addresses and the digest of the token, and a certificate.
    fn install(&self, make_token: &str) {
        let programs = self.folder().join("bin");
        fs::create_dir(&programs).unwrap();
        symlink(env!("CARGO_BIN_EXE_gateway"), programs.join("gateway")).unwrap();
        let made = self.shell(make_token);
        assert!(made.status.success(), "{make_token}: {made:?}");
        let printed = String::from_utf8(made.stdout).unwrap();
        let line = printed
            .lines()
            .find(|line| line.contains("admin_token_sha256"));
        let line = line.expect("the line for [ops]");

        let (example, config) = (repository().join("config"), self.folder().join("config"));
        fs::create_dir_all(config.join("billers")).unwrap();
        let main = fs::read_to_string(example.join("gateway.toml")).unwrap();
        let redis = format!(
            "[ledger.redis]\nurl = \"redis://127.0.0.1:{}/0\"\n\n",
            self.redis_port
        );
        let changed = replaced(
            &main,
            &[
                ("127.0.0.1:8080", &self.public.to_string()),
                ("127.0.0.1:9464", &self.ops.to_string()),
                ("http://127.0.0.1:9001", &self.kakao.url()),
                ("\n[ops]\n", &format!("\n[ops]\n{line}\n")),
                ("\n[billers]\n", &format!("\n{redis}[billers]\n")),
            ],
        );
        fs::write(config.join("gateway.toml"), changed).unwrap();
        for file in fs::read_dir(example.join("billers")).unwrap() {
            let file = file.unwrap();
            let biller = fs::read_to_string(file.path()).unwrap();
            let url = biller.lines().find(|line| line.starts_with("base_url"));
            let own = format!("base_url = \"{}\"", self.biller.url());
            let changed = replaced(&biller, &[(url.unwrap(), &own)]);
            fs::write(config.join("billers").join(file.file_name()), changed).unwrap();
        }
        let authority = Authority::new();
        authority.server();
        let shown = self.folder().join("listener.pem");
        fs::copy(authority.server_certificate(), shown).unwrap();
    }

    /// Starts a gateway that ends at once: the log has a fault that operators search for.
    fn fail_to_start(&self) {
        fs::write(
            self.folder().join("config/broken.toml"),
            "[budget]\ntotal = 3\n",
        )
        .unwrap();
        let status = self.serve("config/broken.toml").wait();
        assert_eq!(status, Some(1));
    }

    pub fn start_gateway(&self) {
        let starts = || self.log().matches("the gateway serves").count();
        let before = starts();
        *self.gateway.borrow_mut() = Some(self.serve("config/gateway.toml"));
        within(PATIENCE, "the gateway serves", || starts() > before);
    }

    /// Ends the gateway in good order.
    pub fn stop_gateway(&self) {
        let mut gateway = self.gateway.borrow_mut().take().expect("it runs");
        gateway.signal("TERM");
        assert_eq!(gateway.wait(), Some(0), "{}", self.log());
    }

    fn serve(&self, file: &str) -> Process {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder().join(LOG));
        let mut serve = Command::new(env!("CARGO_BIN_EXE_gateway"));
        serve
            .args(["serve", "--config", file])
            .current_dir(self.folder());
        Process::spawn(
            serve
                .stdout(log.unwrap())
                .stderr(File::create(self.folder().join("stderr")).unwrap()),
        )
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join(LOG)).unwrap_or_default()
    }

    /// Has Kakao Pay report a payment that the biller refuses.
    pub fn pay(&self, user_key: &str, pay_id: u64) {
        self.biller
            .now(|_| Action::json(200, r#"{"res_code":"E902","message":"x"}"#));
        let payment = pay_result(user_key, "P", pay_id, 20000);
        let payment = with(payment, "billed_year_month", json!(MONTH));
        let reply = Caller::connect(self.public).post(PAY_RESULT, payment.to_string());
        assert_eq!(reply.res_code(), "E902");
        self.biller.now(|_| Action::ok());
    }

    /// Has another customer pay with this number, so that there is a pay-result to deliver.
    pub fn pay_anew(&self, pay_id: u64) {
        self.customers.set(self.customers.get() + 1);
        self.pay(&format!("customer-{}", self.customers.get()), pay_id);
    }

    /// Has Kakao Pay report a payment by a card whose prefix has eight digits; returns the id of what was refused.
    pub fn refused_pay_result(&self) -> String {
        self.customers.set(self.customers.get() + 1);
        let customer = format!("customer-{}", self.customers.get());
        let payment = pay_result(&customer, "P", 32, 20000);
        let payment = with(payment, "pay_detail1", json!("12345678"));
        let reply = Caller::connect(self.public).post(PAY_RESULT, payment.to_string());
        assert_eq!(reply.res_code(), "E006");
        let listed = self.shell("gateway payments refused list --json").stdout;
        let listed: Value = serde_json::from_slice(&listed).unwrap();
        let newest = listed["refused"]
            .as_array()
            .unwrap()
            .last()
            .expect("an entry");
        newest["id"].as_str().unwrap().to_owned()
    }

    /// Returns the request id of a call that reported a payment.
    pub fn request_id(&self) -> String {
        let mut id = None;
        within(PATIENCE, "the line of a pay-result", || {
            let log = self.log();
            let whole = log.rsplit_once('\n').map_or("", |(lines, _)| lines);
            let mut lines = whole
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap());
            let call = lines.find(|line| line["api"] == "pay_result");
            id = call.map(|call| call["request_id"].as_str().unwrap().to_owned());
            id.is_some()
        });
        id.unwrap()
    }

    /// Runs a line in a shell of an operator.
    pub fn shell(&self, line: &str) -> Output {
        let programs = self.folder().join("bin");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let token = fs::read_to_string(self.folder().join("admin.token")).unwrap_or_default();
        let mut shell = Command::new("sh");
        shell.args(["-ec", line]).current_dir(self.folder());
        shell.env("PATH", path).env("USER", "kim");
        shell.env("GATEWAY_ADMIN_TOKEN", token.trim());
        shell.output().unwrap()
    }
}

/// Returns a text with each of these, which are in it once, replaced.
fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (old, new)| {
        assert_eq!(text.matches(old).count(), 1, "{old} in {text}");
        text.replace(old, new)
    })
}
