#!/bin/sh
# Made the certificates in this folder, which are good for a hundred years and for nothing but these tests:
# ca.pem vouches for server.pem (127.0.0.1 and the name kubernetes, not localhost) and client.pem; other-ca.pem does not.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

authority() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"
    openssl req -x509 -new -key "$work/$1.key" -days 36500 -subj "/CN=$2" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

certificate() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"
    openssl req -new -key "$work/$1.key" -subj "/O=testers/CN=$1" -out "$work/$1.csr"
    printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\n%s\n' "$2" \
        >"$work/$1.ext"
    openssl x509 -req -in "$work/$1.csr" -CA ca.pem -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/serial" \
        -days 36500 -extfile "$work/$1.ext" -out "$work/$1.crt"
    cat "$work/$1.key" "$work/$1.crt" >"$1.pem"
}

authority ca 'test authority'
authority other-ca 'another authority'
certificate server 'extendedKeyUsage=serverAuth
subjectAltName=DNS:kubernetes,IP:127.0.0.1'
certificate client extendedKeyUsage=clientAuth
