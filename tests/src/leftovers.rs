//! What a test run has left behind.

use std::path::{Path, PathBuf};

/// Lists everything that a run has left below `root`: files, directories, mounts, sockets, and
/// processes that use anything there.
///
/// Shares no code with the framework. Zombies do not count: they have ended, and only wait to be
/// reaped.
pub fn leftovers(root: &Path) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(root)
        .map(|listing| {
            listing
                .flatten()
                .map(|entry| format!("{}", entry.path().display()))
                .collect()
        })
        .unwrap_or_default();
    found.extend(
        processes_of(root)
            .iter()
            .map(|(pid, how)| format!("process {pid}: {how}")),
    );
    found.extend(mounts(root).into_iter().map(|mount| format!("mount {mount}")));
    let root = root.to_string_lossy();
    found.extend(
        unix_sockets()
            .lines()
            .filter(|line| line.contains(&*root))
            .map(|line| format!("socket {line}")),
    );
    found
}

/// The file systems that are mounted below `root`.
pub fn mounts(root: &Path) -> Vec<String> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    let below = points.filter(|point| *point != root.to_string_lossy() && Path::new(point).starts_with(root));
    below.map(str::to_owned).collect()
}

/// The kernel's table of Unix sockets, a line each. Their paths may be no UTF-8.
pub fn unix_sockets() -> String {
    let table = std::fs::read("/proc/net/unix").unwrap_or_default();
    String::from_utf8_lossy(&table).into_owned()
}

/// Finds the processes whose command line, environment, directory or open files name `root`.
///
/// This process and its reaper are left out, and so are children that other threads are just spawning:
/// until they execute their program, they have a copy of all that this process has open.
pub fn processes_of(root: &Path) -> Vec<(i32, String)> {
    let my_reaper = format!("MANAGED_DAEMONS_REAPER={}:", std::process::id());
    let my_line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let name = root.as_os_str().as_encoded_bytes();
    let holds = |bytes: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if pid == std::process::id() as i32 {
            continue;
        }
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let stat = String::from_utf8_lossy(&read("stat")).into_owned();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (state, parent) = (fields.next(), fields.next());
        if matches!(state, None | Some("Z" | "X")) {
            continue;
        }
        // Before it executes a program, the line is this process's; meanwhile, there is none.
        let is_child = parent == Some(&*std::process::id().to_string());
        if is_child && [&[][..], &my_line].contains(&&*read("cmdline")) {
            continue;
        }
        let environment = read("environ");
        if environment
            .windows(my_reaper.len())
            .any(|window| window == my_reaper.as_bytes())
        {
            continue;
        }
        let link = |file: &str| std::fs::read_link(entry.path().join(file)).unwrap_or_else(|_| PathBuf::new());
        let open: Vec<PathBuf> = std::fs::read_dir(entry.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|fd| std::fs::read_link(fd.path()).ok())
            .collect();
        let how = if holds(&read("cmdline")) {
            "command line"
        } else if holds(&environment) {
            "environment"
        } else if link("cwd").starts_with(root) {
            "directory"
        } else if open.iter().any(|path| path.starts_with(root)) {
            "open file"
        } else {
            continue;
        };
        let line = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        found.push((pid, format!("{how}: {line}")));
    }
    found
}
