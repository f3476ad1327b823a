#!/usr/bin/env bash
# A client of the bridge, written from /bridge/openapi.json alone, with openssl and curl: nothing of ours is in it.
#   bridge.sh BASE SECRET METHOD PATH [BODY]      prints the status, and below it the body of the answer
set -euo pipefail
base=$1 secret=$2 method=$3 path=$4 body=${5:-}
now=$(date +%s.%N | cut -c1-17)
signature=$(printf '%s\n%s %s\n%s' "$now" "$method" "$path" "$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
exec curl --silent --show-error --max-time 30 --noproxy '*' --write-out '\n%{http_code}' --request "$method" \
  --header "X-Sportello-Time: $now" --header "X-Sportello-Signature: sha256=$signature" \
  --header 'Content-Type: application/json' ${body:+--data-binary "$body"} "$base$path"
