//! Measures the CPU time of a call's metrics and log line.
//!
//! `cargo run --release -p relay-gateway --example call_cost`
//!
//! A second process is measured. The first one reads its log through a pipe, like a container runtime: the reader's
//! time is not counted, and dropped lines are detected.
#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used
)]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::logging::{CallLine, Filter, LogOptions, Outcome, dropped_lines, init, set_filter};
use metrics::{
    AnsweredCall, BillerSeries, LedgerOperation, Metrics, ResCodeLabel, Stage, StageTimes,
};
use protocol::{Api, BillerCode, ResCode};

/// Calls of a batch: fewer than the log's queue holds, so that no line is dropped.
const CALLS: usize = 50_000;

/// Rounds of the measurement, each with one batch of every kind.
const ROUNDS: usize = 21;

/// The argument of the measured process.
const MEASURED: &str = "--measured";

fn main() {
    if std::env::args().any(|argument| argument == MEASURED) {
        measure();
    } else {
        read_log();
    }
}

/// Starts the measured process, reads its log, and sends it a byte after each batch of lines.
fn read_log() {
    let mut measured = Command::new(std::env::current_exe().unwrap())
        .arg(MEASURED)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut batch_read = measured.stdin.take().unwrap();
    let mut log = BufReader::new(measured.stdout.take().unwrap());
    let (mut lines, mut bytes, mut line) = (0, 0, Vec::new());
    while log.read_until(b'\n', &mut line).unwrap() > 0 {
        lines += 1;
        bytes += line.len();
        line.clear();
        if lines % CALLS == 0 {
            batch_read.write_all(&[0]).unwrap();
        }
    }
    assert!(measured.wait().unwrap().success());
    assert_eq!(lines, CALLS * ROUNDS, "lines were dropped");
    println!("{lines} lines were read, of {} bytes each", bytes / lines);
}

/// The work of a batch for each call.
#[derive(Clone, Copy)]
enum Kind {
    Nothing,
    Clock,
    Counted,
    CountedRefusal,
    LineOff,
    LineOn,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Clock,
        Self::Counted,
        Self::CountedRefusal,
        Self::LineOff,
        Self::LineOn,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Nothing => "the loop alone",
            Self::Clock => "clock readings, one per stage",
            Self::Counted => "metrics of a relayed call",
            Self::CountedRefusal => "metrics of a refused call",
            Self::LineOff => "log line, `call=off`",
            Self::LineOn => "log line, `info`",
        }
    }
}

/// CPU nanoseconds per call.
#[derive(Clone, Copy)]
struct Cost {
    /// CPU time of the thread that serves the call.
    worker: f64,
    /// CPU time of all threads, including the log's writer.
    process: f64,
}

/// Alternates the kinds, so that other load on the machine affects all of them equally.
fn measure() {
    let guard = init(&LogOptions::default()).unwrap();
    let series = Series::new();
    let mut costs = Kind::ALL.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (kind, costs) in Kind::ALL.into_iter().zip(&mut costs) {
            costs.push(batch(kind, &series));
        }
    }
    assert_eq!(dropped_lines(), 0);
    eprintln!(
        "CPU nanoseconds per call: median of {ROUNDS} batches of {CALLS} calls (lowest to highest)\n"
    );
    eprintln!("| | worker | all threads |\n|---|---|---|");
    for (kind, costs) in Kind::ALL.into_iter().zip(&costs) {
        let worker = median_and_range(costs.iter().map(|cost| cost.worker));
        let process = median_and_range(costs.iter().map(|cost| cost.process));
        eprintln!("| {} | {worker} | {process} |", kind.label());
    }
    drop(guard);
}

fn median_and_range(costs: impl Iterator<Item = f64>) -> String {
    let mut costs: Vec<f64> = costs.collect();
    costs.sort_by(f64::total_cmp);
    let (lowest, highest) = (costs[0], costs[costs.len() - 1]);
    format!(
        "{:.0} ({lowest:.0} to {highest:.0})",
        costs[costs.len() / 2]
    )
}

