use managed_daemons::PostgresDaemon;
#[test]
fn bench() {
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    let n: usize = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(15);
    for _ in 0..n {
        let begin = std::time::Instant::now();
        let mut builder = PostgresDaemon::builder();
        for pair in std::env::var("SET")
            .unwrap_or_default()
            .split(',')
            .filter(|p| !p.is_empty())
        {
            let (k, v) = pair.split_once('=').unwrap();
            builder = builder.setting(k, v);
        }
        if let Ok(path) = std::env::var("PGBIN") {
            builder = builder.binary(path);
        }
        let daemon = builder.start().unwrap_or_else(|e| panic!("{}", e.report()));
        starts.push(begin.elapsed().as_micros());
        if std::env::var("SHOW").is_ok() {
            println!("{}\n{}", daemon.log().unwrap(), daemon.url());
            println!("{}", String::from_utf8_lossy(&std::process::Command::new("sh").arg("-c").arg(format!("ls -la {0} {0}/data; ps axf | grep -v grep | grep -A20 {0}; du -sh {0}/data/*; cat /proc/sysvipc/shm; psql '{1}' -c 'select 1' -l; psql '{2}' -c 'select 2'", daemon.working_dir().display(), daemon.url(), daemon.unix_socket_url())).output().unwrap().stdout));
        }
        let begin = std::time::Instant::now();
        daemon.close().unwrap();
        ends.push(begin.elapsed().as_micros());
    }
    starts.sort();
    ends.sort();
    println!(
        "start min {} median {}; close min {} median {}",
        starts[0],
        starts[n / 2],
        ends[0],
        ends[n / 2]
    );
}
