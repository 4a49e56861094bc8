//! Many tests at once on two machines, a third of which are killed, and in the end one of the machines.

use std::collections::HashSet;

use managed_daemons_tests::postgres as builder;

use super::postgres::{remains, VARIABLE};
use super::{Machine, NOT_SO_SHORT};
use crate::support::{is_full_run, Sharer};

/// How many tests, by default and in the long form.
const TESTS: usize = 60;
const MANY_TESTS: usize = 1000;
/// How many run at once.
const AT_ONCE: usize = 16;

#[test]
fn killed_tests_and_keepers_harm_no_neighbour_and_leave_nothing() {
    let tests = if is_full_run() { MANY_TESTS } else { TESTS };
    let server = builder().setting("max_connections", "200").start().unwrap();
    let url = server.url();
    let variables = [(VARIABLE, &*url), ("MANAGED_DAEMONS_LEASE_SECONDS", NOT_SO_SHORT)];
    let mut machines = [Machine::new(&variables), Machine::new(&variables)];
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let mut running: Vec<(usize, Sharer)> = Vec::new();
    let mut seen = HashSet::new();
    let mut end = |(_, mut sharer): (usize, Sharer)| {
        let database = sharer.line();
        assert!(seen.insert(database.clone()), "{database} twice");
        assert_eq!(sharer.line(), "alone");
        sharer.go_on();
        assert_eq!(sharer.line(), "still alone");
        sharer.end();
    };
    for number in 0..tests {
        running.push((number % 2, machines[number % 2].start("alone")));
        if running.len() < AT_ONCE {
            continue;
        }
        let test = running.swap_remove(random.usize(..running.len()));
        match random.usize(..3) {
            0 => test.1.kill(),
            _ => end(test),
        }
    }
    let (of_dead, of_other): (Vec<_>, Vec<_>) = running.into_iter().partition(|(machine, _)| *machine == 0);
    let [dead, other] = machines;
    dead.die(of_dead.into_iter().map(|(_, sharer)| sharer).collect());
    of_other.into_iter().for_each(end);
    // What the dead one has left goes while the other goes on, or with the next run.
    other.end();
    let left = || {
        let mut next = Machine::new(&variables);
        let mut test = next.start("alone");
        test.line();
        test.kill();
        next.end();
        remains(&server)
    };
    crate::support::eventually_empty("removed", left);
}
