//! What of the machine was used while something was measured: by the side itself, by the database,
//! and by others. Read from Linux's `/proc`, so a benchmark runs nowhere else.

use std::fs;
use std::path::Path;
use std::time::Instant;
use std::{fmt, process};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::figures::Rounded;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Usage {
    /// CPU time of the side's process.
    pub(super) cpu_seconds: f64,
    /// CPU time of the database server, all its processes together.
    pub(super) database_cpu_seconds: f64,
    /// Cores that were busy on average with what is no part of the measurement.
    pub(super) others_cores: f64,
    /// Resident memory of the side's process, at its highest since it was started.
    pub(super) peak_memory_megabytes: f64,
}

/// The other processes of a measurement.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Neighbours {
    #[arg(long)]
    pub(super) postmaster: u32,
    #[arg(long)]
    pub(super) provider: u32,
}

/// Reads at the beginning and at the end.
pub(super) struct Meter {
    neighbours: Neighbours,
    began: Instant,
    at_first: CpuTimes,
}

impl Meter {
    pub(super) fn start(neighbours: Neighbours) -> anyhow::Result<Self> {
        let at_first = CpuTimes::read(neighbours)?;
        Ok(Self { neighbours, began: Instant::now(), at_first })
    }

    /// What was used since the start.
    pub(super) fn read(&self) -> anyhow::Result<Usage> {
        let (now, then) = (CpuTimes::read(self.neighbours)?, &self.at_first);
        let (own, database) = (now.own - then.own, now.database - then.database);
        let ours = own + database + now.provider - then.provider;
        let others = (now.machine - then.machine - ours).max(0.0);
        Ok(Usage {
            cpu_seconds: own,
            database_cpu_seconds: database,
            others_cores: others / self.began.elapsed().as_secs_f64(),
            peak_memory_megabytes: peak_memory_megabytes()?,
        })
    }
}

/// In seconds, since each was started.
struct CpuTimes {
    own: f64,
    database: f64,
    provider: f64,
    machine: f64,
}

impl CpuTimes {
    fn read(neighbours: Neighbours) -> anyhow::Result<Self> {
        Ok(Self {
            own: Stat::of(process::id())?.own_seconds(),
            database: database_seconds(neighbours.postmaster)?,
            provider: Stat::of(neighbours.provider)?.own_seconds(),
            machine: machine_seconds()?,
        })
    }
}

/// The postmaster, the processes it has ended and waited for, and those that run.
fn database_seconds(postmaster: u32) -> anyhow::Result<f64> {
    let processes = fs::read_dir("/proc")?.filter_map(Result::ok);
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    // One may end while we look; its time is the postmaster's then.
    let stats = pids.filter_map(|pid| Stat::of(pid).ok());
    let running: f64 =
        stats.filter(|stat| stat.parent == postmaster).map(|stat| stat.own_seconds()).sum();
    let postmaster = Stat::of(postmaster)?;
    Ok(running + postmaster.own_seconds() + postmaster.children_seconds())
}

/// `/proc/<pid>/stat`, as far as it matters.
#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    /// In user and in system mode; of the process, and of children it waited for.
    own: [u64; 2],
    children: [u64; 2],
}

/// What Linux counts processes' time in, on every machine that matters.
const TICKS_PER_SECOND: f64 = 100.0;

impl Stat {
    fn of(pid: u32) -> anyhow::Result<Self> {
        let file = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
        Self::parse(&text).with_context(|| format!("{file} looks otherwise than expected"))
    }

    fn parse(text: &str) -> Option<Self> {
        // The name stands in parentheses, and may contain some.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: [ticks(11)?, ticks(12)?],
            children: [ticks(13)?, ticks(14)?],
        })
    }

    fn own_seconds(&self) -> f64 {
        self.own.iter().sum::<u64>() as f64 / TICKS_PER_SECOND
    }

    fn children_seconds(&self) -> f64 {
        self.children.iter().sum::<u64>() as f64 / TICKS_PER_SECOND
    }
}

/// All that the machine's cores did but wait.
fn machine_seconds() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
    let ticks: Vec<u64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map_while(|field| field.parse().ok())
        .collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is contained in these.
    let busy = [0, 1, 2, 5, 6, 7].map(|at| ticks.get(at).copied().unwrap_or(0));
    Ok(busy.iter().sum::<u64>() as f64 / TICKS_PER_SECOND)
}

fn peak_memory_megabytes() -> anyhow::Result<f64> {
    let text = fs::read_to_string(Path::new("/proc/self/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = line
        .and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .context("/proc/self/status says nothing of VmHWM")?;
    Ok(kilobytes * 1024.0 / 1e6)
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} CPU s, database {} CPU s, {} MB, others on {} cores",
            Rounded(self.cpu_seconds),
            Rounded(self.database_cpu_seconds),
            Rounded(self.peak_memory_megabytes),
            Rounded(self.others_cores),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_a_parenthesis_in_its_name_is_read_like_any_other() {
        let line = "7 (a (b) c) S 4 7 7 0 -1 4194304 1 2 3 4 110 12 13 14 20 0 1 0 536626 3133440";
        let expected = Stat { parent: 4, own: [110, 12], children: [13, 14] };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!(Stat::parse("7 (a)"), None);
    }

    #[test]
    fn time_is_read_from_this_machine() {
        let pid = process::id();
        let meter = Meter::start(Neighbours { postmaster: pid, provider: pid }).unwrap();
        let usage = meter.read().unwrap();
        assert!(usage.peak_memory_megabytes > 1.0, "{usage}");
        assert!(machine_seconds().unwrap() > 0.0);
    }
}
