//! System V shared memory that a killed PostgreSQL leaves, and that the floor's bare loop does not remove.

use std::process::Command;
use std::time::{Duration, Instant};

/// How long processes that are ending already may hold on to a segment.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes the segments that these processes have made, once nobody is attached to them.
pub(crate) fn remove_of(creators: &[u32]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = segments(creators);
        for (segment, _) in left.iter().filter(|(_, attached)| *attached == 0) {
            let _ = Command::new("ipcrm").args(["-m", &segment.to_string()]).status();
        }
        if left.is_empty() || Instant::now() > deadline {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Number and attached processes of each.
fn segments(creators: &[u32]) -> Vec<(u32, u32)> {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u32>().ok();
        // key, shmid, perms, size, cpid, lpid, nattch
        let made_by_these = creators.contains(&number(4)?);
        made_by_these.then_some((number(1)?, number(6)?))
    };
    table.lines().filter_map(parse).collect()
}
