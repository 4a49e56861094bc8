//! A daemon in a static serves all tests of a process.

use managed_daemons::RedisDaemon;
use once_cell::sync::OnceCell;

use crate::support::connect;

static SHARED: OnceCell<RedisDaemon> = OnceCell::new();

fn shared() -> &'static RedisDaemon {
    SHARED.get_or_try_init(RedisDaemon::start).unwrap()
}

fn visits() -> i64 {
    redis::cmd("INCR")
        .arg("visits")
        .query(&mut connect(shared()).unwrap())
        .unwrap()
}

#[test]
fn every_handle_and_builder_is_send_and_sync() {
    fn check<D: managed_daemons::Daemon + Clone>()
    where
        managed_daemons::ManagedDaemon<D>: Send + Sync,
        managed_daemons::Builder<D>: Send + Sync + Clone,
    {
    }
    check::<managed_daemons::Apache>();
    check::<managed_daemons::Memcached>();
    check::<managed_daemons::MySql>();
    check::<managed_daemons::Nginx>();
    check::<managed_daemons::Postgres>();
    check::<managed_daemons::RabbitMq>();
    check::<managed_daemons::Redis>();
    check::<managed_daemons::Valkey>();
}

#[test]
fn many_threads_use_one_handle() {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(visits() >= 1));
        }
    });
    assert_eq!(visits(), 9);
}
