//! A machine with little free memory.

use std::fs;

use crate::support::{eventually, is_root, private_root, Run};

#[test]
fn a_start_waits_for_memory_and_says_so() {
    if !is_root() {
        return; // only root can mount a file over that of the kernel, as some containers do
    }
    let files = private_root();
    let file = files.path().join("meminfo");
    let set_free = |kilobytes: u64| {
        let text = format!("MemTotal: 4194304 kB\nMemFree: 1 kB\nMemAvailable: {kilobytes} kB\n");
        fs::write(&file, text).unwrap();
    };
    // 4 percent, rounded down from just below 5.
    set_free(209_000);
    let mount = format!("mount --bind {} /proc/meminfo && exec \"$@\"", file.display());
    let mut run = Run::new();
    let mut sharer = run.start_through("own 1", &format!("unshare --mount sh -c '{mount}' sh"));
    eventually("told", || match sharer.errors() {
        said if said.contains('\n') => Ok(()),
        said => Err(said),
    });
    let notice =
        "managed-daemons: redis waits up to 30s for memory: 204 of 4096 MiB are free; fewer tests at once need \
                  less, and `MANAGED_DAEMONS_MAX` limits the daemons that run at once\n";
    assert_eq!(sharer.errors(), notice);
    assert_eq!(sharer.printed(), None);
    set_free(210_000);
    assert_eq!(sharer.line(), "started");
    assert_eq!(sharer.errors(), notice);
    sharer.end();
    run.end();
    run.assert_nothing_left();
}
