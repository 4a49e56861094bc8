//! Servers that run elsewhere: here, one that the test has started, for runs that know its URL only.

mod chaos;
mod mysql;
mod postgres;
mod postgres_accounts;
mod postgres_login;
mod rabbitmq;
mod relay;

use nix::sys::signal::{kill, Signal};

use crate::support::{eventually_empty, Run, Sharer};

/// How long the leases of the tests' runs last, in seconds, where a test waits for their end.
const SHORT: &str = "2";
/// The same, where another run is there meanwhile, which would remove what is theirs: a run on a busy
/// machine may have no time to renew its lease for a while.
const NOT_SO_SHORT: &str = "12";
/// How a line begins that says that a test waits for another.
const WAITING: &str = "managed-daemons: waiting for ";

/// A run on a machine of its own.
struct Machine {
    run: Run,
}

impl Machine {
    fn new(variables: &[(&str, &str)]) -> Self {
        let run = Run::with(|command| {
            command.envs(variables.iter().copied());
        });
        Self { run }
    }

    fn start(&mut self, action: &str) -> Sharer {
        self.run.start(action)
    }

    /// Ends the run, once all its processes have ended.
    #[track_caller]
    fn end(mut self) {
        self.run.end();
        self.run.assert_nothing_left();
    }

    /// Also those that are started meanwhile.
    fn kill_keepers(&self) {
        eventually_empty("killed", || {
            let keepers = self.run.keepers();
            for keeper in &keepers {
                let _ = kill(*keeper, Signal::SIGKILL);
            }
            keepers
        });
    }

    /// Kills all of it: a machine that has lost its power.
    fn die(mut self, sharers: Vec<Sharer>) {
        // Those that are asking a keeper would start the next one when it is killed.
        sharers.iter().for_each(Sharer::halt);
        self.kill_keepers();
        self.run.kill();
        sharers.into_iter().for_each(Sharer::kill);
    }
}

/// Starts a test on each of several machines, and checks what it has got. Each machine looks for what
/// dead runs have left while others make their first databases.
#[track_caller]
fn begin_at_once(variable: (&str, &str), action: &str, check: impl Fn(&str)) {
    let mut machines: Vec<Machine> = (0..10).map(|_| Machine::new(&[variable])).collect();
    let mut tests: Vec<Sharer> = machines.iter_mut().map(|machine| machine.start(action)).collect();
    for test in &mut tests {
        check(&url(test));
    }
    tests.into_iter().for_each(Sharer::end);
    machines.into_iter().for_each(Machine::end);
}

/// How often sharers have said something on their standard error. On a busy machine, they also say
/// that they wait for each other, which is not counted.
fn count_said(sharers: &[Sharer], text: &str) -> usize {
    let said = sharers.iter().map(Sharer::errors).collect::<String>();
    let lines = said.lines().filter(|line| !line.starts_with(WAITING));
    lines.map(|line| line.matches(text).count()).sum()
}

/// The URL that a sharer prints.
#[track_caller]
fn url(sharer: &mut Sharer) -> String {
    let line = sharer.line();
    assert!(line.contains("://"), "{line}");
    line
}

/// The error that a sharer prints.
#[track_caller]
fn failure(machine: &mut Machine, action: &str) -> String {
    let mut sharer = machine.start(action);
    let line = sharer.line();
    assert!(line.starts_with("failed: "), "{line}");
    sharer.end();
    line
}
