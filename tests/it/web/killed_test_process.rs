//! A test process that is killed leaves nothing of its web servers: no worker, directory or socket.

use std::time::Duration;

use crate::support::assert_kills_leave_nothing;

#[test]
fn sigkill_at_any_moment_leaves_nothing() {
    // From before the first start to the second round: a reload of nginx takes 100 ms and more.
    let moments = (0..60).map(|kill| Duration::from_millis(kill * 5));
    assert_kills_leave_nothing("web churn", None, moments);
}
