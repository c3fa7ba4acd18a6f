"""The flags of curl that the upload clients do not take, each with the reason and what to do instead."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

_ONE_REQUEST = "one request is sent, on a connection of its own"
_RETRY = "--retry N repeats what may be over at the next try, and waits as Retry-After says"
_LIMIT = "--max-time SECONDS is the only limit, and holds for everything"
_REASONS: Mapping[str, str] = {
    "-L --location* --max-redirs --post30? --follow": "a redirect is shown and not followed",
    "-I --head": "-X HEAD -i sends the same request and prints the same",
    "-e --referer": "-H 'Referer: URL' sends it",
    "-r --range": "-H 'Range: bytes=FIRST-LAST' sends it",
    "-C --continue-at": "--resume uploads the rest, and `wireproof download` asks for it",
    "-Z --parallel-*": "--resume --parallel N sends several files at the same time",
    "-z --time-cond --etag-*": "-H 'If-None-Match: TAG' sends a condition",
    "--compressed --tr-encoding": "-H 'Accept-Encoding: gzip' asks for it, and requests decodes it",
    "--oauth2-bearer": "--token TOKEN sends it",
    "--url-query": "--param NAME=VALUE adds to the query, and -G sends the data there",
    "--data-ascii": "-d is the same",
    "--form-escape": "a quote in a name is sent as %22, as browsers send it",
    "--expect100-timeout": "--expect asks for 100 (Continue), and the wait for it is 1 s",
    "--fail-early --fail-with-body": "every refusal is shown and ends with status 1",
    "-w --write-out -D --dump-header": "-i prints the head of the response, and -v both heads",
    "--trace* --libcurl --stderr": "--show-wire prints all bytes on standard error",
    "-# --progress-bar --no-progress-meter": "a terminal shows a progress bar, and -s turns it off",
    "--styled-output": "a response is indented on a terminal, and --raw turns this off",
    "-N --no-buffer": "`wireproof stream` prints events as they come; this prints a whole response",
    "-J --remote-header-name -R --remote-time --create-* --output-dir --no-clobber "
    "--skip-existing --remove-on-error --xattr": "-o and -O write a file, and nothing else is done to it",
    "-c --cookie-jar -j --junk-session-cookies": "cookies are sent with -b NAME=VALUE, and none are kept",
    "-V": "--version prints the version",
    "-M --manual": "--help prints the help",
    "-K --config -q --disable -n --netrc* --hsts --alt-svc --variable": "no file of settings is read",
    "-g --globoff": "braces and brackets in a URL have no special meaning, with or without it",
    "--path-as-is --request-target": "the target is that of the URL, without segments of dots",
    "--ignore-content-length --http0.9 --max-filesize": "a response is read strictly, up to 64 MiB",
    "-0 --http1.? --http2* --http3* --no-alpn --no-npn": "only HTTP/1.1 is spoken",
    "--url --next -: --remote-name-all --rate --*keepalive*": _ONE_REQUEST,
    "--retry-*": _RETRY,
    "--connect-timeout -y -Y --speed-* --limit-rate --happy-*": _LIMIT,
    "--anyauth --basic --digest --negotiate --ntlm* --aws-sigv4 --delegation --service-name --sasl-* "
    "--krb --login-options": "-u sends Basic, --token Bearer, and -H 'Authorization: ...' anything else",
    "-4 --ipv4 -6 --ipv6 --resolve --connect-to --interface --local-port --*unix-socket --dns-* --doh-* "
    "--tcp-* --haproxy-* --mptcp --ip-tos --vlan-priority": (
        "the connection goes to the host of the URL, and -H 'Host: NAME' sends another name"
    ),
    "--noproxy -x --proxy* -U -p --preproxy --socks* --suppress-*": "no proxy is ever used",
    "-k --insecure -E --cert* --key* --pass --capath --ca-native --ciphers --curves --crlfile --engine "
    "--egd-file --random-file --false-start --pinnedpubkey --ssl-* -1 -2 -3 --sslv? --tls* --no-sessionid "
    "--ech --sigalgs --dump-ca-embed": "certificates are always checked, and --cacert PATH names more",
    "-a --append -B --use-ascii --crlf -l --list-only -P --ftp-* -Q --quote -t --telnet-option "
    "--compressed-ssh --disable-ep* --disallow-username-in-url --hostpub* --mail-* --metalink --proto* "
    "--pubkey --ssl --tftp-* --upload-flags --knownhosts": "it is for other protocols than HTTP",
}  # fmt: skip


def why_refused(flag: str) -> str | None:
    """Why a flag of curl, in its short or long spelling, is not taken; None when curl has no such flag."""
    for flags, why in _REASONS.items():
        if any(fnmatchcase(flag, pattern) for pattern in flags.split()):
            return why
    return None
