#!/bin/sh
# Makes the service's role, which is no superuser, and its database; for docker-compose.yml.
#
# Postgres's image runs it when the volume is new.  Run again, it sets the role's password to that of
# the environment.  In a volume of before November 2026 the service's role is the superuser itself:
# there it renames that one to postgres, and moves the data to a database of the new role's.  The old
# database is left, as masking_before.
#
# Environment: POSTGRES_PASSWORD, the superuser's; DATABASE_PASSWORD, the role's.
set -eu
export PGOPTIONS="-c client_min_messages=warning"

for name in POSTGRES_PASSWORD DATABASE_PASSWORD; do
    eval "value=\$$name"
    letters=$(printf %s "$value" | fold -w 1 | sort -u | wc -l)
    if [ "${#value}" -lt 16 ] || [ "$letters" -lt 6 ]; then
        echo "$name can be guessed: \`openssl rand -hex 32\` makes a good one" >&2
        echo "Set it in .env; if nothing is kept yet, begin anew: docker compose down --volumes" >&2
        exit 1
    fi
done

as() { # a user, and arguments of psql
    user=$1 password=$POSTGRES_PASSWORD
    [ "$user" = bridge ] && [ -z "${OLD:-}" ] && password=$DATABASE_PASSWORD
    shift
    PGPASSWORD=$password psql -XqAt -v ON_ERROR_STOP=1 -U "$user" "$@"
}

if ! as postgres -d postgres -c "SELECT" 2>/dev/null; then
    OLD=yes as bridge -d postgres <<'SQL'
\getenv password POSTGRES_PASSWORD
CREATE ROLE renamer SUPERUSER LOGIN PASSWORD :'password';
SQL
    as renamer -d postgres -c "ALTER ROLE bridge RENAME TO postgres"
    as postgres -d postgres -c "DROP ROLE renamer"
fi

as postgres -d postgres <<'SQL'
\getenv password DATABASE_PASSWORD
SELECT 'CREATE ROLE bridge' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bridge') \gexec
ALTER ROLE bridge LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'password';
SELECT 'CREATE DATABASE masking OWNER bridge'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'masking') \gexec
SQL

owner="SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'masking'"
if [ "$(as postgres -d postgres -c "$owner")" != bridge ]; then
    dump=$(mktemp)
    trap 'rm -f "$dump"' EXIT
    PGPASSWORD=$POSTGRES_PASSWORD pg_dump -U postgres --no-owner --no-privileges -f "$dump" masking
    as postgres -d postgres -c "DROP DATABASE IF EXISTS masking_moved"
    as postgres -d postgres -c "CREATE DATABASE masking_moved OWNER bridge"
    as bridge -d masking_moved -f "$dump" >/dev/null
    as postgres -d postgres <<'SQL'
ALTER DATABASE masking RENAME TO masking_before;
ALTER DATABASE masking_moved RENAME TO masking;
SQL
fi
as postgres -d postgres -c "REVOKE ALL ON DATABASE masking FROM PUBLIC"
