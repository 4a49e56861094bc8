//! PostgreSQL.

use managed_daemons::Result;
use managed_daemons_tests::postgres;

use super::say;

/// Does everything that a test does with servers, over and over. Says `started` at each start.
pub(crate) fn churn() -> Result<()> {
    loop {
        let daemon = postgres().start()?;
        let _ = daemon.query("CREATE TABLE t AS SELECT * FROM generate_series(1, 1000)");
        say("started");
        let _replica = daemon.replica();
        let _ = daemon.restart();
        let _ = daemon.kill();
        let _ = daemon.start_if_not_running();
    }
}
