//! Many tests at once, a third of which are killed.

use crate::support::{eventually, is_full_run, seed, Run, Sharer};

/// How many tests, by default and in the long form.
const TESTS: usize = 150;
const MANY_TESTS: usize = 1000;
/// How many run at once.
const AT_ONCE: usize = 16;

#[test]
fn killed_tests_harm_no_neighbour_and_leave_nothing() {
    let tests = if is_full_run() { MANY_TESTS } else { TESTS };
    let mut random = fastrand::Rng::with_seed(seed());
    let mut run = Run::new();
    let mut running: Vec<Sharer> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut killed = 0;
    let end = |sharer: Sharer, seen: &mut std::collections::HashSet<String>| {
        let mut sharer = sharer;
        let database = sharer.line();
        assert!(seen.insert(database.clone()), "{database} twice");
        // It has looked whether its mark is the only one, and that it is still there in the end.
        assert_eq!(sharer.line(), "alone");
        sharer.go_on();
        assert_eq!(sharer.line(), "still alone");
        sharer.end();
    };
    for _ in 0..tests {
        running.push(run.start("alone"));
        if running.len() < AT_ONCE {
            continue;
        }
        let sharer = running.swap_remove(random.usize(..running.len()));
        if random.usize(..3) == 0 {
            sharer.kill();
            killed += 1;
        } else {
            end(sharer, &mut seen);
        }
    }
    for sharer in running {
        end(sharer, &mut seen);
    }
    // A third, but for chance.
    assert!(killed > tests / 10, "{killed}");
    // But for its own, and those made ahead.
    let mut last = run.start("count");
    let ahead = std::thread::available_parallelism().unwrap().get().clamp(2, 8);
    let mut most = String::new();
    eventually("were gone", || {
        most = last.line();
        last.go_on();
        match most.parse::<usize>() {
            Ok(count) if count <= 1 + ahead => Ok(()),
            _ => Err(most.clone()),
        }
    });
    last.kill();
    run.end();
    run.assert_nothing_left();
}
