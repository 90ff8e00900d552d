#!/bin/sh
# Run the database of compose.yaml; make it first, if there is none.  Only the containers reach it.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/mininova
if [ ! -e "$data/PG_VERSION" ]; then
    "$bin/initdb" --pgdata "$data" --username postgres --auth trust --encoding UTF8 --locale C.UTF-8
    echo "host all all all trust" >>"$data/pg_hba.conf"
    printf '%s\n' "CREATE USER mininova" "CREATE DATABASE mininova OWNER mininova" | "$bin/postgres" --single -D "$data" postgres
fi
exec "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
