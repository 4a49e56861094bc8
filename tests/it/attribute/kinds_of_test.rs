//! The attributes on all kinds of tests, which must compile without a warning.

#![deny(unused, unused_qualifications, clippy::pedantic)]
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use managed_daemons::{
    with_daemon, with_redis, with_redis as cache_test, BinarySpec, Daemon, Instance, ManagedDaemon, ManagedDaemonError,
    Readiness, RedisDaemon,
};
use managed_daemons_tests::{Unruly, UnrulyDaemon};
use rstest::{fixture, rstest};
// Its name passes for that of a test attribute, but what it makes is a function that can be called.
use tokio::main as no_test;

use crate::support::{config, get, set, unruly_program, PATIENCE};

type Cache = RedisDaemon;

fn assert_usable(redis: &RedisDaemon) {
    set(redis, "key", "value").unwrap();
    assert_eq!(get(redis, "key").unwrap().as_deref(), Some("value"));
}

#[with_redis]
#[test]
fn a_daemon_can_be_taken_by_value(redis: RedisDaemon) {
    assert_usable(&redis);
    let dir = redis.working_dir().to_path_buf();
    redis.close().unwrap();
    assert!(!dir.exists());
}

#[with_redis]
#[test]
fn a_daemon_can_be_borrowed(redis: &RedisDaemon) {
    assert_usable(redis);
}

#[with_redis]
#[test]
fn a_daemon_can_be_borrowed_mutably(redis: &mut RedisDaemon) {
    let first = redis.port();
    *redis = RedisDaemon::start().unwrap();
    assert_ne!(redis.port(), first);
    assert_usable(redis);
}

#[with_redis]
#[test]
fn a_parameter_can_be_mutable(mut redis: RedisDaemon) {
    let dir = redis.working_dir().to_path_buf();
    redis = RedisDaemon::start().unwrap();
    assert!(!dir.exists());
    assert_usable(&redis);
}

/// A function instead of a test, so that a test can see what it returns and leaves.
#[with_redis]
#[no_test]
async fn directory_of(redis: &RedisDaemon, was_there: &Cell<bool>) -> PathBuf {
    let dir = redis.working_dir().to_path_buf();
    was_there.set(dir.exists());
    dir
}

#[test]
fn the_daemon_is_gone_when_the_function_returns() {
    let was_there = Cell::new(false);
    let dir = directory_of(&was_there);
    assert!(was_there.get());
    assert!(!dir.exists());
}

#[with_redis]
#[no_test]
async fn failing(_redis: RedisDaemon) -> Result<(), String> {
    Err(String::from("as it says"))
}

#[test]
fn the_result_is_returned() {
    assert_eq!(failing(), Err(String::from("as it says")));
}

#[with_redis(password = "s3cret", setting("maxmemory", "8mb"), start_timeout = Duration::from_secs(20))]
#[test]
fn options_take_effect(redis: RedisDaemon) {
    assert_eq!(redis.password(), Some("s3cret"));
    assert_eq!(config(&redis, "maxmemory"), (8 << 20).to_string());
}

#[with_redis(
    password = "first",
    setting("maxmemory", "8mb"),
    setting("maxmemory", "9mb"),
    without_password
)]
#[test]
fn options_apply_in_the_order_written_and_may_be_repeated(redis: RedisDaemon) {
    assert_eq!(redis.password(), None);
    assert_eq!(config(&redis, "maxmemory"), (9 << 20).to_string());
}

#[with_redis(password = "3".parse::<u8>()?.to_string())]
#[test]
fn the_value_of_an_option_can_be_any_expression(redis: RedisDaemon) -> Result<(), std::num::ParseIntError> {
    assert_eq!(redis.password(), Some("3"));
    Ok(())
}

