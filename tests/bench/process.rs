//! What the kernel says of a process: memory and processor time, from `/proc`.

/// Kernel clock ticks in a second (`getconf CLK_TCK`).
const TICKS_PER_S: f64 = 100.0;

fn file(pid: u32, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).expect("a running process")
}

/// Processor seconds so far.
pub fn cpu_s(pid: u32) -> f64 {
    let stat = file(pid, "stat");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| -> f64 { fields[index].parse().expect("ticks") };
    (ticks(11) + ticks(12)) / TICKS_PER_S
}

/// MiB of memory in use.
pub fn rss_mib(pid: u32) -> f64 {
    let status = file(pid, "status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("KiB");
    kib / 1024.0
}
