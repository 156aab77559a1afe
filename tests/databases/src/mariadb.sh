initialise() {
    cat > "$folder/init.sql" <<'SQL'
CREATE DATABASE IF NOT EXISTS azmon;
CREATE USER IF NOT EXISTS azmon@'127.0.0.1';
GRANT ALL ON *.* TO azmon@'127.0.0.1';
SQL
    mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db --auth-root-authentication-method=normal
}

serve() {
    exec mariadbd --no-defaults --datadir="$folder/data" --bind-address=127.0.0.1 --port="$port" \
        --socket="$folder/socket" --pid-file="$folder/pid" --init-file="$folder/init.sql" --skip-name-resolve \
        --innodb-buffer-pool-size=16M --innodb-flush-log-at-trx-commit=0
}

is_ready() {
    mariadb-admin --no-defaults --socket="$folder/socket" --user=root ping
}

kill_server() {
    kill -s KILL "$server"
}