#[with_redis(password = "first")]
#[with_redis(password = "second")]
#[test]
fn two_of_one_kind_keep_their_order(one: RedisDaemon, two: &RedisDaemon) {
    assert_eq!((one.password(), two.password()), (Some("first"), Some("second")));
    set(&one, "key", "one").unwrap();
    assert_eq!(get(two, "key").unwrap(), None);
}

#[with_redis(password = "cache", arg = cache)]
#[with_redis(password = "store")]
#[test]
fn a_parameter_can_be_chosen_by_name(store: RedisDaemon, cache: &Cache) {
    assert_eq!((store.password(), cache.password()), (Some("store"), Some("cache")));
}

mod imported_once {
    use managed_daemons::{with_daemon, with_redis};
    use managed_daemons_tests::UnrulyDaemon;

    /// `with_redis` handles `with_daemon` itself, so only its expansion uses the import.
    #[with_redis]
    #[with_daemon(UnrulyDaemon, binary = crate::support::unruly_program())]
    #[test]
    fn the_import_of_an_attribute_that_is_never_expanded_counts_as_used(
        redis: managed_daemons::RedisDaemon,
        unruly: UnrulyDaemon,
    ) {
        assert!(redis.is_running() && unruly.is_running());
    }
}

#[cache_test(password = "first")]
#[with_redis(password = "second")]
#[test]
fn a_renamed_attribute_works_above_another(one: RedisDaemon, two: RedisDaemon) {
    assert_eq!((one.password(), two.password()), (Some("first"), Some("second")));
}

#[with_redis(password = "first")]
#[cache_test(password = "second")]
#[test]
fn a_renamed_attribute_works_below_another(one: RedisDaemon, two: RedisDaemon) {
    assert_eq!((one.password(), two.password()), (Some("first"), Some("second")));
}

mod elsewhere {
    pub(super) use managed_daemons as daemons;
}

#[with_redis(crate = elsewhere::daemons)]
#[with_redis(crate = crate::attribute::kinds_of_test::elsewhere::daemons)]
#[test]
fn the_crate_can_have_another_path(one: RedisDaemon, two: RedisDaemon) {
    assert_ne!(one.port(), two.port());
}

macro_rules! made_by_a_macro {
    ($($name:ident: $ty:ty, $password:expr;)*) => {$(
        #[with_redis(password = $password)]
        #[test]
        fn $name(redis: $ty) {
            assert_eq!(redis.password(), Some($password));
        }
    )*};
}

made_by_a_macro! {
    a_macro_can_write_the_test: RedisDaemon, "one";
    a_macro_can_write_a_test_that_borrows: &mut RedisDaemon, "two";
}

#[with_redis]
#[tokio::test]
async fn an_async_test_can_run_in_one_thread(redis: RedisDaemon) -> redis::RedisResult<()> {
    tokio::task::yield_now().await;
    set(&redis, "key", "value")
}

#[with_redis]
#[with_daemon(UnrulyDaemon, binary = unruly_program())]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_async_test_can_run_in_several_threads(unruly: &UnrulyDaemon, redis: RedisDaemon) {
    let port = redis.port();
    let same = tokio::spawn(async move { redis.port() }).await.unwrap();
    assert_eq!(same, port);
    assert_eq!(unruly.ask("HELLO").unwrap(), "READY");
}

#[tokio::test]
#[with_redis]
async fn the_attribute_works_below_one_that_leaves_parameters_alone(redis: &RedisDaemon) {
    tokio::task::yield_now().await;
    assert_usable(redis);
}

#[with_redis]
#[test]
#[should_panic(expected = "what the test says")]
fn a_test_may_have_to_panic(redis: RedisDaemon) {
    assert_usable(&redis);
    panic!("what the test says");
}

#[with_redis]
#[cfg_attr(all(), should_panic(expected = "what the test says"))]
#[cfg_attr(any(), should_panic(expected = "what it does not say"))]
#[tokio::test]
async fn a_test_may_have_to_panic_under_a_condition(redis: RedisDaemon) {
    assert_usable(&redis);
    panic!("what the test says");
}

