//! A reload is complete when the call returns. It refuses a broken configuration, and disturbs no
//! client.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::client::{agent, header};
use super::{answer, get, ConfigSyntax, Server, TestServer};
use crate::support::eventually;

super::on_both!(
    after_a_reload_only_the_new_configuration_answers,
    a_broken_configuration_is_refused_and_the_old_one_stays,
    no_request_fails_during_a_reload,
    a_request_in_progress_finishes,
    a_reloaded_configuration_survives_restart_and_load,
    a_stopped_server_cannot_reload,
);

/// The value of a header that the configuration sets, over a new connection.
fn version<S: ConfigSyntax>(server: &Server<S>) -> String {
    header(&get(&server.url()), "x-version").to_owned()
}

fn whole<S: ConfigSyntax>(version: &str) -> String {
    S::whole(&S::header("X-Version", version))
}

fn after_a_reload_only_the_new_configuration_answers<S: ConfigSyntax>() {
    let server = S::builder().start().unwrap();
    let file = server.config_dir().join("version.conf");
    let process = server.pid();
    for round in 1..=6 {
        let expected = round.to_string();
        fs::write(&file, S::header("X-Version", &expected)).unwrap();
        server.reload().unwrap();
        for _ in 0..20 {
            assert_eq!(version(&server), expected);
        }
    }
    assert_eq!(server.pid(), process);
}

fn a_broken_configuration_is_refused_and_the_old_one_stays<S: ConfigSyntax>() {
    let server = S::builder().config(whole::<S>("good")).start().unwrap();
    server.config_test().unwrap();
    let report = server
        .reconfigure(S::whole("nonsense_directive on;"))
        .unwrap_err()
        .report();
    assert!(report.contains("nonsense_directive"), "{report}");
    let report = server.reconfigure(S::whole("@NONSENSE@")).unwrap_err().report();
    assert!(report.contains("@NONSENSE@"), "{report}");
    assert_eq!(version(&server), "good");
    server.config_test().unwrap();
    server.restart().unwrap();
    assert_eq!(version(&server), "good");
    server.reconfigure(whole::<S>("better")).unwrap();
    assert_eq!(version(&server), "better");

    let server = Server::<S>::start().unwrap();
    let file = server.config_dir().join("broken.conf");
    fs::write(&file, "nonsense_directive x;").unwrap();
    let report = server.config_test().unwrap_err().report();
    assert!(
        report.contains("broken.conf") && report.contains("nonsense_directive"),
        "{report}"
    );
    assert!(server.reload().unwrap_err().report().contains("broken.conf"));
    assert_eq!(answer(&format!("{}/missing", server.url())).status, 404);
    fs::remove_file(&file).unwrap();
    server.config_test().unwrap();
    server.reload().unwrap();
}

fn no_request_fails_during_a_reload<S: ConfigSyntax>() {
    let server = S::builder().config(whole::<S>("0")).start().unwrap();
    let done = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    // One connection per request: a server may close it after an answer.
                    let response = agent().get(server.url()).call().unwrap();
                    assert!(!header(&response, "x-version").is_empty());
                    asked.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 1..=5 {
                let before = asked.load(Ordering::SeqCst);
                server.reconfigure(whole::<S>(&round.to_string())).unwrap();
                assert_eq!(version(&server), round.to_string());
                eventually("asked again by the clients", || {
                    match asked.load(Ordering::SeqCst) - before {
                        0..=20 => Err(()),
                        _ => Ok(()),
                    }
                });
            }
        }));
        done.store(true, Ordering::SeqCst);
        outcome.unwrap();
    });
}

fn a_request_in_progress_finishes<S: ConfigSyntax>() {
    let upstream = TestServer::start();
    let server = Server::<S>::builder().proxy("/", upstream.port).start().unwrap();
    let mut stream = TcpStream::connect((server.host().as_str(), server.port())).unwrap();
    let head =
        "PUT /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut input = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    // From here on, the request is in progress.
    input.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    server.reload().unwrap();
    stream.write_all(b"body").unwrap();
    let mut answer = String::new();
    input.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("put /slow http/1.1"), "{answer}");
    assert!(answer.contains("body: 4 "), "{answer}");
}

fn a_reloaded_configuration_survives_restart_and_load<S: ConfigSyntax>() {
    let server = S::builder().config(whole::<S>("one")).start().unwrap();
    server.reconfigure(whole::<S>("two")).unwrap();
    server.restart().unwrap();
    assert_eq!(version(&server), "two");
    server.reconfigure(whole::<S>("three")).unwrap();
    let port = server.port();
    let dir = server.detach().unwrap();
    let server = Server::<S>::load(&dir).unwrap();
    assert!(server.is_running());
    assert_eq!((server.port(), version(&server).as_str()), (port, "three"));
    server.reconfigure(whole::<S>("four")).unwrap();
    assert_eq!(version(&server), "four");
    server.destroy().unwrap();
    assert!(!dir.exists());
}

fn a_stopped_server_cannot_reload<S: ConfigSyntax>() {
    let server = Server::<S>::start().unwrap();
    server.stop().unwrap();
    let report = server.reload().unwrap_err().report();
    assert!(report.contains("does not run"), "{report}");
    server.config_test().unwrap();
}