fn batch(kind: Kind, series: &Series) -> Cost {
    let filter = if let Kind::LineOff = kind {
        "info,call=off"
    } else {
        "info"
    };
    set_filter(Filter::parse(filter).unwrap()).unwrap();
    let before = cpu_time();
    for call in 0..CALLS {
        let call = black_box(call);
        match kind {
            Kind::Nothing => {}
            Kind::Clock => {
                for _ in 0..Stage::COUNT {
                    black_box(Instant::now());
                }
            }
            Kind::Counted => series.relayed(call),
            Kind::CountedRefusal => series.refused(call),
            Kind::LineOff | Kind::LineOn => line(call),
        }
    }
    if let Kind::LineOn = kind {
        // Waits until the reader has all lines.
        std::io::stdin().read_exact(&mut [0]).unwrap();
    }
    let after = cpu_time();
    let per_call = |nanoseconds: u64| nanoseconds as f64 / CALLS as f64;
    Cost {
        worker: per_call(after.worker - before.worker),
        process: per_call(after.process - before.process),
    }
}

/// The series of a gateway with one biller.
struct Series {
    metrics: Arc<Metrics>,
    biller: Arc<BillerSeries>,
}

impl Series {
    fn new() -> Self {
        let metrics = Metrics::new(Duration::from_secs(3));
        let biller = metrics.biller(BillerCode::parse("B0001").unwrap());
        Self { metrics, biller }
    }

    /// Records all metrics of a relayed call.
    fn relayed(&self, call: usize) {
        let in_flight = self.biller.enter();
        drop(self.metrics.time_ledger(LedgerOperation::Lookup));
        let upstream = upstream_time(call);
        self.biller.upstream_answered(Api::Prepay, upstream);
        self.answered(ResCode::Ok, Some(upstream), call);
        drop(in_flight);
    }

    /// Records all metrics of a refused call, whose rare code needs a look-up of its counter.
    fn refused(&self, call: usize) {
        let in_flight = self.biller.enter();
        drop(self.metrics.time_ledger(LedgerOperation::Lookup));
        self.answered(ResCode::E403, None, call);
        drop(in_flight);
    }

    fn answered(&self, code: ResCode, upstream: Option<Duration>, call: usize) {
        let overhead = Duration::from_nanos(9_000 + call as u64 % 1_000);
        let answered = AnsweredCall {
            api: Some(Api::Prepay),
            res_code: ResCodeLabel::from(code),
            status: 200,
            total: upstream.unwrap_or_default() + overhead * 5,
            upstream,
            stages: StageTimes::of(|stage| match stage {
                Stage::Upstream => upstream.unwrap_or_default(),
                // A pooled connection.
                Stage::Connect => Duration::ZERO,
                _ => overhead,
            }),
        };
        self.metrics.answered(&self.biller, black_box(&answered));
    }
}

fn line(call: usize) {
    let upstream = upstream_time(call);
    let line = CallLine {
        request_id: "0193a5c2-7d1e-7000-8000-000000000001",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        api: Some(Api::Prepay),
        biller: BillerCode::parse("B0001"),
        res_code: ResCodeLabel::from(ResCode::Ok),
        status: 200,
        total: upstream + Duration::from_micros(45),
        upstream: Some(upstream),
        outcome: Outcome::Relayed,
        reason: None,
    };
    black_box(&line).emit();
}

/// Returns up to 20 milliseconds, so that calls fall into several buckets.
fn upstream_time(call: usize) -> Duration {
    Duration::from_micros(500 + call as u64 * 7 % 20_000)
}

/// CPU time so far, in nanoseconds.
struct CpuTime {
    worker: u64,
    process: u64,
}

fn cpu_time() -> CpuTime {
    // The kernel updates a thread's CPU time when the thread yields.
    std::thread::yield_now();
    let worker = run_nanoseconds("/proc/thread-self/schedstat");
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of_task = |task: std::io::Result<std::fs::DirEntry>| {
        run_nanoseconds(task.unwrap().path().join("schedstat"))
    };
    CpuTime {
        worker,
        process: tasks.map(of_task).sum(),
    }
}

fn run_nanoseconds(file: impl AsRef<std::path::Path>) -> u64 {
    let text = std::fs::read_to_string(file).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
