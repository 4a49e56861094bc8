#!/usr/bin/env bash
# A test suite in another language: each daemon of which the environment tells has to accept connections.
set -eu
daemons=0
for name in $(compgen -e | grep '_URL$'); do
    [ "$name" != DATABASE_URL ] || continue
    [[ ${!name} =~ ([0-9.]+):([0-9]+)(/|$) ]] || { echo "$name has no address: ${!name}" >&2; exit 1; }
    (exec 3<>"/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}") || { echo "nobody answers at $name" >&2; exit 1; }
    daemons=$((daemons + 1))
done
[ "$daemons" != 0 ]
[ -z "${QUEUE-}" ] || [ "$QUEUE" = "$QUEUE_URL" ]
echo "$daemons daemons answer"
