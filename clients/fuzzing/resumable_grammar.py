"""Requests that begin an upload in pieces, or name one that is not there: rules P1 to P14. They are written
as those of `routes_grammar`.

What a second request does with the upload of a first one cannot be generated: its id is random.
"""

from .draft import fault, valid

_TUS = b"\nTus-Resumable: 1.0.0"
_OCTETS = b"\nContent-Type: application/offset+octet-stream\n\n@o"
_CREATE = b"POST /resumable/" + _TUS
_NEW = _CREATE + b"\nUpload-Length: 1@n"
_METADATA = _NEW + b"\nUpload-Metadata: "
_CHECKSUM = _NEW + b"\nUpload-Checksum: "
_NOTHING = b" /resumable/" + b"0" * 32
_DRAFT = b"\nUpload-Draft-Interop-Version: 8"
_FIRST = _DRAFT + b"\nUpload-Complete: ?0"
_LAST = _DRAFT + b"\nUpload-Complete: ?1"
_IMAGE = b"\nContent-Type: image/png\n\n@o"

ACCEPTED = (
    valid("P1 P3", _NEW, _NEW + _OCTETS, _CREATE + b"\nUpload-Length: 0", _NEW + b"\nUpload-Offset: @w"),
    valid("P3", _CREATE + b"\nUpload-Defer-Length: 1", _CREATE + b"\nUpload-Defer-Length: 1" + _OCTETS),
    valid("P2", b"OPTIONS /resumable/", b"OPTIONS" + _NOTHING, b"OPTIONS /resumable/\nTus-Resumable: @w"),
    valid("P4", _METADATA, _METADATA + b"filename YS50eHQ=", _METADATA + b"filename YS50eHQ=,@w" + _OCTETS),
    valid("P4", _METADATA + b"@w AAH/", _METADATA + b"name YQ0KYg==, type dGV4dC9wbGFpbg==" + _OCTETS),
    valid("P6", _CHECKSUM + b"sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=" + _OCTETS[:-2] + b"hello"),
    valid("P8", _NEW + b"\nContent-Type: Application/Offset+Octet-Stream; @w=@w\n\n@o"),
    valid("P11", b"POST /upload/\nX-HTTP-Method-Override: @w" + _IMAGE),
    valid("P12", b"POST /upload/" + _FIRST + _IMAGE, b"PUT /upload/@w" + _FIRST + _IMAGE),
    valid("P12", b"POST /upload/\nUpload-Draft-Interop-Version: @n\nUpload-Complete: ?0" + _IMAGE),
    valid("P13", b"POST /upload/" + _DRAFT + b"\nUpload-Complete: @w" + _IMAGE),
    valid("P13", b"POST /upload/" + _FIRST + b"\nUpload-Length: -1@n" + _IMAGE),
    valid("P14", b"POST /upload/" + _LAST + _IMAGE, b"PUT /upload/@w" + _LAST + _IMAGE),
    valid("P14", b"POST /upload/" + _LAST + b'\nContent-Type: application/json\n\n{"a":@n}'),
)
REFUSED = (
    fault("P1", _NEW + b"\nUpload-Concat: partial", _NEW + b"\nUpload-Concat: @w"),
    fault("P2", b"POST /resumable/\nUpload-Length: @n", _NEW.replace(b"1.0.0", b"0.2.2")),
    fault("P2", _NEW + _TUS, b"PATCH" + _NOTHING + b"\nTus-Resumable: @w\nUpload-Offset: 0" + _OCTETS),
    fault("P3", _CREATE, _NEW + b"\nUpload-Defer-Length: 1", _CREATE + b"\nUpload-Defer-Length: 2"),
    fault("P3", _CREATE + b"\nUpload-Length: -@n", _CREATE + b"\nUpload-Length: 0x@n"),
    fault("P3", _CREATE + b"\nUpload-Length: @n, @n", _CREATE + b"\nUpload-Length: 999999999999"),
    fault(
        "P4", _METADATA + b"a YQ==,a", _METADATA + b"a YQ==,,b", _METADATA + b"a  YQ==", _METADATA + b"a *"
    ),
    fault("P5", b"PATCH" + _NOTHING + _TUS + _OCTETS),
    fault("P5", b"PATCH" + _NOTHING + _TUS + b"\nUpload-Offset: -@n" + _OCTETS),
    fault("P6", _CHECKSUM + b"crc32 NhCmhg==" + _OCTETS, _CHECKSUM + b"sha1" + _OCTETS),
    fault("P6", _CHECKSUM + b"md5 BmEsDZxz1HpwQq/XAk18gg==" + _OCTETS),
    fault("P7", _CREATE + b"\nUpload-Length: 0" + _OCTETS),
    fault("P7", b"PUT /upload/@w" + _LAST + b"\nUpload-Length: 9@n" + _IMAGE),
    fault("P8", _NEW + _IMAGE, b"PATCH" + _NOTHING + _TUS + b"\nUpload-Offset: 0" + _IMAGE),
    fault("P10", b"HEAD" + _NOTHING + _TUS, b"GET" + _NOTHING, b"DELETE" + _NOTHING + _TUS),
    fault("P10", b"PATCH" + _NOTHING + _TUS + b"\nUpload-Offset: @n" + _OCTETS, b"HEAD /resumable/@w" + _TUS),
    fault("P10 P11", b"POST" + _NOTHING + _TUS + b"\nX-HTTP-Method-Override: HEAD"),
    fault("P12", b"POST /upload/" + _FIRST + b"\nContent-Type: multipart/form-data; boundary=b\n\n--b--"),
    fault(
        "P13",
        b"PATCH" + _NOTHING + _DRAFT + b"\nUpload-Offset: 0\nContent-Type: application/partial-upload\n\n@o",
    ),
)
