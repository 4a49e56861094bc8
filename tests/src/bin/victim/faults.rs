//! Proxies, guards and disks.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use managed_daemons::{Builder, Proxy, Redis, RedisDaemon, Result};
use nix::unistd::geteuid;

use super::{say, wait_for_test};

const LIMIT: u64 = 1_000_000;

/// A builder with a disk of its own, where one can be had.
fn on_disk() -> Builder<Redis> {
    match geteuid().is_root() {
        true => RedisDaemon::builder().disk_limit(LIMIT),
        false => RedisDaemon::builder(),
    }
}

/// Holds a proxy with traffic in a black hole, a daemon in each guard, and a full disk.
fn with_all(then: impl FnOnce()) -> Result<()> {
    let redis = RedisDaemon::start()?;
    let proxy = redis.proxy()?;
    let mut stream = TcpStream::connect(proxy.addr()).unwrap();
    proxy.black_hole();
    stream.write_all(b"PING\r\n").unwrap();
    // Nobody hears of its end.
    drop(TcpStream::connect(proxy.addr()).unwrap());
    let (halted, stopped) = (RedisDaemon::start()?, RedisDaemon::start()?);
    let _guards = (halted.paused()?, stopped.stopped()?);
    let disk = on_disk().start()?;
    if geteuid().is_root() {
        std::fs::write(disk.working_dir().join("fill"), vec![1; 2 * LIMIT as usize]).unwrap_err();
    }
    then();
    Ok(())
}

/// Says `holding`, and waits.
pub(crate) fn hold() -> Result<()> {
    with_all(|| {
        say("holding");
        wait_for_test();
    })
}

pub(crate) fn exit() -> Result<()> {
    with_all(|| std::process::exit(0))
}

/// Makes and drops proxies with all kinds of faults, and sends through them.
pub(crate) fn churn_proxy() -> Result<()> {
    let redis = RedisDaemon::start()?;
    let faults: [fn(&Proxy) -> &Proxy; 6] = [
        |proxy| {
            proxy
                .latency(Duration::from_millis(1))
                .jitter(Duration::from_millis(1))
                .cut()
        },
        |proxy| proxy.bandwidth(1000).reset(),
        |proxy| proxy.refuse(),
        |proxy| proxy.black_hole(),
        |proxy| {
            proxy.after(3).reset();
            proxy
        },
        |proxy| {
            proxy
                .slices(1, Duration::from_micros(10))
                .slow_close(Duration::from_millis(1))
        },
    ];
    loop {
        for fault in faults {
            let proxy = redis.proxy()?;
            let mut stream = TcpStream::connect(proxy.addr()).unwrap();
            fault(&proxy);
            stream.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
            let _ = stream.write_all(b"PING\r\n");
            let _ = stream.read(&mut [0; 64]);
        }
    }
}

pub(crate) fn churn_guards() -> Result<()> {
    let redis = RedisDaemon::start()?;
    loop {
        drop(redis.paused()?);
        drop(redis.stopped()?);
        drop(redis.killed()?);
    }
}

pub(crate) fn churn_disk() -> Result<()> {
    loop {
        drop(on_disk().start()?);
        drop(on_disk().disk_limit(8192).start());
    }
}
