//! Extensions that the server found has, and others, which are fetched.

use super::{builder, start, value};

#[test]
fn one_that_the_server_lacks_comes_with_a_server_that_has_it() {
    let daemon = start(builder().extension("vector").database("shop"));
    assert_eq!(value(&daemon, "SELECT '[1,2]'::vector <-> '[4,6]'::vector"), "5");
    let tools = daemon.psql().unwrap().arg("-Atc").arg("SELECT 1").output().unwrap();
    assert_eq!(tools.stdout, b"1\n");
}
