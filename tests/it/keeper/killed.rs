//! What is killed.

use nix::sys::signal::{kill, Signal};

use tokio_postgres::NoTls;

use super::{answers, url};
use crate::support::{eventually, seed, Run, Sharer};

/// Kills the keeper of a run, and waits until it is gone.
fn kill_keeper(run: &Run) {
    let keepers = run.keepers();
    assert_eq!(keepers.len(), 1, "{keepers:?}");
    kill(keepers[0], Signal::SIGKILL).unwrap();
    eventually("died", || match run.keepers() {
        left if left.contains(&keepers[0]) => Err(left),
        _ => Ok(()),
    });
}

/// The marks in the database of this URL, which was prepared with a table for them.
#[tokio::main(flavor = "current_thread")]
async fn count_marks(url: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client.query_one("SELECT count(*) FROM marks", &[]).await.unwrap();
    row.get(0)
}

/// The URL of a database that a sharer prints.
#[track_caller]
fn database_url(sharer: &mut Sharer) -> String {
    let line = sharer.line();
    assert!(line.starts_with("postgresql://"), "{line}");
    line
}

#[test]
fn after_the_keeper_is_killed_the_run_goes_on() {
    let mut run = Run::new();
    let mut first = run.start("daemon a");
    let of_first = url(&mut first);
    kill_keeper(&run);
    // Another one starts: it does not know the daemon, but does not take it from the first either.
    let mut second = run.start("daemon a");
    let of_second = url(&mut second);
    assert_ne!(of_second, of_first);
    assert!(answers(&of_first) && answers(&of_second));
    first.end();
    let mut third = run.start("daemon a");
    assert_eq!(url(&mut third), of_second);
    second.end();
    third.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn after_all_is_killed_the_next_run_removes_what_is_left() {
    let mut run = Run::new();
    let mut first = run.start("daemon a");
    let of_first = url(&mut first);
    kill_keeper(&run);
    first.kill();
    assert!(answers(&of_first), "nobody was there to end it");
    // It meets the socket of the one that was killed.
    let mut second = run.start("daemon a");
    assert_ne!(url(&mut second), of_first);
    second.end();
    run.end();
    run.assert_nothing_left();
    assert!(!answers(&of_first));
}

#[test]
fn after_the_runner_is_killed_nothing_is_left() {
    let mut run = Run::new();
    let mut sharer = run.start("daemon a");
    let of_first = url(&mut sharer);
    run.kill();
    sharer.kill();
    run.assert_nothing_left();
    assert!(!answers(&of_first));
}

#[test]
fn a_test_process_that_is_killed_while_it_starts_what_all_share_leaves_nothing() {
    for milliseconds in [0, 5, 10, 20, 40] {
        let mut run = Run::new();
        let first = run.start("daemon a");
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        first.kill();
        let mut second = run.start("daemon a");
        assert!(answers(&url(&mut second)));
        second.end();
        run.end();
        run.assert_nothing_left();
    }
}

#[test]
fn one_who_waits_for_what_another_makes_asks_the_next_keeper() {
    let mut run = Run::new();
    let mut first = run.start("slow-daemon a");
    assert_eq!(first.line(), "making");
    let mut second = run.start("daemon a");
    run.wait_until_connected(2);
    kill_keeper(&run);
    let of_second = url(&mut second);
    // What the first has made nobody knows of.
    first.go_on();
    assert_eq!(url(&mut first), of_second);
    assert!(answers(&of_second));
    first.end();
    second.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn one_who_makes_what_all_share_gives_it_to_the_next_keeper() {
    let mut run = Run::new();
    let mut first = run.start("slow-daemon a");
    assert_eq!(first.line(), "making");
    kill_keeper(&run);
    first.go_on();
    let of_first = url(&mut first);
    first.end();
    // It stays, as with the keeper for which it was made.
    let mut second = run.start("daemon a");
    assert_eq!(url(&mut second), of_first);
    assert!(answers(&of_first));
    second.end();
    run.end();
    run.assert_nothing_left();
    assert!(!answers(&of_first));
}

#[test]
fn one_who_prepares_for_all_prepares_again_for_the_next_keeper() {
    let mut run = Run::new();
    let mut first = run.start("slow-postgres");
    assert_eq!(first.line(), "preparing");
    let mut second = run.start("slow-postgres");
    run.wait_until_connected(3);
    kill_keeper(&run);
    assert_eq!(second.line(), "preparing");
    first.go_on();
    second.go_on();
    let urls = [database_url(&mut first), database_url(&mut second)];
    assert_ne!(urls[0], urls[1]);
    assert_eq!(urls.each_ref().map(|url| count_marks(url)), [0, 0]);
    for mut sharer in [first, second] {
        sharer.go_on();
        assert_eq!(sharer.line(), "closed");
        sharer.end();
    }
    run.end();
    run.assert_nothing_left();
}

#[test]
fn a_test_keeps_its_database_when_the_keeper_is_killed() {
    let mut run = Run::new();
    let mut sharer = run.start("slow-postgres");
    assert_eq!(sharer.line(), "preparing");
    sharer.go_on();
    let url = database_url(&mut sharer);
    kill_keeper(&run);
    assert_eq!(count_marks(&url), 0);
    sharer.go_on();
    assert_eq!(sharer.line(), "closed");
    sharer.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn one_who_waits_for_its_turn_asks_the_next_keeper() {
    let mut run = Run::with_variable("MANAGED_DAEMONS_MAX", "1");
    let mut first = run.start("own 1");
    assert_eq!(first.line(), "started");
    let mut second = run.start("own 1");
    run.wait_until_connected(2);
    assert_eq!(second.printed(), None);
    kill_keeper(&run);
    // The next one does not know of the first.
    assert_eq!(second.line(), "started");
    first.end();
    second.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn keepers_that_are_killed_again_and_again_are_one_clear_error() {
    let mut run = Run::new();
    let mut sharer = run.start("slow-postgres");
    for _ in 0..5 {
        assert_eq!(sharer.line(), "preparing");
        kill_keeper(&run);
        sharer.go_on();
    }
    let said = sharer.line();
    let expected =
        "failed: could not tell the process that keeps what the tests of a run share |   caused by: 5 times \
                    something has killed it meanwhile; the last time: ";
    assert!(said.starts_with(expected), "{said}");
    sharer.end();
    run.end();
    run.assert_nothing_left();
}

#[test]
fn tests_pass_while_keepers_are_killed() {
    const TESTS: usize = 24;
    const AT_ONCE: usize = 8;
    let mut random = fastrand::Rng::with_seed(seed());
    let mut run = Run::new();
    let mut running: Vec<Sharer> = Vec::new();
    // The first keeper is killed when there are some who ask, the last when there are some left.
    let kills: Vec<usize> = (0..3)
        .map(|third| third * TESTS / 3 + random.usize(1..TESTS / 3))
        .collect();
    let end = |mut sharer: Sharer| {
        let database = sharer.line();
        assert!(database.starts_with("test_"), "{database}");
        assert_eq!(sharer.line(), "alone");
        sharer.go_on();
        assert_eq!(sharer.line(), "still alone");
        sharer.end();
    };
    for number in 0..TESTS {
        running.push(run.start("alone"));
        if kills.contains(&number) {
            // The one just started asks it, or starts it.
            let mut keepers = Vec::new();
            eventually("was there", || {
                keepers = run.keepers();
                keepers.first().map(drop).ok_or("no keeper")
            });
            for keeper in keepers {
                let _ = kill(keeper, Signal::SIGKILL);
            }
        }
        if running.len() == AT_ONCE {
            end(running.swap_remove(random.usize(..AT_ONCE)));
        }
    }
    running.into_iter().for_each(end);
    run.end();
    run.assert_nothing_left();
}
