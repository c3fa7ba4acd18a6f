"""What every backend does alike. No parsing of bytes and no framework in here.

`exchange.Exchange` takes a request from its head to its response. `route` has `Route`, `RouteTable` and
`Context`, `parsers.Parsers` is what a backend brings to parse bytes. `limits.Limits` and `problems.PROBLEMS`
are the tables of limits and refusals, `request` and `responses` the types that routes work with.
"""
