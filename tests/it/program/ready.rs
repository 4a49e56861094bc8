//! When a program is ready, and what is said of one that is not.

use std::fs;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use managed_daemons::{CommandBuilder, Phase};

use super::{shell, shop, unruly};
use crate::support::{failure_in, private_root};

fn not_ready(builder: CommandBuilder) -> String {
    failure_in(Phase::Readiness, builder.start_timeout(Duration::from_millis(300)))
}

#[test]
fn http_takes_a_status_of_success() {
    let shop_runs = shop().ready_http("/health").start().unwrap();
    assert!(shop_runs.is_running());
    let failed = not_ready(shop().ready_http("/nowhere"));
    assert!(failed.contains("GET /nowhere: HTTP/1.1 404 Not Found"), "{failed}");
    let failed = not_ready(unruly("well").ready_http("/"));
    assert!(failed.contains("GET /: no answer of HTTP, but \"WHAT\""), "{failed}");
}

#[test]
fn a_text_in_the_log_is_of_this_start() {
    let daemon = shell("echo serving on {port}; sleep 100")
        .ready_log("serving on {port}")
        .start()
        .unwrap();
    daemon.restart().unwrap();
    let failed = not_ready(shell("echo almost; sleep 100").ready_log("serving"));
    assert!(failed.contains("`serving` is not in the log"), "{failed}");
    assert!(failed.contains("almost"), "{failed}");
}

#[test]
fn a_command_that_can_not_be_run_is_no_reason_to_wait() {
    let files = private_root();
    let closed = files.path().join("closed");
    fs::write(&closed, "#!/bin/sh\n").unwrap();
    let closed = closed.to_str().unwrap();
    for (program, texts) in [
        (
            "no-such-program",
            &["there is no `no-such-program` in /", "/usr/bin"][..],
        ),
        ("/no/such/program", &["there is no `/no/such/program`"]),
        (closed, &[closed, "` may not be executed"]),
    ] {
        let daemon = shell("sleep 100").ready_command([program, "-x"]);
        let failed = failure_in(Phase::Configure, daemon);
        let begin = format!("option `ready_command`: `{program} -x` can't be run: ");
        for text in [&[&*begin], texts].concat() {
            assert!(failed.contains(text), "no `{text}` in {failed}");
        }
    }
}

#[test]
fn a_socket_a_file_and_a_command_are_looked_at() {
    let listen = "import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('{socket}'); s.listen(); time.sleep(100)";
    let python = managed_daemons::CommandDaemon::builder()
        .program("python3")
        .args(["-c", listen]);
    let daemon = python.ready_socket("{socket}").start().unwrap();
    assert!(UnixStream::connect(daemon.unix_socket()).is_ok());

    let script = "touch done; sleep 100";
    assert!(shell(script)
        .ready_file("done")
        .start()
        .unwrap()
        .working_dir()
        .join("done")
        .exists());
    assert!(shell(script)
        .ready_command(["test", "-e", "{dir}/done"])
        .start()
        .is_ok());

    let failed = not_ready(shell("sleep 100").ready_socket("a.sock"));
    assert!(
        failed.contains("no connection to the socket `") && failed.contains("/a.sock`: No such file"),
        "{failed}"
    );
    let failed = not_ready(shell("sleep 100").ready_file("done"));
    assert!(
        failed.contains("there is no file `") && failed.contains("/done`"),
        "{failed}"
    );
    let failed = not_ready(shell("sleep 100").ready_command(["sh", "-c", "echo not yet; exit 3"]));
    assert!(
        failed.contains("`sh -c echo not yet; exit 3` ended with exit status: 3: not yet"),
        "{failed}"
    );
    // Which is not there yet.
    let script = "printf '#!/bin/sh\n' > asked; chmod +x asked; sleep 100";
    assert!(shell(script).ready_command(["./asked"]).start().is_ok());
    let failed = not_ready(unruly("never-ready"));
    assert!(
        failed.contains("no connection to port ") && failed.contains("Connection refused"),
        "{failed}"
    );
}
