initialise() {
    initdb --pgdata="$folder/data" --username=azmon --auth=trust --no-sync --encoding=UTF8 --locale=C
}

serve() {
    exec postgres -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories="$folder" -c fsync=off -c shared_buffers=16MB
}

is_ready() {
    pg_isready --quiet --host=127.0.0.1 --port="$port"
}

# Sessions are processes that would survive their parent: this ends them all, at once.
kill_server() {
    kill -s QUIT "$server"
}
