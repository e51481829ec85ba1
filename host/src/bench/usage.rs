//! What this process uses, as Linux says in `/proc`.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The unit of CPU time in `/proc/self/stat`, the same on all of Linux.
const TICK: Duration = Duration::from_millis(10);

/// How often memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(5);

/// Returns the CPU time of all threads so far, also of those that have ended.
pub(super) fn cpu_time() -> io::Result<Duration> {
    cpu_of(0)
}

/// Returns the CPU time of all processes that this one has started and that ended.
pub(super) fn cpu_time_of_children() -> io::Result<Duration> {
    cpu_of(2)
}

fn cpu_of(skipped: usize) -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let ticks = cpu_ticks(&stat, skipped).ok_or_else(|| unreadable("/proc/self/stat"))?;
    Ok(TICK * ticks)
}

/// Returns user and system time: the process's own, or behind two more fields its
/// children's. The second field of all is the program's name in
/// parentheses, which may contain anything.
fn cpu_ticks(stat: &str, skipped: usize) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11 + skipped);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    user.checked_add(system)
}

/// Returns the memory that is this process's alone: `RssAnon`, in KiB.
fn own_memory_kib() -> io::Result<u64> {
    memory_kib(std::process::id())
}

/// Returns the memory that is a process's alone: `RssAnon`, in KiB.
pub(super) fn memory_kib(process: u32) -> io::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path)?;
    rss_anon_kib(&status).ok_or_else(|| unreadable(&path))
}

fn rss_anon_kib(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What a process has read and written, in MB. What it maps into its memory and
/// reads there counts nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Io {
    /// Asked for, wherever it came from.
    pub read_mb: f64,
    /// Handed over.
    pub written_mb: f64,
    /// Fetched from the disk.
    pub disk_read_mb: f64,
    /// Sent to the disk.
    pub disk_written_mb: f64,
}

impl Io {
    /// Returns what this process has read and written so far.
    pub(super) fn now() -> io::Result<Self> {
        let text = fs::read_to_string("/proc/self/io")?;
        Self::parse(&text).ok_or_else(|| unreadable("/proc/self/io"))
    }

    fn parse(text: &str) -> Option<Self> {
        let megabytes = |name: &str| -> Option<f64> {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            let bytes: u64 = lines.find(|(known, _)| *known == name)?.1.parse().ok()?;
            Some(bytes as f64 / 1e6)
        };
        Some(Self {
            read_mb: megabytes("rchar")?,
            written_mb: megabytes("wchar")?,
            disk_read_mb: megabytes("read_bytes")?,
            disk_written_mb: megabytes("write_bytes")?,
        })
    }

    /// Returns what came to it since then.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            read_mb: self.read_mb - before.read_mb,
            written_mb: self.written_mb - before.written_mb,
            disk_read_mb: self.disk_read_mb - before.disk_read_mb,
            disk_written_mb: self.disk_written_mb - before.disk_written_mb,
        }
    }
}

fn unreadable(path: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("`{path}` isn't as expected"),
    )
}

/// Watches the memory of this process until it is asked for the most.
pub(super) struct MemoryWatch {
    most_kib: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    watcher: JoinHandle<io::Result<()>>,
}

impl MemoryWatch {
    /// Begins to watch.
    pub(super) fn begin() -> io::Result<Self> {
        let most_kib = Arc::new(AtomicU64::new(own_memory_kib()?));
        let over = Arc::new(AtomicBool::new(false));
        let (most, end) = (Arc::clone(&most_kib), Arc::clone(&over));
        let watcher = std::thread::Builder::new()
            .name("memory-watch".to_owned())
            .spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    most.fetch_max(own_memory_kib()?, Ordering::Relaxed);
                    std::thread::sleep(SAMPLE_EVERY);
                }
                Ok(())
            })?;
        Ok(Self {
            most_kib,
            over,
            watcher,
        })
    }

    /// Ends watching, and returns the most that there was, in KiB.
    pub(super) fn end(self) -> io::Result<u64> {
        self.over.store(true, Ordering::Relaxed);
        let watched = self.watcher.join();
        watched.map_err(|_| io::Error::other("the watch on memory ended early"))??;
        Ok(self.most_kib.load(Ordering::Relaxed).max(own_memory_kib()?))
    }
}

#[cfg(test)]
mod tests {
    use super::{Io, MemoryWatch, cpu_ticks, cpu_time, rss_anon_kib};

    #[test]
    fn what_linux_says_is_read() {
        let stat = "17 (a) b) S 1 17 17 0 -1 4194304 100 0 0 0 250 31 7 8 20 0 3 0 99";
        assert_eq!(cpu_ticks(stat, 0), Some(281));
        assert_eq!(cpu_ticks(stat, 2), Some(15));
        assert_eq!(cpu_ticks("17 (idr) S 1", 0), None);
        let status = "VmRSS:\t   300 kB\nRssAnon:\t   120 kB\nRssFile:\t 180 kB\n";
        assert_eq!(rss_anon_kib(status), Some(120));
        assert_eq!(rss_anon_kib("VmRSS: 1 kB\n"), None);
        let io = "rchar: 5000000\nwchar: 1\nsyscr: 2\nread_bytes: 0\nwrite_bytes: 8000000\n";
        let io = Io::parse(io).expect("all is there");
        assert_eq!((io.read_mb, io.disk_written_mb), (5.0, 8.0));
        assert_eq!(Io::parse("rchar: 1\n"), None);
    }

    #[test]
    fn memory_that_was_used_in_between_counts() {
        let before = cpu_time().expect("this is Linux");
        let watch = MemoryWatch::begin().expect("this is Linux");
        let block = vec![1_u8; 64 << 20];
        // Long enough for the watcher to look.
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert_eq!(
            block.iter().map(|byte| u64::from(*byte)).sum::<u64>(),
            64 << 20
        );
        drop(block);
        let most_kib = watch.end().expect("this is Linux");
        assert!(most_kib >= 64 << 10, "{most_kib}");
        assert!(cpu_time().expect("this is Linux") >= before);
    }
}
