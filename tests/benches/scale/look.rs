//! Looks at this process, its reaper and a daemon's processes through `/proc` and directories.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The memory of several processes, in KiB.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Memory {
    /// Memory that belongs to one process alone and has been written to.
    pub(crate) private_dirty: u64,
    /// Proportional set size: private memory, plus each process's share of shared memory.
    pub(crate) pss: u64,
}

/// What a process has and could leak.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    /// Children that have ended but were not waited for.
    pub(crate) zombies: usize,
    /// Resident memory, in KiB.
    pub(crate) resident: u64,
}

impl Resources {
    pub(crate) fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        Self {
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
            threads: number_after(&status, "Threads:") as usize,
            zombies: processes()
                .values()
                .filter(|process| process.parent == pid && process.state == 'Z')
                .count(),
            resident: number_after(&status, "VmRSS:"),
        }
    }
}

/// The reaper of this process. It is no child of this process, so its environment identifies it.
pub(crate) fn reaper() -> Option<u32> {
    let variable = format!("MANAGED_DAEMONS_REAPER={}:", std::process::id());
    processes().into_keys().find(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|found| found.starts_with(variable.as_bytes()))
    })
}

/// The memory of a process and of all its descendants.
pub(crate) fn memory_of_tree(root: u32) -> Memory {
    let table = processes();
    let mut memory = Memory::default();
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        waiting.extend(table.iter().filter(|(_, of)| of.parent == pid).map(|(child, _)| *child));
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        memory.private_dirty += number_after(&text, "Private_Dirty:");
        memory.pss += number_after(&text, "Pss:");
    }
    memory
}

/// The disk space that the files of a directory take, in KiB.
pub(crate) fn disk(dir: &Path) -> u64 {
    let mut blocks = 0;
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if let Ok(metadata) = entry.metadata() {
            blocks += metadata.blocks();
            if metadata.is_dir() {
                blocks += disk(&entry.path()) * 2;
            }
        }
    }
    blocks / 2
}

struct Stat {
    parent: u32,
    state: char,
}

fn processes() -> BTreeMap<u32, Stat> {
    let mut table = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let text = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in parentheses before it may contain anything, even parentheses.
        let mut fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        let state = fields.next().and_then(|state| state.chars().next());
        if let (Some(state), Some(parent)) = (state, fields.next().and_then(|parent| parent.parse().ok())) {
            table.insert(pid, Stat { parent, state });
        }
    }
    table
}

fn number_after(text: &str, label: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(label));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