#[fixture]
fn pair() -> (u8, u8) {
    (1, 2)
}

#[fixture]
async fn text() -> &'static str {
    "text"
}

#[with_redis(password = password)]
#[rstest]
#[case::one("one", 1)]
#[case::two("two", 2)]
fn options_can_use_the_values_of_a_case(
    #[case] password: &str,
    redis: RedisDaemon,
    #[case] mut number: u8,
    #[values(3, 4)] value: u8,
) {
    number += value;
    assert!(number > 3);
    assert_eq!(redis.password(), Some(password));
}

#[with_redis]
#[rstest]
#[case((1, 2), 3_u8, "4")]
fn patterns_and_generics_work_beside_a_daemon<'a, T, const N: usize>(
    #[case] (one, two): (u8, u8),
    redis: &'a RedisDaemon,
    #[case] three: T,
    #[case] _: impl AsRef<str>,
    #[values([5; 3])] five: [u8; N],
    #[from(pair)] (six, _): (u8, u8),
) where
    T: Into<u16>,
{
    let name: &'a Path = redis.working_dir();
    assert!(name.exists());
    assert_eq!((one, two, three.into(), five.len(), six), (1, 2, 3, 3, 1));
}

#[with_redis]
#[rstest]
#[tokio::test]
async fn futures_can_be_awaited_in_the_test(
    redis: RedisDaemon,
    #[future] text: &str,
    #[future(awt)]
    #[from(text)]
    awaited: &str,
    pair: (u8, u8),
) {
    assert_usable(&redis);
    assert_eq!((text.await, awaited, pair), ("text", "text", (1, 2)));
}

#[with_redis]
#[rstest]
#[awt]
#[tokio::test]
async fn futures_can_be_awaited_for_the_test(redis: RedisDaemon, #[future] text: &str) {
    assert_usable(&redis);
    assert_eq!(text, "text");
}

#[with_redis]
#[rstest]
fn lints_reach_the_parameter_and_the_body(
    redis: RedisDaemon,
    #[expect(unused_variables)]
    #[values(1)]
    number: u8,
) {
    #![expect(unused_variables)]
    let unused = redis;
}

/// A daemon that starts only while another one of its kind starts.
#[derive(Debug, Default)]
struct Meeting(Unruly);

impl Daemon for Meeting {
    const NAME: &'static str = "meeting";

    fn binary_spec(&self) -> BinarySpec {
        self.0.binary_spec()
    }

    fn configure(&mut self, instance: &Instance) -> managed_daemons::Result<()> {
        static ARRIVED: (Mutex<u8>, Condvar) = (Mutex::new(0), Condvar::new());
        let mut arrived = ARRIVED.0.lock().unwrap();
        *arrived += 1;
        ARRIVED.1.notify_all();
        let waited = ARRIVED.1.wait_timeout_while(arrived, PATIENCE, |arrived| *arrived < 2);
        if waited.unwrap().1.timed_out() {
            return Err(ManagedDaemonError::State {
                daemon: Self::NAME,
                problem: String::from("the other one did not start"),
            });
        }
        self.0.configure(instance)
    }

    fn command(&self, instance: &Instance) -> managed_daemons::Result<Command> {
        self.0.command(instance)
    }

    fn probe(&self, instance: &Instance) -> Readiness {
        self.0.probe(instance)
    }
}

#[with_daemon(ManagedDaemon<Meeting>, binary = unruly_program())]
#[with_daemon(ManagedDaemon<Unruly>, binary = unruly_program(), with(|unruly| unruly.mode("tame")))]
#[with_daemon(ManagedDaemon<Meeting>, binary = unruly_program())]
#[test]
fn several_daemons_start_at_the_same_time(
    unruly: ManagedDaemon<Unruly>,
    one: ManagedDaemon<Meeting>,
    two: &ManagedDaemon<Meeting>,
) {
    assert!(unruly.is_running() && one.is_running() && two.is_running());
}
