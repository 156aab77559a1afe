# Keeps a server until standard input ends. Reads commands from it, one a line, and answers each by lines of
# explanation and one of `ok` or `failed`.
#
# Nothing but that ends the keeper, so that the server never outlives it.
trap '' HUP INT PIPE TERM

folder=$(mktemp -d -t azmon-database-XXXXXX) || exit 1
log=$folder/log
# Servers of MariaDB get into each other's way in a common folder.
export TMPDIR="$folder"

start() {
    (serve) >> "$log" 2>&1 < /dev/null &
    server=$!
    tries=1200
    until is_ready > /dev/null 2>&1; do
        tries=$((tries - 1))
        kill -0 "$server" 2> /dev/null && [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}

stop() {
    [ -n "$server" ] && kill_server && wait "$server"
    server=
}

answer() {
    if "$@" >> "$log" 2>&1 < /dev/null; then
        echo ok
    else
        tail -n 20 "$log"
        echo failed
    fi
}

while read -r command; do
    case $command in
        initialise) answer initialise ;;
        kill) stop 2> /dev/null; echo ok ;;
        start) answer start ;;
    esac
done

stop 2> /dev/null
rm -rf "$folder"
