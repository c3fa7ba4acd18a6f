"""Names and bodies that try to run a script, to leave the place where they are shown, or to turn the text."""

RAN = "window.ran=1"

PAYLOADS = (
    f"<script>{RAN}</script>",
    f"</script><script>{RAN}</script>",
    f"<ScRiPt>{RAN}</sCrIpT>",
    f"<<script>{RAN}//<</script>",
    f"<img src=x onerror={RAN}>",
    f"<img src=x onerror='{RAN}'//",
    f"<svg onload={RAN}>",
    f"<svg/onload={RAN}>",
    f"<svg><script>{RAN}</script></svg>",
    f"<svg><animate onbegin={RAN} attributeName=x dur=1s>",
    f"<math><mtext><script>{RAN}</script>",
    f"<body onload={RAN}>",
    f'<iframe src="javascript:parent.{RAN}"></iframe>',
    f'<iframe srcdoc="<script>parent.{RAN}</script>">',
    f'<object data="javascript:{RAN}">',
    f'<embed src="javascript:{RAN}">',
    f'<a href="javascript:{RAN}">x</a>',
    f'<form action="javascript:{RAN}"><button>',
    f"<input autofocus onfocus={RAN}>",
    f"<details open ontoggle={RAN}>",
    f"<video><source onerror={RAN}>",
    f"<marquee onstart={RAN}>",
    f"<style>@import 'x';</style><b onmouseover={RAN}>b</b>",
    '<meta http-equiv=refresh content="0;url=/elsewhere">',
    "<base href=//elsewhere.invalid/>",
    "<link rel=stylesheet href=//elsewhere.invalid/x.css>",
    f'" onmouseover="{RAN}',
    f"' onfocus='{RAN}' autofocus='",
    f'"><script>{RAN}</script>',
    f"`;{RAN};`",
    f"'-{RAN}-'",
    f"${{{RAN}}}",
    f"{{{{constructor.constructor('{RAN}')()}}}}",
    f"<%= {RAN} %>",
    f"javascript:{RAN}",
    f"data:text/html,<script>{RAN}</script>",
    f"--><script>{RAN}</script><!--",
    f"]]><script>{RAN}</script>",
    "&lt;script&gt;&#x6a;avascript:&colon;",
    "\u202etxt.exe\u202c\u2066\u200b\ufeff",
    "a\u0000b\u0007\u001b[31mred\u001b]0;title\u0007",
    "__proto__",
)


def hostile_form() -> bytes:
    """A form whose names, file names and values are these, with the boundary `b`."""
    parts = []
    for payload in PAYLOADS:
        name = payload.encode().translate(None, b"\0\r\n\x07\x1b").replace(b'"', b"%22")
        head = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n' % (name, name)
        parts.append(head + payload.encode() + b"\r\n")
    return b"".join(parts) + b"--b--\r\n"
