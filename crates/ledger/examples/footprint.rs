//! What bills cost: memory, disk, the time of a start, and a million commits' time.
//!
//! `cargo run --release -p relay-ledger --example footprint -- 1000000 [redis://…'s port]`
#![allow(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::join_all;
use ledger::redis::{ServerAddress, Settings, Topology};
use ledger::{DeliveryOutcome, KeptAnswer, Ledger, LinkOutcome, MessageDigest, Options, Timestamp};
use protocol::{Bill, BillerCode, KoreanTime, PayResult, Rules};

/// Bills that are under way at once: what a busy gateway gathers into one commit.
const AT_ONCE: usize = 1_000;

/// Pay-results that are under way at once while their cost is measured, and how many of them are.
const GROUPS: [(usize, usize); 4] = [(1, 500), (8, 4_000), (32, 8_000), (128, 16_000)];

/// Bills of one biller.
const PER_BILLER: usize = 10_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let bills: usize = arguments
        .next()
        .map_or(100_000, |bills| bills.parse().unwrap());
    let redis: Option<u16> = arguments.next().map(|port| port.parse().unwrap());
    let directory = std::env::temp_dir().join(format!("footprint-{}", std::process::id()));
    let options = Options {
        redis: redis.map(settings),
        ..Options::embedded(directory.clone())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(&options, Timestamp::now()).unwrap();
        let before = resident_bytes();
        let began = Instant::now();
        for first in (0..bills).step_by(AT_ONCE) {
            let numbers = first..bills.min(first + AT_ONCE);
            join_all(numbers.map(|number| life(&ledger, number))).await;
        }
        let (count, took) = (bills as f64, began.elapsed());
        println!("bills: {bills}, linked, paid and accepted in {took:?}");
        println!(
            "memory per bill: {:.0} bytes",
            (resident_bytes() - before) / count
        );
        let mut number = bills;
        for (group, pay_results) in GROUPS {
            let (began, used) = (Instant::now(), processor_micros());
            for _ in 0..pay_results / group {
                join_all((number..number + group).map(|number| pay(&ledger, number))).await;
                number += group;
            }
            println!(
                "a pay-result in groups of {group}: {:.0} µs of processor time, {:.0} µs in all",
                (processor_micros() - used) / pay_results as f64,
                began.elapsed().as_micros() as f64 / pay_results as f64
            );
        }
        let count = (bills + GROUPS.iter().map(|(_, count)| count).sum::<usize>()) as f64;
        drop(ledger);
        println!(
            "journal per bill: {:.0} bytes",
            folder_bytes(&directory) / count
        );
        let began = Instant::now();
        drop(Ledger::open(&options, Timestamp::now()).unwrap());
        println!("a start takes {:?}", began.elapsed());
    });
    std::fs::remove_dir_all(directory).unwrap();
}

fn settings(port: u16) -> Settings {
    Settings {
        topology: Topology::Standalone(ServerAddress::new("127.0.0.1", port)),
        database: 0,
        username: None,
        password: None,
        key_prefix: "relay".into(),
        value_key: None,
        tls: None,
        timeout: Settings::TIMEOUT * 10,
    }
}

/// A link, a payment, and a biller that accepts it.
async fn life(ledger: &Ledger, number: usize) {
    let biller = BillerCode::parse(&format!("B{:04}", number / PER_BILLER)).unwrap();
    let user_key = format!("{number:010}");
    let bill = Bill::from_parts(biller, &user_key, "202611", "", "", &[]);
    let now = Timestamp::now();
    let until = now.plus(std::time::Duration::from_secs(3));
    let reservation = ledger
        .reserve(&bill, ledger::FactContext::default(), now, until)
        .await
        .unwrap();
    let expire_at = KoreanTime::parse("20991231235959").unwrap();
    let outcome = LinkOutcome::Linked { expire_at };
    ledger.settle(&reservation, &outcome, now).await.unwrap();
    pay(ledger, number).await;
}

/// A payment, and a biller that accepts it.
async fn pay(ledger: &Ledger, number: usize) {
    let biller = BillerCode::parse(&format!("B{:04}", number / PER_BILLER)).unwrap();
    let user_key = format!("{number:010}");
    let now = Timestamp::now();
    let body = Bytes::from(format!(
        r#"{{"data":{{"biller_user_key":"{user_key}","billed_year_month":"202611","pay_by":"MONEY","pay_type":"P","amount":20000,"pay_amount":20000,"pay_fee_type":"BEFORE","pay_fee":150,"pay_fee_tax":15,"paid_at":"20261124120000","pay_id":{number}}}}}"#
    ));
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &[],
    };
    let paid = PayResult::parse(&body, biller, &rules).unwrap();
    let message = MessageDigest::of(&body);
    ledger
        .record_payment(&paid.bill, &paid.event, &body, message.into(), now)
        .await;
    let answer = KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json;charset=utf-8"),
        body: Bytes::from_static(r#"{"res_code":"OK","message":"성공","data":null}"#.as_bytes()),
    };
    let delivered = DeliveryOutcome::Accepted(answer);
    ledger
        .record_delivery(&paid.bill, &paid.event, message.into(), delivered, now)
        .await
        .unwrap();
}

fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0
}

/// Processor time of this process so far, in ticks of ten milliseconds.
fn processor_micros() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields
        .map(|ticks| ticks.parse::<f64>().unwrap() * 10_000.0)
        .sum()
}

fn folder_bytes(folder: &Path) -> f64 {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len() as f64)
        .sum()
}
