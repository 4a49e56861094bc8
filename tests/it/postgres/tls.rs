//! Encrypted connections, and a certificate authority for each daemon.

use super::{builder, connect, output, runtime, start};

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/// Checks that libpq encrypts a connection, given the URL alone. Without psql, it checks nothing.
#[track_caller]
fn assert_libpq_encrypts(daemon: &managed_daemons::PostgresDaemon, url: &str) {
    let mut command = daemon.psql().unwrap();
    command.env_remove("PGHOST");
    assert_eq!(output(Ok(command), &["-At", "-c", IS_ENCRYPTED, url]), "t\n");
}

#[test]
fn a_client_can_verify_the_server() {
    let daemon = start(builder().tls().database("größe"));
    let url = daemon.tls_url().unwrap();
    assert_libpq_encrypts(&daemon, &url);
    let other = start(builder().tls());
    let ca = |daemon: &managed_daemons::PostgresDaemon| daemon.tls_ca().unwrap().display().to_string();
    assert_ne!(std::fs::read(ca(&daemon)).unwrap(), std::fs::read(ca(&other)).unwrap());
    let wrong = url.split("sslrootcert=").next().unwrap().to_owned() + "sslrootcert=" + &ca(&other);
    let mut psql = daemon.psql().unwrap();
    let refused = psql.env_remove("PGHOST").args(["-c", "SELECT 1", &wrong]);
    let refused = refused.output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("certificate verify failed"));
    runtime().block_on(async {
        connect(&daemon.url()).await.unwrap();
    });
}

#[test]
fn tls_can_be_required_and_is_kept_for_later_starts() {
    let root = crate::support::private_root();
    let dir = root.path().join("pg");
    let before = {
        let daemon = start(builder().require_tls().working_dir(&dir));
        std::fs::read(daemon.tls_ca().unwrap()).unwrap()
    };
    let daemon = start(builder().working_dir(&dir));
    assert_eq!(std::fs::read(daemon.tls_ca().unwrap()).unwrap(), before);
    assert_libpq_encrypts(&daemon, &daemon.tls_url().unwrap());
    runtime().block_on(async {
        let error = connect(&daemon.url()).await.err().unwrap();
        assert!(
            format!("{error:?}").contains("no encryption") || format!("{error:?}").contains("SSL off"),
            "{error:?}"
        );
        connect(&daemon.unix_socket_url()).await.unwrap();
    });
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(dir.join("tls/server.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn without_tls_there_is_no_authority() {
    let daemon = start(builder());
    assert_eq!((daemon.tls_ca(), daemon.tls_url()), (None, None));
}
