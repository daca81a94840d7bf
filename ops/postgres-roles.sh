#!/bin/sh
# Runs once, when the database is made: two logins, as MarketFlow wants them. One owns the schemas and migrates them,
# and acts as marketflow_ledger, which owns the ledger's; the other, which the application uses, owns nothing and has
# what the group marketflow_app is granted.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  -v owner_password="$OWNER_PASSWORD" -v app_password="$APP_PASSWORD" <<'SQL'
create role marketflow_owner login password :'owner_password';
create role marketflow_app nologin;
create role marketflow_ledger nologin;
grant marketflow_ledger to marketflow_owner;
create role marketflow login password :'app_password' in role marketflow_app;
alter database marketflow owner to marketflow_owner;
SQL
