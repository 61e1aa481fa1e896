# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Web servers for command tests. After tests/cli/lib.sh:
#
#	serve remote --no-ranges       serves the folder; URL is its address, SERVER its log
#	expect_requests 3 'GET /live'  so many requests that match were answered since
#
# Servers end with the case.

serve()
{
	local dir=$1
	shift
	SERVED=$((${SERVED:-0} + 1))
	local port_file=$CASE/server$SERVED
	python3 "$TOP/tests/http/server.py" "$dir" "$port_file" "$@" &
	echo $! >>"$CASE/pids"
	poll 20 test -e "$port_file"
	SERVER=$port_file.log
	URL=http://127.0.0.1:$(cat "$port_file")
	case " $* " in *" --tls "*) URL=https://localhost:$(cat "$port_file") ;; esac
}

# count_requests REGEX: of the lines that the server wrote.
count_requests()
{
	grep -cE "$1" "$SERVER" || true
}

expect_requests()
{
	[ "$(count_requests "$2")" = "$1" ] || {
		cat "$SERVER"
		fail "there were $(count_requests "$2") requests of '$2', not $1"
	}
}

# A git credential helper that gives USER and PASSWORD for any host and notes what it is asked: helper USER PASSWORD
helper()
{
	cat >"$CASE/bin/git-credential-test" <<-HELPER
		#!/bin/sh
		{ echo "\$1"; cat; } >>"$CASE/asked"
		[ "\$1" = get ] || exit 0
		echo "username=$1"
		echo "password=$2"
	HELPER
	chmod +x "$CASE/bin/git-credential-test"
	git config --global credential.helper test
}
