# The commands of CONTRIBUTING.md. `just` lists them.

_default:
    @just --list

# Start all daemons but Valkey, use each, and print a table.
tour:
    cargo run --example tour

# Run all tests in one process.
test:
    cargo test --workspace --all-features

# Run all tests in a process each; FILTER is a part of their names.
nextest FILTER='':
    cargo nextest run --workspace --all-features {{ FILTER }}

# Check format, rooms and lints.
lint:
    cargo fmt --check
    .ci/rooms
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Build the documentation.
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps

# Compare the time of a start with a bare loop and with other packages.
compare *ARGUMENTS:
    cargo bench --bench compare -- {{ ARGUMENTS }}

# Everything that has to hold before a change lands.
ci:
    .ci/run
