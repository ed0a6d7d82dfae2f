#!/bin/sh
# curl, one process per call. CURL_OPTIONS has further options.
while IFS="$(printf '\t')" read -r path authorization body; do
    set -- "$1" "$2" "$3" --silent --show-error --max-time 10 --write-out '\n%{http_code}' \
        --header 'Content-Type: application/json;charset=utf-8' --data-binary "$body" "$1$path"
    [ "$authorization" = - ] || set -- "$@" --header "Authorization: $authorization"
    [ -z "$3" ] || set -- "$@" --cacert "$3"
    first=$1 second=$2 third=$3
    shift 3
    # shellcheck disable=SC2086
    answer=$(curl $CURL_OPTIONS "$@")
    printf '%s\t%s\n' "$(printf '%s' "$answer" | tail -n 1)" "$(printf '%s' "$answer" | sed '$d' | tr -d '\n')"
    set -- "$first" "$second" "$third"
done < "$2"
