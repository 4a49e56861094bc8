use managed_daemons::{ApacheDaemon, NginxDaemon};

macro_rules! explore {
    ($daemon:ty) => {{
        let mut builder = <$daemon>::builder().config_file(std::env::var("X_FILE").unwrap());
        for (name, value) in std::env::vars() {
            if let Some(_) = name.strip_prefix("X_UP") {
                let (host, to) = value.split_once('=').unwrap();
                builder = builder.upstream(host, to);
            } else if let Some(_) = name.strip_prefix("X_PATH") {
                let (from, to) = value.split_once('=').unwrap();
                builder = builder.replace_path(from, to);
            } else if name.starts_with("X_MOD") {
                builder = builder.module(value);
            } else if name == "X_TLS" {
                builder = builder.tls();
            }
        }
        match builder.start() {
            Err(error) => panic!("{}", error.report()),
            Ok(server) => {
                println!("{}", server.log().unwrap());
                println!("{} {:?} {:?}", server.url(), server.url_of("80"), server.url_of("443"));
                for url in [server.url_of("80"), server.url_of("443")].into_iter().flatten() {
                    let out = std::process::Command::new("curl")
                        .args(["-ski", "-m", "3", &url])
                        .output()
                        .unwrap();
                    println!(
                        "{}",
                        String::from_utf8_lossy(&out.stdout)
                            .chars()
                            .take(600)
                            .collect::<String>()
                    );
                }
                server.reload().unwrap();
                println!(
                    "{}",
                    server
                        .log()
                        .unwrap()
                        .lines()
                        .rev()
                        .take(6)
                        .collect::<Vec<_>>()
                        .join("\n")
                );
            }
        }
    }};
}

#[test]
#[ignore]
fn explore_nginx() {
    explore!(NginxDaemon)
}

#[test]
#[ignore]
fn explore_apache() {
    explore!(ApacheDaemon)
}
