//! One test with six different daemons, which start at the same time.

use managed_daemons::{
    with_apache, with_mysql, with_nginx, with_postgres, with_rabbitmq, with_redis, ApacheDaemon, MySqlDaemon,
    NginxDaemon, PostgresDaemon, RabbitMqDaemon, RedisDaemon,
};

#[with_redis]
#[with_postgres]
#[with_mysql]
#[with_nginx]
#[with_apache]
#[with_rabbitmq]
#[test]
fn six_daemons_start_for_one_test(
    redis: RedisDaemon,
    postgres: PostgresDaemon,
    mysql: MySqlDaemon,
    nginx: NginxDaemon,
    apache: ApacheDaemon,
    rabbitmq: RabbitMqDaemon,
) {
    let ports = [
        redis.port(),
        postgres.port(),
        mysql.port(),
        nginx.port(),
        apache.port(),
        rabbitmq.port(),
    ];
    for (at, port) in ports.iter().enumerate() {
        assert!(!ports[..at].contains(port), "{ports:?}");
        std::net::TcpStream::connect(("127.0.0.1", *port)).unwrap();
    }
}
