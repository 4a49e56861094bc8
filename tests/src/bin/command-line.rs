//! The command line of managed-daemons, under a name that this crate's tests can refer to.

use std::process::ExitCode;

fn main() -> ExitCode {
    managed_daemons::cli::main()
}
